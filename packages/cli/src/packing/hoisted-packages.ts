/**
 * The packages that an app depends on and that npm has put above its folder, as it does in a workspace. In the package of
 * the app they stand in its own node_modules, where a worker finds them.
 */
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { isJsonObject, type JsonObject } from '@switchyard/model';
import type { IgnoreRules } from './ignore-rules.ts';
import { listPackageFiles, type PackageFile } from './list-files.ts';

const modulesFolder = 'node_modules';

/** A package at its place in the app. */
interface PlacedPackage {
  /** Where its files are. */
  readonly source: string;
  /** Where they stand in the app's package, with slashes. */
  readonly path: string;
}

/**
 * Lists the files of those packages. What nobody has installed is left out: the app may have been bundled, and if not, its
 * worker says what is missing. Rejects with what keeps a file from being packed.
 */
export async function listHoistedPackages(
  directory: string,
  rules: IgnoreRules,
  signal?: AbortSignal,
): Promise<readonly PackageFile[]> {
  if (rules.leavesOut(modulesFolder, 'folder')) return [];
  const root = await realpath(directory);
  const files: PackageFile[] = [];
  for (const { source, path } of await placePackages(root)) {
    signal?.throwIfAborted();
    // The packages below are placed one by one.
    const own: IgnoreRules = {
      leavesOut: (inside, kind) => inside === modulesFolder || rules.leavesOut(`${path}/${inside}`, kind),
    };
    const found = await listPackageFiles(source, own, signal);
    files.push(...found.map((file) => ({ ...file, path: `${path}/${file.path}` })));
  }
  return files;
}

async function placePackages(root: string): Promise<readonly PlacedPackage[]> {
  const placed = new Map<string, PlacedPackage>();
  const waiting: PlacedPackage[] = [{ source: root, path: '' }];
  for (let requirer = waiting.shift(); requirer !== undefined; requirer = waiting.shift()) {
    for (const name of await dependenciesOf(requirer.source)) {
      const source = await findPackage(name, requirer.source);
      // What stands in the app's folder is packed with it, and finds what it needs there.
      if (source === undefined || isInside(source, root)) continue;
      const path = await freePlace(name, source, requirer.path, root, placed);
      if (path === undefined) continue;
      const found = { source, path };
      placed.set(path, found);
      waiting.push(found);
    }
  }
  return [...placed.values()];
}

/** The place of a package: the top, or below its requirer where another version stands at the top; undefined when it is there. */
async function freePlace(
  name: string,
  source: string,
  requirerPath: string,
  root: string,
  placed: ReadonlyMap<string, PlacedPackage>,
): Promise<string | undefined> {
  const top = `${modulesFolder}/${name}`;
  const places = requirerPath === '' ? [top] : [top, `${requirerPath}/${top}`];
  for (const place of places) {
    const there = placed.get(place);
    if (there?.source === source) return undefined;
    if (there === undefined && !(await isFolder(join(root, place)))) return place;
  }
  return undefined;
}

/** What the package needs at run time. */
async function dependenciesOf(source: string): Promise<readonly string[]> {
  const { dependencies, optionalDependencies } = await readManifest(source);
  const names = [dependencies, optionalDependencies].flatMap((group) =>
    isJsonObject(group) ? Object.keys(group) : [],
  );
  return [...new Set(names)].filter(isPackageName).sort();
}

/** A name that leads nowhere else than into a folder of that name. */
function isPackageName(name: string): boolean {
  return /^(?:@[\w.~-]+\/)?[\w.~-]+$/.test(name) && !name.split('/').some((part) => part === '.' || part === '..');
}

/** Looks where Node.js looks: in the node_modules of each folder from here up. */
async function findPackage(name: string, from: string): Promise<string | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, modulesFolder, name);
    if (await isFolder(candidate)) return await realpath(candidate);
    if (dirname(folder) === folder) return undefined;
  }
}

async function readManifest(folder: string): Promise<JsonObject> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    return isJsonObject(manifest) ? manifest : {};
  } catch {
    return {};
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}${sep}`);
}
