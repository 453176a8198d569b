/** Which changes of settings a running version can take as it is. Pure. */
import { type DeployedVersion, packageVersionOf } from './deployed-version.ts';

/** Settings of the host, the process and the platform: they have had their effect when a worker runs. */
const startPrefixes = [
  'azurewebjobs',
  'azurefunctions',
  'functions_',
  'website_',
  'languageworkers',
  'node_',
  'switchyard_',
];

/**
 * True when the version differs from the one that runs in values alone that functions read by themselves: not in what its
 * bindings name, which makes another metadataVersion, and not in what only a start brings. A setting that is gone is such a
 * change too: a worker that is started anew would have it again.
 */
export function isTakenAsItRuns(running: DeployedVersion, wanted: DeployedVersion): boolean {
  const [from, to] = [running.definition, wanted.definition];
  const isSameCode =
    from.metadataVersion === to.metadataVersion &&
    packageVersionOf(from.codeVersion) === packageVersionOf(to.codeVersion) &&
    running.directory === wanted.directory;
  if (!isSameCode || [...running.values.keys()].some((name) => !wanted.values.has(name))) return false;
  const changed = [...wanted.values].filter(([name, value]) => running.values.get(name) !== value);
  return changed.every(([name]) => !startPrefixes.some((prefix) => name.toLowerCase().startsWith(prefix)));
}
