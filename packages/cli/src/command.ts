/** What a command is: data that the parser, the help and the registry read, and one function that runs it. */

/** Takes finished text. */
export interface TextSink {
  write(text: string): unknown;
}

/** Bytes that come in: what the process reads on its standard input. */
export type TextSource = AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };

/** What a command gets of the process that it runs in. */
export interface CommandContext {
  /** Read by commands that are asked to; reading it keeps the process alive. */
  readonly stdin?: TextSource;
  readonly stdout: TextSink & { readonly isTTY?: boolean };
  readonly stderr: TextSink;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** The program and the first arguments of this command, for a process that is to run another one. */
  readonly commandLine?: readonly string[];
  /** Calls back once, when the user or the machine first asks the process to stop. */
  onStopRequest(callback: (reason: string) => void): void;
}

export type FlagDefinition = {
  readonly summary: string;
  /** One letter for a single dash. */
  readonly short?: string;
  /** Works, and the help does not show it. */
  readonly hidden?: boolean;
  /** What holds when nobody says anything, in words. */
  readonly fallback?: string;
} & (
  | { readonly kind: 'switch' }
  | { readonly kind: 'text'; readonly placeholder: string }
  | {
      readonly kind: 'integer';
      readonly placeholder: string;
      readonly minimum: number;
      readonly maximum: number;
    }
  /** May be given many times. */
  | { readonly kind: 'list'; readonly placeholder: string }
);

/** Flags by name, without the dashes. */
export type FlagSet = Readonly<Record<string, FlagDefinition>>;

/** What stands for a flag: its kind decides which. */
export type FlagValue = string | number | boolean | readonly string[];

/** What the user gave for each flag. */
export type FlagValues<Flags extends FlagSet> = {
  readonly [Name in keyof Flags]: ValueOfKind<Flags[Name]['kind']>;
};

type ValueOfKind<Kind extends FlagDefinition['kind']> = Kind extends 'switch'
  ? boolean
  : (Kind extends 'integer' ? number : Kind extends 'list' ? readonly string[] : string) | undefined;

export interface CommandInput<Flags extends FlagSet> {
  readonly positionals: readonly string[];
  readonly flags: FlagValues<Flags>;
  /** Where each value comes from, in words; what holds by default is not among them. */
  readonly origins: ReadonlyMap<string, string>;
}

export interface Command<Flags extends FlagSet = FlagSet> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What stands between the command's name and its flags. */
  readonly positional?: PositionalDefinition;
  readonly flags: Flags;
  /** Takes flags that are not given from the environment and from switchyard.yaml. */
  readonly configurable?: boolean;
  /** Command lines worth showing. */
  readonly examples: readonly string[];
  /** Returns the exit code. A PlatformError that it throws is shown, and gives the exit code. */
  run(input: CommandInput<Flags>, context: CommandContext): Promise<number>;
}

export interface PositionalDefinition {
  readonly name: string;
  readonly summary: string;
  readonly maximum: number;
  /** How they are written in the help, where there are several kinds: `<app> <function>`. */
  readonly usage?: string;
  /** The name under which a configurable command finds them in the environment and in switchyard.yaml. */
  readonly setting?: string;
}

/** Declares a command; its flags give `run` their types. */
export function defineCommand<const Flags extends FlagSet>(command: Command<Flags>): Command<Flags> {
  return command;
}
