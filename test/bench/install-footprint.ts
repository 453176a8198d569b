/**
 * What an installation would bring: the bundles of the command line and of the workers, and the libraries that they load
 * on demand, with everything that those depend on. Node.js and the optional storage emulator come on top.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from './bench-row.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const megabyte = 1_000_000;
const targetMb = 60;
/** An installation of the official tools, as recorded in the design. */
const officialMb = 658;

/** Installed only where functions are to have built-in capabilities; everything else works without it. */
const capabilityLibrary = '@switchyard/capability-library';

/** What would be published, beside the manifests. Caches that a first start writes are not. */
const published: readonly { readonly path: string; readonly names: RegExp }[] = [
  { path: 'packages/cli/bin', names: /\.m?js$/ },
  { path: 'packages/cli/dist/bundle', names: /\.mjs$/ },
  { path: 'packages/worker-node', names: /^worker\.config\.json$/ },
  { path: 'packages/worker-node/dist', names: /^worker.*\.(cjs|bundle)$/ },
  { path: 'packages/worker-custom', names: /^worker\.config\.json$/ },
  { path: 'packages/worker-custom/dist', names: /^worker\.mjs$/ },
];

/** Runs the benchmark; takes a second. */
export function benchInstallFootprint(): { readonly rows: readonly BenchRow[]; readonly notes: readonly string[] } {
  const files = published.flatMap(({ path, names }) => filesIn(join(repository, path), names));
  const names = importedNames(files);
  names.delete(capabilityLibrary);
  const peers = [...optionalPeers()].filter((name) => names.delete(name));
  const libraries = closureOf(names);
  const optional = [...closureOf(new Set([capabilityLibrary]))].filter((folder) => !libraries.has(folder));
  const sdks = [...closureOf(new Set(peers))].filter((folder) => !libraries.has(folder));
  const bundlesMb = sizeOf(files) / megabyte;
  const totalMb = bundlesMb + megabytesOf([...libraries]);
  const row = (name: string, ours: number, reference: number, against: string, target: string): BenchRow => {
    return { name, ours, reference, against, ratio: ours / reference, unit: 'MB', target };
  };
  return {
    rows: [
      row('installation without Node.js', totalMb, targetMb, 'target', '< 60 MB'),
      row('installation without Node.js', totalMb, officialMb, 'official tools, recorded', '< 1'),
      row('of it: our bundles', bundlesMb, targetMb, 'target', ''),
      row(
        'on top, where it is wanted: built-in capabilities',
        megabytesOf(optional),
        officialMb,
        'official tools, recorded',
        '',
      ),
      row(
        'on top, where services run in Azure: its SDKs',
        megabytesOf(sdks),
        officialMb,
        'official tools, recorded',
        '',
      ),
    ],
    notes: [
      `The rest are ${libraries.size} packages of the storage and messaging SDKs and the JSON log, loaded at their first use.`,
    ],
  };
}

/** Packages that are installed only by whoever configures what needs them: optional peers that nothing depends on. */
function optionalPeers(): Set<string> {
  const folders = readdirSync(join(repository, 'packages')).map((name) => join(repository, 'packages', name));
  const manifests = folders
    .map((folder) => join(folder, 'package.json'))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Manifest);
  const needed = new Set(manifests.flatMap(({ dependencies = {} }) => Object.keys(dependencies)));
  const peers = manifests.flatMap(({ peerDependenciesMeta = {} }) => Object.keys(peerDependenciesMeta));
  return new Set(peers.filter((name) => !needed.has(name)));
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, object>>;
}

function megabytesOf(folders: readonly string[]): number {
  return sizeOf(folders.flatMap((folder) => filesBelow(folder))) / megabyte;
}

function filesIn(folder: string, names: RegExp): string[] {
  return readdirSync(folder)
    .filter((name) => names.test(name))
    .map((name) => join(folder, name));
}

/** Packages that the bundles leave outside, and load on demand. */
function importedNames(files: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const file of files) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/\bimport\(["']([^"'.\s]+)["']\)/g)) {
      if (!name.startsWith('node:')) names.add(name);
    }
  }
  return names;
}

/** The folders of the packages and of all that they depend on. */
function closureOf(names: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  const visit = (name: string, from: string): void => {
    const folder = findPackage(name, from);
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    for (const dependency of Object.keys(dependencies)) visit(dependency, folder);
  };
  for (const name of names) visit(name, repository);
  return found;
}

/** Where Node.js finds a package from a folder; undefined when it does not. */
function findPackage(name: string, from: string): string | undefined {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(from);
  return parent === from ? undefined : findPackage(name, parent);
}

/** The files of a package; nested packages count when they are found by themselves. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function sizeOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}
