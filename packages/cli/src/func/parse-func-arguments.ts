import { type Reading, wrong } from '../read-value.ts';
import { nearest } from '../suggestion.ts';
import type { FuncFlag, FuncFlagSet, FuncInput } from './func-verb.ts';

/** What a command line of `func` says. */
export type ParsedFuncArguments =
  | ({ readonly kind: 'parsed'; readonly ignored: readonly string[] } & FuncInput)
  | { readonly kind: 'help' }
  /** It cannot be understood; the message names the word and the fix. */
  | { readonly kind: 'wrong'; readonly message: string };

type Value = string | boolean | readonly string[];

/** Words that ask for help. */
const helpWords: ReadonlySet<string> = new Set(['--help', '-h', '-?', '--h', '--?']);

/** What a switch may be followed by. */
const switchWords: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

/**
 * Reads the words behind a verb as the official tools do: flags in any case, values after a blank, `=` or `:`, switches
 * with or without `true` and `false`, lists up to the next flag. What a flag that is given twice says last, counts.
 */
export function parseFuncArguments(verb: string, flags: FuncFlagSet, words: readonly string[]): ParsedFuncArguments {
  const reader = new WordReader(flags, words);
  const given = new Map<string, Value>();
  const positionals: string[] = [];
  const ignored = new Set<string>();
  for (let word = reader.take(); word !== undefined; word = reader.take()) {
    if (helpWords.has(word.toLowerCase())) return { kind: 'help' };
    if (word === '--') continue;
    if (!word.startsWith('-')) {
      positionals.push(word);
      continue;
    }
    const [written = '', attached] = splitValue(word);
    const name = findFlag(flags, written);
    const flag = name === undefined ? undefined : flags[name];
    if (name === undefined || flag === undefined) return wrong(unknownMessage(verb, flags, written));
    const value = reader.readValue(written, flag, attached);
    if (value.kind === 'wrong') return value;
    if (flag.ignored) ignored.add(`--${name}`);
    else given.set(name, value.value);
  }
  return { kind: 'parsed', positionals, given, ignored: [...ignored] };
}

class WordReader {
  readonly #flags: FuncFlagSet;
  readonly #words: readonly string[];
  #at = 0;

  constructor(flags: FuncFlagSet, words: readonly string[]) {
    this.#flags = flags;
    this.#words = words;
  }

  take(): string | undefined {
    const word = this.#words[this.#at];
    this.#at += 1;
    return word;
  }

  readValue(written: string, flag: FuncFlag, attached: string | undefined): Reading<Value> {
    switch (flag.takes) {
      case 'nothing':
        return this.#readSwitch(written, attached);
      case 'value': {
        const text = attached ?? this.#takeWhile((word) => !word.startsWith('-'), 1)[0];
        return text === undefined || text === '' ? missing(written, flag) : { kind: 'read', value: text };
      }
      case 'list': {
        const rest = this.#takeWhile((word) => !word.startsWith('-'));
        const list = attached === undefined ? rest : [attached, ...rest];
        return list.length === 0 ? missing(written, flag) : { kind: 'read', value: list };
      }
      case 'raw':
        return this.#readRaw(written, flag, attached);
    }
  }

  #readSwitch(written: string, attached: string | undefined): Reading<Value> {
    const text = attached ?? this.#takeWhile((word) => switchWords.has(word.toLowerCase()), 1)[0] ?? 'true';
    const value = switchWords.get(text.toLowerCase());
    return value === undefined ? wrong(`${written} takes true or false, not '${text}'.`) : { kind: 'read', value };
  }

  /** `--flag "--a --b"`, `--flag=--a`, or `--flag -- --a --b`; flags of ours end it. */
  #readRaw(written: string, flag: FuncFlag, attached: string | undefined): Reading<Value> {
    if (attached !== undefined) return { kind: 'read', value: attached };
    const hasDashes = this.#takeWhile((word) => word === '--', 1).length === 1;
    const isForeign = (word: string): boolean => findFlag(this.#flags, splitValue(word)[0] ?? '') === undefined;
    const text = this.#takeWhile(isForeign, hasDashes ? undefined : 1).join(' ');
    return text === '' ? missing(written, flag) : { kind: 'read', value: text };
  }

  #takeWhile(isWanted: (word: string) => boolean, limit = Number.POSITIVE_INFINITY): string[] {
    const taken: string[] = [];
    for (let word = this.#words[this.#at]; word !== undefined && taken.length < limit; word = this.#words[this.#at]) {
      if (!isWanted(word)) break;
      taken.push(word);
      this.#at += 1;
    }
    return taken;
  }
}

/** The flag and what is attached to it. */
function splitValue(word: string): readonly [string, string?] {
  const end = word.search(/[=:]/);
  return end < 0 ? [word] : [word.slice(0, end), word.slice(end + 1)];
}

function findFlag(flags: FuncFlagSet, written: string): string | undefined {
  const wanted = written.toLowerCase();
  const found = Object.entries(flags).find(
    ([name, { short }]) => wanted === `--${name.toLowerCase()}` || (short !== undefined && wanted === `-${short}`),
  );
  return found?.[0];
}

function missing(written: string, { placeholder = 'VALUE' }: FuncFlag): Reading<never> {
  return wrong(`${written} needs a value: ${written} ${placeholder}.`);
}

function unknownMessage(verb: string, flags: FuncFlagSet, written: string): string {
  const meant = nearest(written.replace(/^-+/, ''), [...Object.keys(flags), 'help']);
  const hint = meant === undefined ? '' : ` Did you mean --${meant}?`;
  return `There is no flag '${written}'.${hint} 'func ${verb} --help' lists all.`;
}
