/**
 * The folder in which `switchyard dev` keeps keys, timer states and stored data.
 *
 * I1 It is made when it is first needed, and not before.
 * I2 Version control does not see it: it holds secrets, and it usually stands inside the app's folder.
 */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { standaloneErrors } from '../errors.ts';

/** Nobody but the owner looks inside. */
const privateFolderMode = 0o700;

export class DataFolder {
  readonly path: string;
  #prepared: Promise<void> | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder unless it is there. Rejects with DATA_FOLDER_UNWRITABLE; a later call tries again. */
  prepare(): Promise<void> {
    this.#prepared ??= makeFolder(this.path).catch((error: unknown) => {
      this.#prepared = undefined;
      throw standaloneErrors.create('DATA_FOLDER_UNWRITABLE', { path: this.path, reason: messageOf(error) }, error);
    });
    return this.#prepared;
  }

  /** The path of something that can be done without; undefined where the folder cannot be written. */
  folderFor(...names: readonly string[]): Promise<string | undefined> {
    return this.prepare().then(
      () => join(this.path, ...names),
      () => undefined,
    );
  }
}

async function makeFolder(path: string): Promise<void> {
  await makePath(path);
  await writeFile(join(path, '.gitignore'), '*\n', { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/**
 * Makes the folder and those above it. Not by `recursive`: below a folder in which nothing can ever be made, such as /proc,
 * Node.js tries that without an end, because what it hears there is that something above is missing.
 */
async function makePath(path: string): Promise<void> {
  const outcome = await makeOne(path);
  if (outcome === undefined) return;
  if (outcome.code !== 'ENOENT' || dirname(path) === path) throw outcome;
  await makePath(dirname(path));
  const again = await makeOne(path);
  if (again !== undefined) throw again;
}

/** What is in the way; undefined when the folder is there now. */
async function makeOne(path: string): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await mkdir(path, { mode: privateFolderMode });
    return undefined;
  } catch (error) {
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    return isThere ? undefined : (error as NodeJS.ErrnoException);
  }
}
