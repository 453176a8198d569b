/** local.settings.json, as `func settings` reads and changes it: what it does not know stays. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { isJsonObject, type JsonObject, parseJsonText } from '@switchyard/model';
import { cliErrors } from '../errors.ts';

/** The part of the file that a setting stands in. */
export type SettingsSection = 'Values' | 'ConnectionStrings';

/** Settings by name, in their order. */
export type SettingsMap = Map<string, unknown>;

const fileName = 'local.settings.json';

/** The settings of a section. Throws LOCAL_SETTINGS_UNUSABLE. */
export async function readSettings(directory: string, section: SettingsSection): Promise<SettingsMap> {
  const { content } = await readFileOf(directory);
  return sectionOf(content, section);
}

/**
 * Changes the settings of a section and writes the file. Throws LOCAL_SETTINGS_UNUSABLE, also for a file with comments, which
 * would be lost.
 */
export async function changeSettings(
  directory: string,
  section: SettingsSection,
  change: (settings: SettingsMap) => void,
): Promise<void> {
  const { path, text, content } = await readFileOf(directory);
  if (!isPlainJson(text)) throw unusable(path, 'it holds comments, which would be lost; edit it by hand');
  const settings = sectionOf(content, section);
  change(settings);
  const changed = Object.fromEntries([...Object.entries(content), [section, Object.fromEntries(settings)]]);
  await writeFile(path, `${JSON.stringify(changed, undefined, 2)}\n`).catch((error: unknown) => {
    throw cliErrors.create('FOLDER_UNWRITABLE', { path, reason: messageOf(error) }, error);
  });
}

interface SettingsFile {
  readonly path: string;
  readonly text: string;
  readonly content: JsonObject;
}

async function readFileOf(directory: string): Promise<SettingsFile> {
  const path = join(directory, fileName);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const isAbsent = error.code === 'ENOENT';
    throw unusable(path, isAbsent ? 'it is not there; make an app with func init' : messageOf(error), error);
  });
  const content = parseJsonText(text, path);
  if (!isJsonObject(content)) throw unusable(path, 'it holds no JSON object');
  if (content.IsEncrypted === true) throw unusable(path, 'its values are encrypted, which Switchyard cannot read');
  return { path, text, content };
}

function sectionOf(content: JsonObject, section: SettingsSection): SettingsMap {
  const settings = content[section];
  return new Map(isJsonObject(settings) ? Object.entries(settings) : []);
}

function isPlainJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return true;
  } catch {
    return false;
  }
}

function unusable(path: string, reason: string, cause?: unknown): Error {
  return cliErrors.create('LOCAL_SETTINGS_UNUSABLE', { path, reason }, cause);
}
