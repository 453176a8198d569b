/** Reads a file of settings: YAML, and JSON, which is YAML too. */
import { agentErrors } from '../errors.ts';
import { settingPaths } from './agent-settings.ts';

/** What a file says. */
export interface SettingsFile {
  readonly name: string;
  /** Values by the paths of settings; whether they can be used is still to be seen. */
  readonly values: readonly (readonly [path: string, value: unknown])[];
}

/** More than this in one file is no configuration. */
const maxFileCharacters = 1_000_000;

/** Reads a file. Rejects with AGENT_CONFIG_INVALID for one that is no YAML, or names settings that there are not. */
export async function readSettingsFile(name: string, text: string): Promise<SettingsFile> {
  // Most agents have no file, and would carry the reader along for nothing.
  const { isMap, parseDocument } = await import('yaml');
  const invalid = (problem: string): Error => agentErrors.create('AGENT_CONFIG_INVALID', { where: name, problem });
  if (text.length > maxFileCharacters) throw invalid(`it holds more than ${maxFileCharacters} characters`);
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw invalid((error.message.split('\n')[0] ?? '').replace(/[:.]$/, ''));
  if (document.contents === null) return { name, values: [] };
  if (!isMap(document.contents)) throw invalid('it must hold settings by name');
  const leaves = flatten(document.toJS({ mapAsMap: true }) as ReadonlyMap<unknown, unknown>, '');
  const unknown = leaves.find(([path]) => !settingPaths.includes(path));
  if (unknown === undefined) return { name, values: leaves };
  const group = settingPaths.filter((path) => path.startsWith(`${unknown[0]}.`));
  if (group.length > 0) throw invalid(`'${unknown[0]}' must hold ${group.join(', ')}`);
  throw invalid(`there is no setting '${unknown[0].slice(0, 80)}'`);
}

/** Groups are maps; an empty value leaves a setting as it is. */
function flatten(map: ReadonlyMap<unknown, unknown>, prefix: string): (readonly [string, unknown])[] {
  return [...map].flatMap(([key, value]) => {
    const path = `${prefix}${String(key)}`;
    if (value === null)
      return settingPaths.some((known) => known === path || known.startsWith(`${path}.`))
        ? []
        : [[path, value] as const];
    const isGroup = value instanceof Map && !settingPaths.includes(path);
    return isGroup && value.size > 0 ? flatten(value, `${path}.`) : [[path, value] as const];
  });
}
