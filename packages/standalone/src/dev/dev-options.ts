import type { TextSink } from '@switchyard/telemetry';
import type { PackFolder } from '../application/pack-download.ts';

/** What `switchyard dev` was asked for. Paths are absolute. */
export interface DevOptions {
  /** Folders of function apps. */
  readonly directories: readonly string[];
  /** Undefined takes the port that the only app's local.settings.json names, else 7071. */
  readonly port: number | undefined;
  readonly host: string | undefined;
  /** Undefined: `.switchyard` in the folder of the only app, or in the working directory. */
  readonly dataDirectory: string | undefined;
  readonly workingDirectory: string;
  /** Asks callers for function keys. */
  readonly enableAuth: boolean;
  readonly output: 'text' | 'json';
  /** Whose words the text output uses: our own, or those of the official tools, which editors and scripts wait for. */
  readonly face: 'switchyard' | 'core-tools';
  readonly verbose: boolean;
  /** Replaces what the apps' local.settings.json say of pages that may call, as far as it is defined. */
  readonly cors:
    | { readonly origins: readonly string[] | undefined; readonly credentials: boolean | undefined }
    | undefined;
  /** Opens debuggers from this port on. */
  readonly inspectPort: number | undefined;
  /** Reloads an app when its folder changes. */
  readonly watches: boolean;
  /** Compiles TypeScript apps from the start; otherwise only when that turns out to be needed. */
  readonly builds: boolean;
  readonly startsAzurite: boolean;
  readonly persistsStorage: boolean;
  /** Ends the start-up with command lines to try. */
  readonly showsCurlLines: boolean;
  /** Packs an app's folder, for administrators who want its files; left out, they get none. */
  readonly pack?: PackFolder;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly console: TextSink & { readonly isTTY?: boolean };
  readonly errors: TextSink;
}

/** Ports and waits of a development host. */
export const devDefaults = {
  port: 7071,
  host: '127.0.0.1',
  dataFolderName: '.switchyard',
  /** How long what is in flight may take to end. */
  drainMs: 10_000,
  /** How long a worker may take to end after that. */
  workerGraceMs: 3_000,
  /** How long an emulator that keeps its data may take; one in memory has nothing to save. */
  emulatorGraceMs: 5_000,
} as const;
