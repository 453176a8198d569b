import type { Command, FlagDefinition, FlagValue } from './command.ts';
import { type Reading, readValue, wrong } from './read-value.ts';
import { nearest } from './suggestion.ts';

/** What a command line says. */
export type ParsedArguments =
  | ({ readonly kind: 'parsed' } & GivenArguments)
  | { readonly kind: 'help' }
  /** It cannot be understood; the message names the word and the fix. */
  | { readonly kind: 'wrong'; readonly message: string };

/** The words of a command line, understood. */
export interface GivenArguments {
  readonly positionals: readonly string[];
  /** The flags that were given, by name. */
  readonly given: ReadonlyMap<string, FlagValue>;
}

/**
 * Reads what follows a command's name: `--flag value`, `--flag=value`, `-f value`, positionals, and `--` before
 * positionals that begin with a dash. Every flag at most once, unless it is a list; nothing unknown is let through. A switch that is
 * configured is taken back with `--flag=false`.
 */
export function parseArguments(command: Command, words: readonly string[]): ParsedArguments {
  const given = new Map<string, FlagValue>();
  const positionals: string[] = [];
  let flagsOver = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (flagsOver || word === '-' || !word.startsWith('-')) {
      positionals.push(word);
      continue;
    }
    if (word === '--') {
      flagsOver = true;
      continue;
    }
    if (word === '--help' || word === '-h') return { kind: 'help' };
    const flag = readFlag(command, word, words[at + 1]);
    if (flag.kind === 'wrong') return flag;
    const { name, value } = flag.value;
    const before = given.get(name);
    if (before === undefined) given.set(name, value);
    else if (Array.isArray(before) && Array.isArray(value)) given.set(name, [...before, ...value]);
    else return wrong(`--${name} is given twice. Give it once.`);
    if (flag.value.tookNext) at += 1;
  }
  const excess = positionals[command.positional?.maximum ?? 0];
  if (excess !== undefined) return wrong(excessMessage(command, excess));
  return { kind: 'parsed', positionals, given };
}

interface ReadFlag {
  readonly name: string;
  readonly value: FlagValue;
  /** True when the value was the next word. */
  readonly tookNext: boolean;
}

function readFlag(command: Command, word: string, next: string | undefined): Reading<ReadFlag> {
  const equals = word.indexOf('=');
  const written = equals < 0 ? word : word.slice(0, equals);
  const name = nameOf(command, written);
  const definition = name === undefined ? undefined : command.flags[name];
  if (name === undefined || definition === undefined) return wrong(unknownMessage(command, written));
  if (definition.kind === 'switch') return readSwitch(name, equals < 0 ? undefined : word.slice(equals + 1));
  const text = equals < 0 ? next : word.slice(equals + 1);
  if (text === undefined || text === '' || (equals < 0 && /^--?[a-z]/i.test(text)))
    return wrong(`--${name} needs a value: --${name} ${definition.placeholder}.`);
  const value = readValue(`--${name}`, definition, text);
  return value.kind === 'wrong' ? value : { kind: 'read', value: { name, value: value.value, tookNext: equals < 0 } };
}

/** A switch needs no value; `=true` and `=false` are understood, everything else is a mistake. */
function readSwitch(name: string, text: string | undefined): Reading<ReadFlag> {
  if (text !== undefined && text !== 'true' && text !== 'false')
    return wrong(`--${name} takes no value. Leave '=${text}' out.`);
  return { kind: 'read', value: { name, value: text !== 'false', tookNext: false } };
}

function nameOf(command: Command, written: string): string | undefined {
  if (written.startsWith('--')) {
    const name = written.slice(2);
    return Object.hasOwn(command.flags, name) ? name : undefined;
  }
  const isMeant = ({ short }: FlagDefinition): boolean => short !== undefined && written === `-${short}`;
  return Object.entries(command.flags).find(([, definition]) => isMeant(definition))?.[0];
}

function unknownMessage(command: Command, written: string): string {
  const visible = Object.entries(command.flags).filter(([, { hidden }]) => hidden !== true);
  const meant = nearest(written.replace(/^-+/, ''), [...visible.map(([name]) => name), 'help']);
  const hint = meant === undefined ? '' : ` Did you mean --${meant}?`;
  return `There is no flag '${written}'.${hint} 'switchyard ${command.name} --help' lists all.`;
}

function excessMessage(command: Command, excess: string): string {
  const { positional } = command;
  const takes =
    positional === undefined
      ? 'takes nothing but flags'
      : `takes at most ${positional.maximum} ${positional.name}${positional.maximum === 1 ? '' : 's'}`;
  return positional?.usage === undefined
    ? `'${excess}' is too much: 'switchyard ${command.name}' ${takes}.`
    : `'${excess}' is too much: switchyard ${command.name} ${positional.usage}.`;
}
