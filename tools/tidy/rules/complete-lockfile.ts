import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';

const lockfile = 'package-lock.json';

/** The part of an entry of package-lock.json that matters here. */
interface LockEntry {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type LockEntries = Readonly<Record<string, LockEntry>>;

/** package-lock.json names the packages of every platform; without one of them `npm ci` refuses it on all. */
export const completeLockfileRule: Rule = {
  name: 'complete-lockfile',
  promise: 'package-lock.json names the packages of every platform; without one of them `npm ci` refuses it on all.',
  check(repository) {
    const text = repository.file(lockfile)?.text;
    if (text === undefined) return [];
    const { packages } = JSON.parse(text) as { readonly packages: LockEntries };
    return Object.entries(packages).flatMap(([place, entry]) => missingBelow(packages, place, entry));
  },
  good: [
    {
      [lockfile]: `{ "packages": { "node_modules/b/node_modules/a": { "optionalDependencies": { "c": "1.0.0", "d": "^2.0.0" } },
        "node_modules/b/node_modules/c": { "version": "1.0.0" } } }`,
    },
  ],
  bad: [
    {
      files: { [lockfile]: '{ "packages": { "node_modules/a": { "optionalDependencies": { "a-win32": "1.0.0" } } } }' },
      at: `${lockfile}:1`,
    },
    {
      files: {
        [lockfile]: `{ "packages": { "node_modules/a": { "optionalDependencies": { "c": "1.0.0" } },
          "node_modules/c": { "version": "2.0.0" } } }`,
      },
      at: `${lockfile}:1`,
    },
  ],
};

function missingBelow(packages: LockEntries, place: string, entry: LockEntry): Finding[] {
  return Object.entries(entry.optionalDependencies ?? {})
    .filter(([name, version]) => /^\d/.test(version) && resolved(packages, place, name)?.version !== version)
    .map(([name, version]) => ({
      path: lockfile,
      line: 1,
      message: `'${name}' ${version}, which ${place} may need on some platform, has no entry.`,
      fix: 'write the file again where the registry knows that package, or choose a version for which it does.',
    }));
}

/** What Node would find from `place`: the package below it, else in the folders above. */
function resolved(packages: LockEntries, place: string, name: string): LockEntry | undefined {
  for (let folder = place; folder !== ''; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const found = packages[`${folder}/node_modules/${name}`];
    if (found) return found;
  }
  return packages[`node_modules/${name}`];
}
