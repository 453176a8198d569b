/** What the `func` command understands: the verbs and flags of the official tools, as data. */
import type { CommandContext } from '../command.ts';

export interface FuncFlag {
  readonly short?: string;
  /** `nothing`: a switch; `list`: every word up to the next flag; `raw`: words that may look like flags, after `--`. */
  readonly takes: 'nothing' | 'value' | 'list' | 'raw';
  readonly placeholder?: string;
  /** Accepted so that command lines run unchanged; it changes nothing, and a warning says so. */
  readonly ignored?: true;
  readonly summary: string;
}

/** Flags by name, without the dashes, as the official tools spell them. */
export type FuncFlagSet = Readonly<Record<string, FuncFlag>>;

/** A command line of `func`, understood. */
export interface FuncInput {
  readonly positionals: readonly string[];
  /** Values of the flags that were given and that mean something; a switch has `true` or `false`. */
  readonly given: ReadonlyMap<string, string | boolean | readonly string[]>;
}

/** A word that means something by its place. */
export interface FuncWord {
  readonly name: string;
  readonly summary: string;
  readonly isRequired?: true;
}

export interface FuncVerb {
  /** Ways to write it, the usual one first: `start`, `host start`. */
  readonly names: readonly string[];
  readonly summary: string;
  /** Words without a flag, in their order. */
  readonly positionals?: readonly FuncWord[];
  readonly flags: FuncFlagSet;
  /** Returns the exit code. A PlatformError that it throws is shown, and gives the exit code. */
  run(input: FuncInput, context: CommandContext): Promise<number>;
}

/** Languages that the official tools name by a switch, with the value of FUNCTIONS_WORKER_RUNTIME that each means. */
export const languageSwitches: Readonly<Record<string, string>> = {
  node: 'node',
  javascript: 'node',
  typescript: 'node',
  python: 'python',
  java: 'java',
  powershell: 'powershell',
  custom: 'custom',
  dotnet: 'dotnet',
  csharp: 'dotnet',
  'dotnet-isolated': 'dotnet-isolated',
  go: 'native',
  golang: 'native',
};

/** The language switches as flags. */
export function languageFlags(): FuncFlagSet {
  return Object.fromEntries(
    Object.keys(languageSwitches).map((name) => [name, { takes: 'nothing', summary: `takes the app for ${name}` }]),
  );
}

/** Flags that every verb of the official tools takes. */
export const commonFlags: FuncFlagSet = {
  'script-root': { takes: 'value', placeholder: 'FOLDER', summary: 'works in this folder' },
  prefix: { takes: 'value', placeholder: 'FOLDER', summary: 'the same as --script-root' },
  verbose: { takes: 'nothing', summary: 'shows what the host itself does' },
  offline: { takes: 'nothing', summary: 'uses no network, which Switchyard never does' },
  'pause-on-error': { takes: 'nothing', ignored: true, summary: 'waits for a key after an error' },
  debug: { takes: 'nothing', ignored: true, summary: 'shows stacks of errors' },
};

/** The text of a flag that takes a value. */
export function textOf({ given }: FuncInput, name: string): string | undefined {
  const value = given.get(name);
  return typeof value === 'string' ? value : undefined;
}

/** True when a switch is on. */
export function isOn({ given }: FuncInput, name: string): boolean {
  return given.get(name) === true;
}
