import { access, constants, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { standaloneErrors } from '../errors.ts';
import { hasFunctionFiles } from './function-files.ts';

/** Any of these in a folder makes it a function app. */
const markers = ['host.json', 'local.settings.json'];

/** Makes sure that a path is the folder of a function app. Rejects with what is wrong with it. */
export async function requireAppFolder(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw standaloneErrors.create('APP_FOLDER_MISSING', { path });
    throw unreadable(path, error);
  });
  if (!found.isDirectory()) throw standaloneErrors.create('APP_FOLDER_IS_A_FILE', { path });
  await access(path, constants.R_OK | constants.X_OK).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!(await isApp(path))) throw standaloneErrors.create('APP_FOLDER_IS_NO_APP', { path });
}

/** True when the folder holds what a function app consists of. */
export async function isApp(path: string): Promise<boolean> {
  const present = await Promise.all(markers.map((name) => exists(join(path, name))));
  return present.includes(true) || hasFunctionFiles(path);
}

/** The text of a file of the app, or undefined when the app has none. */
export async function readAppFile(path: string, name: string): Promise<string | undefined> {
  return readFile(join(path, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unreadable(join(path, name), error);
  });
}

/** True when there is such a file or folder. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function unreadable(path: string, error: unknown): Error {
  return standaloneErrors.create('APP_FOLDER_UNREADABLE', { path, reason: messageOf(error) }, error);
}
