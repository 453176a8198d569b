import { lstat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { cliErrors } from '../errors.ts';
import { makeFolder } from './make-folder.ts';

export interface TemplateFile {
  /** Relative to the app's folder, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface WriteFilesOptions {
  /** What to do when a file is there already; it is never overwritten. */
  readonly existing: 'refuse' | 'keep';
  /** What the user may choose anew when files are there already: a folder, or a name. */
  readonly what: string;
}

/** Paths, as the template has them. */
export interface WrittenFiles {
  readonly written: readonly string[];
  /** Those that were there already. */
  readonly kept: readonly string[];
}

/**
 * Writes files below a folder, which is made when it is missing. Rejects
 * with FILE_EXISTS before anything is written, or with FOLDER_UNWRITABLE.
 */
export async function writeFiles(
  directory: string,
  files: readonly TemplateFile[],
  { existing, what }: WriteFilesOptions,
): Promise<WrittenFiles> {
  const present = await Promise.all(files.map(({ path }) => isPresent(join(directory, path))));
  const first = files[present.indexOf(true)];
  if (first !== undefined && existing === 'refuse')
    throw cliErrors.create('FILE_EXISTS', { path: join(directory, first.path), what });
  const wanted = files.filter((_file, index) => present[index] === false);
  for (const { path, text } of wanted) await writeOne(join(directory, path), text);
  const kept = files.filter((file) => !wanted.includes(file));
  return { written: wanted.map(({ path }) => path), kept: kept.map(({ path }) => path) };
}

/** A link that leads nowhere is something, too. */
async function isPresent(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function writeOne(path: string, text: string): Promise<void> {
  try {
    await makeFolder(dirname(path));
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    throw cliErrors.create('FOLDER_UNWRITABLE', { path, reason: messageOf(error) }, error);
  }
}
