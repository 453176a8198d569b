import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { packingErrors } from './errors.ts';
import { packingLimits } from './limits.ts';

/**
 * The text of a small file of an app, or undefined when there is none. Rejects with PACK_FILE_UNREADABLE, also when it
 * is a folder or far larger than such a file should be.
 */
export async function readConfigurationText(directory: string, name: string): Promise<string | undefined> {
  const path = join(directory, name);
  try {
    const { size } = await stat(path);
    if (size > packingLimits.maxConfigurationBytes)
      throw new Error(`it has ${size} bytes, more than ${packingLimits.maxConfigurationBytes}`);
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw packingErrors.create('PACK_FILE_UNREADABLE', { path, reason: messageOf(error) }, error);
  }
}
