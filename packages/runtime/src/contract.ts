/**
 * What the Runtime is given and what it shows. The Runtime serves many apps; it opens no socket by itself (the
 * composition root connects `gateway` to an HTTP server and `acceptWorker` to a transport) and starts no process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '@switchyard/kernel';
import type { ApplicationDefinition, RejectedFunction, Stack } from '@switchyard/model';
import type { Link, LinkStatus, WorkerClaims } from '@switchyard/protocol';

/** One version of an app, as the catalog describes it. */
export interface RuntimeApplication {
  readonly definition: ApplicationDefinition;
  readonly tenantId: string;
  readonly stack: Stack;
  /** What the worker catalogue says of the language worker. */
  readonly worker: WorkerProfile;
  /** The app's folder as its workers see it. */
  readonly scriptRoot: string;
  /** The parsed JSON of host.json; undefined when the app has none. */
  readonly hostJson: unknown;
  /** App settings and connection strings. */
  readonly settings: ReadonlyMap<string, string>;
  /** The id under which the app keeps its state in storage (see `createHostId` of the model). */
  readonly hostId: string;
  /** Reads function.json files, for apps that their worker does not index. */
  readonly functionFiles: FunctionFiles;
  /** Host names that the app answers to, beside `<applicationId>.localhost`. */
  readonly hostNames: readonly string[];
  /** Function and host keys; undefined lets every caller in (as `func start` does without --enableAuth). */
  readonly keys: FunctionKeys | undefined;
  /** True under `switchyard dev`. */
  readonly development: boolean;
  /** The text of app_offline.htm while the app is taken offline by it: every function answers 503 with that. */
  readonly offlinePage?: () => string | undefined;
}

/** What worker.config.json says of a language worker, as far as the Runtime needs it. */
export interface WorkerProfile {
  /** The worker's own folder, as WorkerInitRequest names it. */
  readonly workerDirectory: string;
  /**
   * True when the worker lists the app's functions. Workers that do not know the request may die of it (Java), so the
   * Runtime reads function.json for them and never asks.
   */
  readonly workerIndexing: boolean;
  /** How long the worker may take for its initialization, in which it loads the app (Node: 2 minutes). */
  readonly initializationTimeoutMs: number;
  /** Every line on its stderr is an error, whatever it says. */
  readonly stderrIsError: boolean;
  /** Neither WorkerTerminate nor the end of its stream ends the process (Python, PowerShell): only a signal does. */
  readonly ignoresTermination: boolean;
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

/**
 * Checks what a WorkerConnect claims against the metadata of its call (the token). Whoever is refused loses the stream
 * with that status.
 */
export type VerifyWorker = (
  metadata: ReadonlyMap<string, string>,
  claims: WorkerClaims,
) => WorkerVerdict | Promise<WorkerVerdict>;

export type WorkerVerdict = { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly status: LinkStatus };

/** One Runtime, serving the apps that were added. */
export interface Runtime {
  /** Takes the stream of a worker that just connected. */
  acceptWorker(link: Link): void;
  /** Serves one HTTP request. One with `Expect: 100-continue` comes as it is (Node's event `checkContinue`). */
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Creates the app's JobHost and indexes it. Resolves when its routes are up, a worker is ready and its listeners were
   * told to start.
   *
   * Rejects with a PlatformError that can be shown as it is: when the app cannot be hosted at all (its host.json is wrong,
   * its host name is taken), nothing is left behind; when its worker did not start, the JobHost stays, the supply goes on
   * trying and the app comes up by itself as soon as a worker does (`watch` tells). A second call for the same JobHost
   * joins the attempt that is under way.
   */
  addApplication(application: RuntimeApplication, options?: AddOptions): Promise<JobHostStatus>;
  /**
   * Lets a version take the app over: requests that come from now on are its own, and its listeners start when those of
   * the other versions have ended, at most `handOverMs` later (they take nothing new in any case). Resolves then. The
   * other versions finish what they have begun, and stay until they are removed. Unknown keys are harmless.
   */
  promoteApplication(jobHostKey: string): Promise<void>;
  /**
   * Takes nothing new, lets what runs end within `deadlineMs`, stops the JobHost and forgets it. A second call joins the
   * first and may shorten its time; unknown keys are harmless.
   */
  removeApplication(jobHostKey: string, deadlineMs: number): Promise<void>;
  status(): readonly JobHostStatus[];
  /** Reports a JobHost's status whenever its state, functions or error change. Returns the unsubscriber. */
  watch(observer: (status: JobHostStatus) => void): () => void;
  /** Takes nothing new, lets what runs end within `deadlineMs`, then closes everything. */
  drain(deadlineMs: number): Promise<void>;
}

export interface AddOptions {
  /** Keeps requests and events away from the version until it is promoted, so that it can be judged first. */
  readonly standby?: boolean;
  /** Where its lines go, with those of its functions and workers; the Runtime's own log when left out. */
  readonly log?: Log;
}

/** A JobHost as people see it. */
export interface JobHostStatus {
  readonly key: string;
  readonly applicationId: string;
  readonly state: 'created' | 'indexing' | 'dormant' | 'active' | 'draining' | 'stopped' | 'faulted';
  readonly functions: readonly FunctionStatus[];
  readonly rejected: readonly RejectedFunction[];
  /** Functions that a worker could not load, and so answer with that; left out when there is none. */
  readonly unloaded?: readonly UnloadedFunction[];
  readonly workers: readonly WorkerStatus[];
  /** What keeps the app from running well: why it faulted, why its worker does not start, that it has no functions. */
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

export interface UnloadedFunction {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

export interface WorkerStatus {
  readonly workerId: string;
  readonly state: string;
  readonly inFlight: number;
  readonly runtimeName: string;
  readonly runtimeVersion: string;
}
