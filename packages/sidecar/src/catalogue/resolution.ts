import type { CatalogueFiles } from './catalogue-files.ts';
import type { Interpreter } from './interpreter.ts';
import type { LanguageDefaults } from './language-defaults.ts';
import type { Machine } from './machine.ts';
import type { WorkerCatalogue } from './worker-catalogue.ts';
import type { WorkerConfig, WorkerDescription } from './worker-config.ts';
import type { WorkerSettings } from './worker-settings.ts';

export interface ResolveWorkerDeps {
  readonly files: CatalogueFiles;
  readonly machine: Machine;
  readonly catalogue: WorkerCatalogue;
  /** The programs of this machine by the name that configuration files use: `node`, `python`. */
  readonly interpreters: ReadonlyMap<string, readonly Interpreter[]>;
}

/** The app that wants a worker. */
export interface WorkerRequest {
  /** FUNCTIONS_WORKER_RUNTIME, in any case. */
  readonly language: string;
  /** The absolute path of the app's folder. */
  readonly scriptRoot: string;
  /** The whole environment of the worker so far: the machine's variables with the app's settings over them. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What the steps from a worker and an app to a command line share. */
export interface Resolution {
  readonly deps: ResolveWorkerDeps;
  readonly request: WorkerRequest;
  readonly config: WorkerConfig;
  /** With the chosen profile over it. */
  readonly description: WorkerDescription;
  readonly settings: WorkerSettings;
  readonly defaults: LanguageDefaults;
  /** The worker's own folder: relative paths start there. */
  readonly directory: string;
}

/** Reads variables by name; what JavaScript objects inherit is no variable. */
export function variableOf(environment: Readonly<Record<string, string>>): (name: string) => string | undefined {
  return (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined);
}

/** Texts of configuration files are compared without regard to case. */
export function sameText(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
