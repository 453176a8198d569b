/** `func settings`: what stands in local.settings.json. */
import { resolve } from 'node:path';
import type { CommandContext } from '../command.ts';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { commonFlags, type FuncFlagSet, type FuncInput, type FuncVerb, isOn, textOf } from './func-verb.ts';
import { changeSettings, readSettings, type SettingsSection } from './settings-file.ts';

const sectionFlag: FuncFlagSet = {
  connectionString: { takes: 'nothing', summary: 'means a connection string and not a setting' },
};
const nameWord = { name: 'name', summary: "the setting's name", isRequired: true } as const;

const listSettings: FuncVerb = {
  names: ['settings list', 'settings ls'],
  summary: 'Lists the settings of local.settings.json.',
  flags: { showValue: { short: 'a', takes: 'nothing', summary: 'shows the values, too' }, ...commonFlags },
  async run(input, context) {
    const directory = directoryOf(input, context);
    for (const [section, title] of Object.entries(titles)) {
      const settings = await readSettings(directory, section as SettingsSection);
      context.stdout.write(`${title}:\n`);
      for (const [name, value] of settings) {
        const shown = typeof value === 'string' ? value : JSON.stringify(value);
        context.stdout.write(`  ${name} = ${isOn(input, 'showValue') ? shown : '***'}\n`);
      }
    }
    return exitCodes.done.code;
  },
};

const addSetting: FuncVerb = {
  names: ['settings add', 'settings set'],
  summary: 'Sets a setting in local.settings.json.',
  positionals: [nameWord, { name: 'value', summary: 'its value', isRequired: true }],
  flags: { ...sectionFlag, ...commonFlags },
  async run(input, context) {
    const { stdout } = context;
    const usage = 'func settings add NAME VALUE';
    const [name, value] = [wordOf(input, 0, usage), wordOf(input, 1, usage)];
    await changeSettings(directoryOf(input, context), sectionOf(input), (settings) => settings.set(name, value));
    stdout.write(`Set ${name} in local.settings.json.\n`);
    return exitCodes.done.code;
  },
};

const deleteSetting: FuncVerb = {
  names: ['settings delete', 'settings remove'],
  summary: 'Removes a setting from local.settings.json.',
  positionals: [nameWord],
  flags: { ...sectionFlag, ...commonFlags },
  async run(input, context) {
    const { stdout } = context;
    const name = wordOf(input, 0, 'func settings delete NAME');
    await changeSettings(directoryOf(input, context), sectionOf(input), (settings) => settings.delete(name));
    stdout.write(`Removed ${name} from local.settings.json.\n`);
    return exitCodes.done.code;
  },
};

/** The verbs, in the order of the help. */
export const settingsVerbs: readonly FuncVerb[] = [listSettings, addSetting, deleteSetting];

const titles: Readonly<Record<SettingsSection, string>> = {
  Values: 'App Settings',
  ConnectionStrings: 'Connection Strings',
};

function directoryOf(input: FuncInput, { workingDirectory }: CommandContext): string {
  return resolve(workingDirectory, textOf(input, 'script-root') ?? textOf(input, 'prefix') ?? '.');
}

function sectionOf(input: FuncInput): SettingsSection {
  return isOn(input, 'connectionString') ? 'ConnectionStrings' : 'Values';
}

function wordOf({ positionals }: FuncInput, index: number, usage: string): string {
  const word = positionals[index];
  if (word === undefined) throw cliErrors.create('FLAG_INVALID', { problem: `A word is missing: ${usage}.` });
  return word;
}
