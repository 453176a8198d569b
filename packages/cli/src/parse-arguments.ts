import type { Command, FlagDefinition, FlagSet, FlagValues } from './command.ts';
import { nearest } from './suggestion.ts';

/** What a command line says. */
export type ParsedArguments<Flags extends FlagSet> =
  | { readonly kind: 'parsed'; readonly positionals: readonly string[]; readonly flags: FlagValues<Flags> }
  | { readonly kind: 'help' }
  /** It cannot be understood; the message names the word and the fix. */
  | { readonly kind: 'wrong'; readonly message: string };

type FlagValue = string | number | boolean;
type Reading<T> = { readonly kind: 'read'; readonly value: T } | { readonly kind: 'wrong'; readonly message: string };

const wrong = (message: string): { readonly kind: 'wrong'; readonly message: string } => ({ kind: 'wrong', message });

/**
 * Reads what follows a command's name: `--flag value`, `--flag=value`, `-f value`, positionals, and `--` before
 * positionals that begin with a dash. Every flag at most once; nothing unknown is let through.
 */
export function parseArguments<Flags extends FlagSet>(
  command: Command<Flags>,
  words: readonly string[],
): ParsedArguments<Flags> {
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
    if (given.has(flag.value.name)) return wrong(`--${flag.value.name} is given twice. Give it once.`);
    given.set(flag.value.name, flag.value.value);
    if (flag.value.tookNext) at += 1;
  }
  const excess = positionals[command.positional?.maximum ?? 0];
  if (excess !== undefined) return wrong(excessMessage(command, excess));
  const flags = Object.entries(command.flags).map(([name, definition]) => [
    name,
    given.get(name) ?? (definition.kind === 'switch' ? false : undefined),
  ]);
  return { kind: 'parsed', positionals, flags: Object.fromEntries(flags) };
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
  if (definition.kind === 'switch') {
    if (equals >= 0) return wrong(`--${name} takes no value. Leave '${word.slice(equals)}' out.`);
    return { kind: 'read', value: { name, value: true, tookNext: false } };
  }
  const text = equals < 0 ? next : word.slice(equals + 1);
  if (text === undefined || text === '' || (equals < 0 && /^--?[a-z]/i.test(text)))
    return wrong(`--${name} needs a value: --${name} ${definition.placeholder}.`);
  const value = readValue(name, definition, text);
  return value.kind === 'wrong' ? value : { kind: 'read', value: { name, value: value.value, tookNext: equals < 0 } };
}

function nameOf(command: Command, written: string): string | undefined {
  if (written.startsWith('--')) {
    const name = written.slice(2);
    return Object.hasOwn(command.flags, name) ? name : undefined;
  }
  return Object.entries(command.flags).find(([, { short }]) => short !== undefined && written === `-${short}`)?.[0];
}

function readValue(
  name: string,
  definition: Exclude<FlagDefinition, { kind: 'switch' }>,
  text: string,
): Reading<string | number> {
  if (definition.kind === 'text') return { kind: 'read', value: text };
  const { minimum, maximum } = definition;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= minimum && number <= maximum) return { kind: 'read', value: number };
  return wrong(`--${name} must be a whole number from ${minimum} to ${maximum}, not '${text}'.`);
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
  return `'${excess}' is too much: 'switchyard ${command.name}' ${takes}.`;
}
