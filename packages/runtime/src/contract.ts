/**
 * What the Runtime is given and what it shows. The Runtime serves many apps; it opens no socket by itself (the
 * composition root connects `gateway` to an HTTP server and `acceptWorker` to a transport) and starts no process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { AppTelemetry, Log } from '@switchyard/kernel';
import type {
  ApplicationDefinition,
  FunctionMetadata,
  HostJson,
  RejectedFunction,
  SettingsView,
  Stack,
} from '@switchyard/model';
import type { Link, LinkStatus, RpcFunctionMetadata, WorkerClaims } from '@switchyard/protocol';
import type { FunctionBacklog } from './load/function-backlog.ts';
import type { VersionLoad, WorkerWish } from './load/version-load.ts';

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
  /** Lets administrators look after the keys; without it the admin API says that there are none to look after. */
  readonly keyStore?: KeyStore;
  /** True under `switchyard dev`. */
  readonly development: boolean;
  /** The text of app_offline.htm while the app is taken offline by it: every function answers 503 with that. */
  readonly offlinePage?: () => string | undefined;
  /** Hands the files of the app out, for administrators; left out where its files are not the Runtime's to give. */
  readonly download?: () => Promise<AppDownload>;
  /** Changes functions in the app's folder, for administrators; left out where that is not the Runtime's to change. */
  readonly functionFolders?: FunctionFolders;
  /**
   * The app's functions, when they were indexed before: its routes and listeners are up at once, with no worker. Left out,
   * the first worker is asked for them.
   */
  readonly index?: StoredIndex;
  /** How many workers stand ready and when idle ones are given back; left out, the app keeps its workers for ever. */
  readonly scale?: ScaleRules;
}

/** The files of an app as a zip archive. Whoever reads the stream closes it. */
export interface AppDownload {
  readonly stream: Readable;
  readonly sizeBytes: number;
}

/** What a worker once listed of an app, kept by the catalog. */
export interface StoredIndex {
  /** As FunctionMetadataResponse or WorkerConnect carried them. Their ids are used in every load and invocation. */
  readonly functions: readonly RpcFunctionMetadata[];
  /** The functions are those of the app's function.json files; `functions` is not looked at. */
  readonly useDefaultIndexing: boolean;
  /** What that worker could do, for events that are made before the first worker is ready; a current worker's when left out. */
  readonly capabilities?: ReadonlyMap<string, string>;
}

