/** What `settings` sends and shows. Values are never quoted in messages. */
import {
  type PatchSettings,
  patchSettingsSchema,
  type SettingsView,
  settingNameSchema,
} from '@switchyard/protocol/control-api';
import type { CommandContext } from '../command.ts';
import { controlErrors } from './errors.ts';
import { readInput } from './read-input.ts';
import { count, toTable } from './table.ts';

export type SettingsAction = 'list' | 'set' | 'unset';

/** The change that the words ask for; undefined for none. Rejects with what is wrong with one of them. */
export async function toPatch(
  action: SettingsAction,
  words: readonly string[],
  context: CommandContext,
  signal: AbortSignal,
): Promise<PatchSettings | undefined> {
  const [first] = words;
  switch (action) {
    case 'list':
      if (first === undefined) return undefined;
      throw controlErrors.create('ARGUMENT_UNEXPECTED', {
        word: first.slice(0, 80),
        usage: 'switchyard settings <app> list',
      });
    case 'unset':
      if (first === undefined) throw missing('NAME', 'unset');
      for (const name of words) checkSettings({ remove: [name] }, name);
      return { remove: [...words] };
    case 'set': {
      if (first === undefined) throw missing('NAME=VALUE', 'set');
      const set = await readAssignments(words, context, signal);
      for (const [name, value] of set) checkSettings({ set: Object.fromEntries([[name, value]]) }, name);
      return { set: Object.fromEntries(set) };
    }
  }
}

/** Throws SETTING_INVALID for the first setting that the platform would not take. */
export function checkSettings(patch: PatchSettings, name: string): void {
  const problems = [settingNameSchema.safeParse(name).error, patchSettingsSchema.safeParse(patch).error];
  const issue = problems.find((error) => error !== undefined)?.issues[0];
  if (issue !== undefined) throw invalid(name, issue.message);
}

async function readAssignments(
  words: readonly string[],
  context: CommandContext,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const set = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf('=');
    // The whole word may be a value whose name was forgotten.
    if (equals < 0) throw invalid(/^[A-Za-z_][\w.:-]*$/.test(word) ? word : '***', 'it has no value');
    const name = word.slice(0, equals);
    if (set.has(name)) throw invalid(name, 'it is given twice');
    set.set(name, await readValue(word.slice(equals + 1), context, signal));
  }
  return set;
}

/** Files and pipes end with a line break that is no part of the value. */
async function readValue(text: string, context: CommandContext, signal: AbortSignal): Promise<string> {
  const value = (await readInput(text, context, signal)).toString('utf8');
  return text.startsWith('@') && !text.startsWith('@@') ? value.replace(/\r?\n$/, '') : value;
}

function invalid(name: string, reason: string): Error {
  return controlErrors.create('SETTING_INVALID', { name: name.slice(0, 80), reason });
}

function missing(what: string, action: SettingsAction): Error {
  const usage = `switchyard settings <app> ${action} ${what} ...`;
  return controlErrors.create('ARGUMENT_MISSING', { what, usage, fix: "'switchyard settings --help' tells more." });
}

/** A table of names and values. */
export function describeSettings(app: string, { settings }: SettingsView): string {
  if (settings.length === 0) return `App '${app}' has no settings.\n`;
  return toTable(
    ['NAME', 'VALUE'],
    settings.map(({ name, value }) => [name, value]),
  );
}

/** What was changed, in a sentence. */
export function describeChange(app: string, { set = {}, remove = [] }: PatchSettings): string {
  const done = [
    ...(Object.keys(set).length === 0 ? [] : [`Set ${count(Object.keys(set).length, 'setting')}`]),
    ...(remove.length === 0 ? [] : [`Removed ${count(remove.length, 'setting')}`]),
  ];
  return `${done.join(', ')} of app '${app}'.\n`;
}
