/** What stands in folders of installed packages, as npm, pnpm and their like write them. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The name of such folders. */
export const modulesFolder = 'node_modules';

/** A package as it stands in a node_modules folder. */
export interface InstalledPackage {
  readonly name: string;
  /** Where its files are, with all links resolved. */
  readonly source: string;
  /** False where a link leads to it. */
  readonly isFolder: boolean;
}

/** The packages of a node_modules folder; none when it is not there. Links that lead nowhere are left out. */
export async function listInstalled(folder: string): Promise<readonly InstalledPackage[]> {
  const found: InstalledPackage[] = [];
  for (const entry of await entriesOf(folder)) {
    if (entry.name === '.bin') continue;
    const isScope = entry.name.startsWith('@') && entry.isDirectory();
    const names = isScope
      ? (await entriesOf(join(folder, entry.name))).map(({ name }) => `${entry.name}/${name}`)
      : [entry.name];
    for (const name of names) {
      const installed = await readInstalled(folder, name);
      if (installed !== undefined) found.push(installed);
    }
  }
  return found;
}

/** Looks where Node.js looks: in the node_modules of each folder from here up. */
export async function findInstalled(name: string, from: string): Promise<InstalledPackage | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const installed = await readInstalled(join(folder, modulesFolder), name);
    if (installed !== undefined) return installed;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The node_modules folder that a package was installed into; undefined for one that stands elsewhere, as in a workspace. */
export function installedIn(source: string): string | undefined {
  const above = dirname(source);
  const folder = basename(above).startsWith('@') ? dirname(above) : above;
  return basename(folder) === modulesFolder ? folder : undefined;
}

/**
 * True for a node_modules folder that holds one package, beside links to what it needs: so do package managers that link
 * packages to one another. Others belong to an app, or to another package.
 */
export async function isStore(folder: string): Promise<boolean> {
  return stat(join(dirname(folder), 'package.json')).then(
    () => false,
    () => true,
  );
}

async function readInstalled(folder: string, name: string): Promise<InstalledPackage | undefined> {
  const path = join(folder, name);
  try {
    const source = await realpath(path);
    return (await stat(source)).isDirectory() ? { name, source, isFolder: source === path } : undefined;
  } catch {
    return undefined;
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}
