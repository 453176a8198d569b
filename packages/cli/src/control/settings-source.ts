import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { parseLocalSettings } from '@switchyard/model';
import { checkSettings } from './change-settings.ts';
import { controlErrors } from './errors.ts';

/**
 * The settings that a file like local.settings.json names. A path that is not there from the working directory is looked
 * for in the app's folder. Rejects with INPUT_UNREADABLE, SETTING_INVALID, or what is wrong with the file.
 */
export async function readSettingsFile(
  path: string,
  workingDirectory: string,
  appDirectory: string,
): Promise<ReadonlyMap<string, string>> {
  const here = resolve(workingDirectory, path);
  const { settings } = await readFrom(here)
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return readFrom(resolve(appDirectory, path));
      throw error;
    })
    .catch((error: NodeJS.ErrnoException) => {
      // Only what the file system says has a system call.
      if (error.syscall === undefined) throw error;
      const details = { path: here, reason: messageOf(error), hint: ' with --settings-from' };
      throw controlErrors.create('INPUT_UNREADABLE', details, error);
    });
  for (const [name, value] of settings) checkSettings({ set: Object.fromEntries([[name, value]]) }, name);
  return settings;
}

async function readFrom(path: string) {
  return parseLocalSettings(await readFile(path, 'utf8'), path);
}
