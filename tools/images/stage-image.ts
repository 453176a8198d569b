/** Puts what an image holds into a folder, from what was built before. */
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ImageContents } from './image-contents.ts';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Needed to develop only. */
const leftOut = /\.(map|ts|mts|cts|tsbuildinfo|test\.js)$|\.bundle\.v[\d.]+-\w+\.cache$/;

interface PackageFile {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Fills the folder with everything but the base of the image. The folder is emptied first. */
export function stageImage({ bundle, workers, packages }: ImageContents, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  const app = join(folder, 'app');
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  // What the container writes goes here; an empty folder is not kept by every tool.
  mkdirSync(join(folder, 'state'));
  writeFileSync(join(folder, 'state', '.keep'), '');
  copy(join(repository, 'packages/cli/dist', bundle), join(app, 'bundle'));
  for (const worker of workers) {
    const from = join(repository, 'packages', worker);
    const to = join(app, 'node_modules/@switchyard', worker);
    for (const part of ['package.json', 'worker.config.json', 'dist']) copy(join(from, part), join(to, part));
  }
  for (const [path, from] of packagesOf(packages)) copy(from, join(app, path));
}

/** Every package that the named ones need, by its place in the image. */
function packagesOf(names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (name: string, from: string): void => {
    const folder = findPackage(name, from);
    if (folder === undefined) return;
    const place = placeOf(name, folder);
    if (found.has(place)) return;
    found.set(place, realpathSync(folder));
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageFile;
    for (const dependency of Object.keys(dependencies)) visit(dependency, realpathSync(folder));
  };
  for (const name of names) visit(name, repository);
  return found;
}

/** Looks for a package as Node.js does; undefined for one that is not installed here. */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Where it is found in the image: as deep as here, and the packages of this repository at the top. */
function placeOf(name: string, folder: string): string {
  const within = folder.slice(repository.length + 1);
  return within.startsWith('node_modules') ? within : join('node_modules', name);
}

function copy(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter: (path) =>
      !leftOut.test(path) && !(basename(path) === 'src' && from.startsWith(join(repository, 'packages'))),
  });
}
