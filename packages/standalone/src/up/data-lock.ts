import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { standaloneErrors } from '../errors.ts';

/** SQLITE_BUSY: somebody else holds the file. */
const busy = 5;

/**
 * Keeps a second installation out of a data folder until the answered function is called, or this process ends in whatever
 * way: the operating system holds the lock.
 * @throws PlatformError DATA_FOLDER_IN_USE
 */
export function lockDataFolder(path: string): () => void {
  const database = new DatabaseSync(join(path, 'lock.sqlite'), { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === busy) throw standaloneErrors.create('DATA_FOLDER_IN_USE', { path });
    throw error;
  }
  return () => database.close();
}
