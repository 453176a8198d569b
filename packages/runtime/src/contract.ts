/**
 * What the Runtime is given and what it shows. The Runtime serves many apps; it opens no socket by itself (the
 * composition root connects `gateway` to an HTTP server and `acceptWorker` to a transport) and starts no process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApplicationDefinition, RejectedFunction, Stack } from '@switchyard/model';
import type { Link } from '@switchyard/protocol';

/** One version of an app, as the catalog describes it. */
export interface RuntimeApplication {
  readonly definition: ApplicationDefinition;
  readonly tenantId: string;
  readonly stack: Stack;
  /** The app's folder as its workers see it. */
  readonly scriptRoot: string;
  /** The parsed JSON of host.json; undefined when the app has none. */
  readonly hostJson: unknown;
  /** App settings and connection strings. */
  readonly settings: ReadonlyMap<string, string>;
  /** Reads function.json files, for apps that their worker does not index. */
  readonly functionFiles: FunctionFiles;
  /** Host names that the app answers to, beside `<applicationId>.localhost`. */
  readonly hostNames: readonly string[];
  /** Function and host keys; undefined lets every caller in (as `func start` does without --enableAuth). */
  readonly keys: FunctionKeys | undefined;
  /** True under `switchyard dev`. */
  readonly development: boolean;
}

/** The function.json files of an app. */
export interface FunctionFiles {
  /** One entry per folder that holds a function.json, in order of name. */
  list(): Promise<readonly FunctionFile[]>;
}

export interface FunctionFile {
  /** The folder's name, which is the function's. */
  readonly name: string;
  /** Absolute path of the folder. */
  readonly directory: string;
  /** The text of function.json. */
  readonly text: string;
  /** The names of the files in the folder, to find the script when function.json names none. */
  readonly files: readonly string[];
}

/** Answers which level a key opens. */
export interface FunctionKeys {
  /** The level that `key` grants on the function, or undefined when it is no key of it. */
  levelOf(key: string, functionName: string): 'function' | 'system' | 'admin' | undefined;
}

/** One Runtime, serving the apps that were added. */
export interface Runtime {
  /** Takes the stream of a worker that just connected. */
  acceptWorker(link: Link): void;
  /** Serves one HTTP request. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Creates the app's JobHost and indexes it. Resolves when its routes and listeners are up; rejects when it faulted.
   * A second call for the same JobHost gets the first one's promise.
   */
  addApplication(application: RuntimeApplication): Promise<JobHostStatus>;
  /** Drains and stops the JobHost; unknown keys are harmless. */
  removeApplication(jobHostKey: string, deadlineMs: number): Promise<void>;
  status(): readonly JobHostStatus[];
  /** Takes nothing new, lets what runs end within `deadlineMs`, then closes everything. */
  drain(deadlineMs: number): Promise<void>;
}

/** A JobHost as people see it. */
export interface JobHostStatus {
  readonly key: string;
  readonly applicationId: string;
  readonly state: 'created' | 'indexing' | 'dormant' | 'active' | 'draining' | 'stopped' | 'faulted';
  readonly functions: readonly FunctionStatus[];
  readonly rejected: readonly RejectedFunction[];
  readonly workers: readonly WorkerStatus[];
  /** Why it faulted. */
  readonly error?: string;
}

export interface FunctionStatus {
  readonly name: string;
  /** The trigger's binding type. */
  readonly trigger: string;
  readonly disabled: boolean;
  /** HTTP functions: the path with its prefix, and the methods (empty means all). */
  readonly route?: { readonly template: string; readonly methods: readonly string[]; readonly authLevel: string };
}

export interface WorkerStatus {
  readonly workerId: string;
  readonly state: string;
  readonly inFlight: number;
  readonly runtimeName: string;
  readonly runtimeVersion: string;
}
