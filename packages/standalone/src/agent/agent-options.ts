import type { TextSink } from '@switchyard/telemetry';

/** What `switchyard agent` was asked for. */
export interface AgentOptions {
  /** A YAML or JSON file; an absolute path. */
  readonly configFile: string | undefined;
  /** Settings by path that the command line gives, with the flag of each. */
  readonly flags: readonly { readonly path: string; readonly value: unknown; readonly flag: string }[];
  /** Relative paths among the settings are taken from here. */
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the program. */
  readonly version: string;
  readonly output: 'text' | 'json';
  readonly verbose: boolean;
  readonly console: TextSink & { readonly isTTY?: boolean };
}