/** When an app has workers. */
export interface ScaleRules {
  /** Workers that are kept also when nothing happens; with 0 the app sleeps until an event or a request comes. */
  readonly alwaysReady: number;
  /** After so long without any invocation, workers beyond `alwaysReady` are given back. */
  readonly idleMs: number;
  /** The most workers that the Runtime asks for, whatever the app's settings say. */
  readonly maximum?: number;
  /** How long an invocation waits for the app to wake up; `workerWaitMs` of the limits when left out. */
  readonly holdMs?: number;
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

/**
 * Changes the folders of functions that function.json describes. Both reject with a PlatformError of the caller's blame for
 * what cannot be done, and have changed nothing then.
 */
export interface FunctionFolders {
  /** Makes a function, or changes one, and tells what it is then. A new version of the app follows by itself. */
  write(name: string, content: FunctionContent): Promise<FunctionMetadata>;
  /** Removes a function's folder. False when there is none. */
  remove(name: string): Promise<boolean>;
}

/** What is to stand in the folder of a function. */
export interface FunctionContent {
  /** Texts by their paths in the folder, in place of everything that it holds; left out, its files stay. */
  readonly files: ReadonlyMap<string, string> | undefined;
  /** The text of function.json, unless it is among the files; left out, it stays as it is. */
  readonly config: string | undefined;
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
  /** The name of the function key, or of the host key, that a caller showed; undefined when it is none, or nobody knows. */
  nameOf?(key: string, functionName: string): string | undefined;
}

/** Opens the sink that an app's settings name for its telemetry; undefined when they name none. */
export type OpenAppTelemetry = (application: {
  readonly applicationId: string;
  readonly settings: SettingsView;
  readonly host: HostJson;
  readonly hostId: string;
  /** Does not lead to the sink. */
  readonly log: Log;
}) => AppTelemetry | undefined;

/** Which keys: those of the host, of its extensions, of one function, or the one that opens everything. */
export type KeyScope =
  | { readonly kind: 'master' }
  | { readonly kind: 'host' }
  | { readonly kind: 'system' }
  | { readonly kind: 'function'; readonly functionName: string };

export interface NamedKey {
  readonly name: string;
  /** A secret. */
  readonly value: string;
}

/** The keys of an app, for those who look after them. What it changes holds for callers from then on. */
export interface KeyStore {
  /** In order of name. */
  list(scope: KeyScope): Promise<readonly NamedKey[]>;
  /** Makes a key, or gives it another value; one is made up when none is given. The master key has one name, whatever it says. */
  set(scope: KeyScope, name: string, value?: string): Promise<{ readonly key: NamedKey; readonly isNew: boolean }>;
  /** The key of that name. One is made up when there is none: the same for all who ask at the same time. */
  ensure(scope: KeyScope, name: string): Promise<NamedKey>;
  /** False when there was none. */
  remove(scope: KeyScope, name: string): Promise<boolean>;
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

/**
 * Where several Runtimes host the same app: whose listeners run here. A source that is shared by partitions runs everywhere, and
 * its gate lets it. HTTP functions have no listener and are not asked about.
 */
export interface ListenerGate {
  mayListen(applicationId: string, functionName: string, triggerType: string): boolean;
  /** Calls back when an answer for an app may have changed. Returns the unsubscriber. */
  watch(observer: (applicationId: string) => void): () => void;
}

/** An app that a sidecar brings along: one that was started with plain settings, where there is no catalog. */
export interface AnnouncedApplication {
  readonly definition: ApplicationDefinition;
  readonly tenantId: string;
  readonly language: string;
  readonly languageVersion: string;
  /** The app's folder as its worker sees it; the Runtime may not see it at all. */
  readonly scriptRoot: string;
  /** App settings and connection strings; they hold secrets. */
  readonly settings: ReadonlyMap<string, string>;
  /** The text of host.json, when the sidecar sent it. */
  readonly hostJson: string | undefined;
}

/** Makes an app of an announcement. A PlatformError that it throws is what the worker is refused with. */
export type AnnouncedApplications = (
  announced: AnnouncedApplication,
) => RuntimeApplication | Promise<RuntimeApplication>;

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
   * trying and the app comes up by itself as soon as a worker does (`watch` tells). A second call for the same version
   * joins the attempt that is under way.
   *
   * An app with a stored index that keeps no worker ready resolves at once, dormant. A definition that differs from one that
   * is hosted in its codeVersion alone joins the JobHost of that one, with workers of its own and no traffic (weight 0)
   * until `setTraffic` gives it some; a JobHost's first version begins with all of its traffic.
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
  /**
   * Spreads an app's invocations over its versions. Weights are whole percentages that sum to 100; versions that are not
   * named get 0. Versions with a weight above 0 share one metadataVersion. When that belongs to another JobHost than the one
   * on duty, it takes over as `promoteApplication` says. Creates nothing: every version must have been added before. What
   * runs already is not moved.
   *
   * Rejects with TRAFFIC_WEIGHTS_INVALID, TRAFFIC_VERSION_UNKNOWN or TRAFFIC_METADATA_MIXED, and changes nothing then.
   */
  setTraffic(applicationId: string, shares: readonly TrafficShare[], options?: TrafficOptions): Promise<void>;
  /**
   * Takes a version out: it gets nothing new, finishes what runs within `deadlineMs`, and its workers are given back. The
   * last version of a JobHost takes the JobHost with it. Unknown versions are harmless; a second call joins the first.
   *
   * Rejects with TRAFFIC_VERSION_IN_USE when the version has traffic that another version of its JobHost could take.
   */
  removeVersion(definition: ApplicationDefinition, deadlineMs: number): Promise<void>;
  /**
   * Asks the sidecar of a worker to start its process anew, with another command line where one is named. Resolves with
   * what the wrapper answers, before the worker ends; what runs on it then is lost. The worker comes back with its app.
   * Never rejects: a worker that nobody can start anew is a `rejected`.
   */
  restartWorker(workerId: string, wish: RestartWish): Promise<RestartOutcome>;
  /**
   * Brings changed settings to the workers of a version, which go on as they are. `variables` is their whole environment.
   * Resolves when each of them was read back with it; `unable` when one of them was not, or cannot take it: then the version
   * has to be replaced. Never rejects. A version without workers has nothing to be told.
   */
  updateEnvironment(
    definition: ApplicationDefinition,
    variables: ReadonlyMap<string, string>,
  ): Promise<EnvironmentOutcome>;
  /**
   * What every version has to do that has workers or work, or, with an id, every version of that app. For whoever decides how
   * many workers they get; cheap enough to be asked several times a second.
   */
  load(applicationId?: string): readonly VersionLoad[];
  /** What waits for the functions of an app, asked of their sources now. Sources that cannot be asked are left out. */
  backlogs(applicationId: string, signal: AbortSignal): Promise<readonly FunctionBacklog[]>;
  /** Apps of which a function listens to something, dormant ones included. */
  listeningApps(): readonly string[];
  /**
   * Gives a version so many workers, at once or as soon as the supply has them. What is too many gets nothing new, finishes
   * what it runs, and is given back. Versions that are not hosted are ignored.
   */
  scaleTo(definition: ApplicationDefinition, wish: WorkerWish): void;
  /**
   * Calls back when a version that has no worker is called, so that whoever decides on scale looks soon. The observer must not
   * throw. Returns the unsubscriber.
   */
  watchWakes(observer: (definition: ApplicationDefinition) => void): () => void;
  /** Of all JobHosts, or of those of one app. */
  status(applicationId?: string): readonly JobHostStatus[];
  /** The workers that hang on this Runtime and wait for an app. */
  placeholders(): readonly WorkerStatus[];
  /** Reports a JobHost's status whenever its state, functions or error change. Returns the unsubscriber. */
  watch(observer: (status: JobHostStatus) => void): () => void;
  /** Takes nothing new, lets what runs end within `deadlineMs`, then closes everything. */
  drain(deadlineMs: number): Promise<void>;
}

export interface AddOptions {
  /** Keeps requests and events away from the version until it is promoted, so that it can be judged first. */
  readonly standby?: boolean;
  /** Starts a worker also when the app would sleep, so that the promise tells whether the version starts. */
  readonly start?: boolean;
  /** Where its lines go, with those of its functions and workers; the Runtime's own log when left out. */
  readonly log?: Log;
}

/** A worker's process that is to be started anew; what is left out stays as it is. */
/** What became of changed settings. */
export type EnvironmentOutcome = { readonly kind: 'updated' } | { readonly kind: 'unable'; readonly reason: string };

export interface RestartWish {
  readonly reason: string;
  readonly executable?: string;
  /** In front of the worker's path; an empty list changes nothing. */
  readonly arguments?: readonly string[];
  readonly workerPath?: string;
  /** Laid over the environment that the app's assignment gave. */
  readonly environment?: ReadonlyMap<string, string>;
}

/** What became of the wish. */
export type RestartOutcome =
  | { readonly kind: 'accepted' }
  /** Another restart of this worker is under way. */
  | { readonly kind: 'in-progress' }
  | { readonly kind: 'rejected'; readonly reason: string };

/** The part of an app's invocations that one of its versions gets. */
export interface TrafficShare {
  readonly metadataVersion: string;
  readonly codeVersion: string;
  /** Percent, a whole number. */
  readonly weight: number;
}

export interface TrafficOptions {
  /**
   * Sends every HTTP caller to the same version while the weights stay: callers are told apart by the address of their
   * connection, or by the value of a header (the address where it is missing). Events of listeners are spread by weight alone.
   */
  readonly stickyBy?: 'address' | { readonly header: string };
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
  /** The code versions of the JobHost, oldest first. */
  readonly versions: readonly VersionStatus[];
  /** What keeps the app from running well: why it faulted, why its worker does not start, that it has no functions. */
  readonly error?: string;
}

/** One code version of a JobHost. */
export interface VersionStatus {
  readonly definition: ApplicationDefinition;
  /** Percent of the app's invocations that come here now; 0 for one that stands by. */
  readonly weight: number;
  /** `starting` while a worker is on its way and none is ready. */
  readonly state: 'dormant' | 'starting' | 'active' | 'draining';
  readonly workers: readonly WorkerStatus[];
  /** Invocations that run, wait for a worker or wait to be tried again. */
  readonly invocations: number;
  /** Why the last try to start a worker failed; gone as soon as one is ready. */
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
