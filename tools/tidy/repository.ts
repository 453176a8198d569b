import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SourceFile } from './source-file.ts';

/** What the rules read of a package.json. */
export interface PackageManifest {
  /** The folder's name under `packages/`. */
  readonly folder: string;
  readonly path: string;
  readonly name: string;
  readonly dependencies: readonly string[];
  /** The entry points, for example `.` and `./testing`. */
  readonly entries: readonly string[];
  /** Entry point to source file, relative to the repository. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Every file that belongs to the repository, read once. */
export class Repository {
  readonly files: readonly SourceFile[];
  readonly packages: ReadonlyMap<string, PackageManifest>;
  /** The development dependencies of the root, which every test and tool may use. */
  readonly rootDependencies: readonly string[];
  readonly #byPath: ReadonlyMap<string, SourceFile>;

  constructor(files: readonly SourceFile[]) {
    this.files = files;
    this.#byPath = new Map(files.map((file) => [file.path, file]));
    this.packages = new Map(files.filter(isManifest).map((file) => [folderOf(file), toManifest(file)]));
    const root = this.file('package.json');
    this.rootDependencies = root ? dependencyNames(JSON.parse(root.text)) : [];
  }

  file(path: string): SourceFile | undefined {
    return this.#byPath.get(path);
  }
}

/** Reads what git tracks, and what it would track: files that are new and not ignored. */
export function readRepository(root: string): Repository {
  const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (listed.status !== 0)
    throw new Error(`tidy asks git for the files of the repository, and git failed: ${listed.stderr}`);
  const paths = [...new Set(listed.stdout.split('\0'))].filter((path) => path !== '' && existsSync(join(root, path)));
  return new Repository(paths.sort().map((path) => new SourceFile(path, readFileSync(join(root, path), 'utf8'))));
}

function isManifest(file: SourceFile): boolean {
  return /^packages\/[^/]+\/package\.json$/.test(file.path);
}

function folderOf(file: SourceFile): string {
  return file.packageName ?? '';
}

function toManifest(file: SourceFile): PackageManifest {
  const json = JSON.parse(file.text) as { name?: string; exports?: Record<string, unknown> };
  const folder = folderOf(file);
  const exported = Object.entries(json.exports ?? {});
  return {
    folder,
    path: file.path,
    name: json.name ?? '',
    dependencies: dependencyNames(json),
    entries: exported.map(([entry]) => entry),
    sources: new Map(exported.map(([entry, target]) => [entry, `packages/${folder}/${sourceOf(target)}`])),
  };
}

function sourceOf(target: unknown): string {
  const source = typeof target === 'object' && target !== null ? Reflect.get(target, 'switchyard-source') : target;
  return String(source).replace(/^\.\//, '');
}

function dependencyNames(manifest: object): string[] {
  return ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap((key) =>
    Object.keys((Reflect.get(manifest, key) as object | undefined) ?? {}),
  );
}
