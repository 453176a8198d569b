/**
 * The packages that an app depends on and that do not stand as folders in its own node_modules: in a workspace npm puts
 * them above the app, and pnpm links them to one another. A package of an app holds no links, so in it each of them stands
 * in the app's node_modules, at a place where those find it that need it.
 */
import { readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { isJsonObject, type JsonObject, parseJsonText } from '@switchyard/model';
import type { IgnoreRules } from './ignore-rules.ts';
import { listPackageFiles, type PackageFile, realFolder } from './list-files.ts';
import {
  findInstalled,
  type InstalledPackage,
  installedIn,
  isStore,
  listInstalled,
  modulesFolder,
} from './module-folders.ts';

/** What has been placed. */
export interface PlacedPackages {
  readonly files: readonly PackageFile[];
  /** What of the app's own folder they stand for, which is therefore not packed as it is: links, and what those lead to. */
  readonly replaced: ReadonlySet<string>;
}

/** A package at its place in the app. */
interface PlacedPackage {
  /** Where its files are. */
  readonly source: string;
  /** Where they stand in the app's package, with slashes; empty for the app itself. */
  readonly path: string;
}

/**
 * Places those packages and lists their files. What nobody has installed is left out: the app may have been bundled, and if
 * not, its worker says what is missing. So are links to packages that are for development alone. Rejects with what keeps a
 * file from being packed.
 */
export async function placePackages(
  directory: string,
  rules: IgnoreRules,
  signal?: AbortSignal,
): Promise<PlacedPackages> {
  if (rules.leavesOut(modulesFolder, 'folder')) return { files: [], replaced: new Set() };
  const root = await realFolder(directory);
  const links = (await listInstalled(join(root, modulesFolder))).filter(({ isFolder }) => !isFolder);
  const replaced = replacedBy(links, root);
  const files: PackageFile[] = [];
  for (const { source, path } of await new Placing(root, links, replaced).run()) {
    signal?.throwIfAborted();
    // The packages below are placed one by one.
    const own: IgnoreRules = {
      leavesOut: (inside, kind) => inside === modulesFolder || rules.leavesOut(`${path}/${inside}`, kind),
    };
    const found = await listPackageFiles(source, own, signal);
    files.push(...found.map((file) => ({ ...file, path: `${path}/${file.path}` })));
  }
  return { files, replaced };
}

/** The links, and the folders beside them in which pnpm and its like keep what they lead to. */
function replacedBy(links: readonly InstalledPackage[], root: string): ReadonlySet<string> {
  const modules = join(root, modulesFolder);
  const stores = links
    .map(({ source }) => relative(modules, source).split(sep)[0] ?? '')
    .filter((name) => /^\.[^.]/.test(name));
  return new Set([...links.map(({ name }) => name), ...stores].map((name) => `${modulesFolder}/${name}`));
}

/** One walk through what the app needs, and what that needs. */
class Placing {
  readonly #root: string;
  readonly #links: readonly InstalledPackage[];
  readonly #replaced: readonly string[];
  readonly #placed = new Map<string, PlacedPackage>();
  /** Sources of packages that stay where they are in the app's folder. */
  readonly #staying = new Set<string>();
  readonly #waiting: PlacedPackage[] = [];

  constructor(root: string, links: readonly InstalledPackage[], replaced: ReadonlySet<string>) {
    this.#root = root;
    this.#links = links;
    this.#replaced = [...replaced];
  }

  async run(): Promise<readonly PlacedPackage[]> {
    this.#waiting.push({ source: this.#root, path: '' });
    for (let requirer = this.#waiting.shift(); requirer !== undefined; requirer = this.#waiting.shift()) {
      for (const name of await this.#needsOf(requirer)) {
        const found = await findInstalled(name, requirer.source);
        if (found !== undefined && found.source !== requirer.source) await this.#take(found, requirer);
      }
    }
    return [...this.#placed.values()];
  }

  async #needsOf({ source, path }: PlacedPackage): Promise<readonly string[]> {
    const { dependencies, optionalDependencies, peerDependencies, devDependencies } = await readManifest(source);
    const names = [dependencies, optionalDependencies, peerDependencies].flatMap(keysOf);
    if (path !== '') return inOrder([...names, ...(await namesBeside(source))]);
    const forDevelopment = new Set(keysOf(devDependencies));
    return inOrder([...names, ...this.#links.map(({ name }) => name).filter((name) => !forDevelopment.has(name))]);
  }

  async #take({ name, source, isFolder }: InstalledPackage, requirer: PlacedPackage): Promise<void> {
    const own = isFolder ? this.#staysAt(source) : undefined;
    if (own !== undefined) {
      // It is packed as it is; what it needs may be elsewhere all the same.
      if (!this.#staying.has(source)) this.#waiting.push({ source, path: own });
      this.#staying.add(source);
      return;
    }
    const path = await this.#freePlace(name, source, requirer.path);
    if (path === undefined) return;
    this.#placed.set(path, { source, path });
    this.#waiting.push({ source, path });
  }

  /** The path of a folder of the app that is packed as it is. */
  #staysAt(source: string): string | undefined {
    const path = relative(this.#root, source).split(sep).join('/');
    const isReplaced = this.#replaced.some((one) => path === one || path.startsWith(`${one}/`));
    return path.startsWith('../') || isAbsolute(path) || isReplaced ? undefined : path;
  }

  /** The place of a package: the top, or below its requirer where another version stands at the top; undefined when it is there. */
  async #freePlace(name: string, source: string, requirerPath: string): Promise<string | undefined> {
    const top = `${modulesFolder}/${name}`;
    const places = requirerPath === '' ? [top] : [top, `${requirerPath}/${top}`];
    for (const place of places) {
      const there = this.#placed.get(place);
      if (there?.source === source) return undefined;
      if (there === undefined && !(await isOwnFolder(join(this.#root, place)))) return place;
    }
    return undefined;
  }
}

/**
 * What stands below an installed package, and beside it where package managers link: peers and generated code are named
 * nowhere else. Below a package of a workspace stands what its developers need, too: there its own word counts.
 */
async function namesBeside(source: string): Promise<readonly string[]> {
  const folder = installedIn(source);
  if (folder === undefined) return [];
  const beside = (await isStore(folder)) ? await listInstalled(folder) : [];
  const below = await listInstalled(join(source, modulesFolder));
  return [...below, ...beside.filter(({ name, isFolder }) => !isFolder || name.startsWith('.'))].map(
    ({ name }) => name,
  );
}

function inOrder(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter(isPackageName).sort();
}

function keysOf(group: unknown): readonly string[] {
  return isJsonObject(group) ? Object.keys(group) : [];
}

/** A name that leads nowhere else than into a folder of that name. */
function isPackageName(name: string): boolean {
  return /^(?:@[\w.~-]+\/)?[\w.~-]+$/.test(name) && !name.split('/').some((part) => part === '.' || part === '..');
}

async function readManifest(folder: string): Promise<JsonObject> {
  try {
    const path = join(folder, 'package.json');
    const manifest = parseJsonText(await readFile(path, 'utf8'), path);
    return isJsonObject(manifest) ? manifest : {};
  } catch {
    return {};
  }
}

/** True for a folder that no link leads to. */
async function isOwnFolder(path: string): Promise<boolean> {
  return stat(path).then(
    async (found) => found.isDirectory() && (await realpath(path)) === path,
    () => false,
  );
}
