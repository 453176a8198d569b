/** What a sidecar is given and what it shows. */
import type { Clock, Log, PlatformError, Random, Secret } from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import type {
  Assignment,
  AssignOutcome,
  Link,
  RpcFunctionMetadata,
  RuntimeCall,
  UnaryReply,
} from '@switchyard/protocol';
import type { HttpProxy } from '../http-proxy/worker-http-proxy.ts';
import type { PackageSource } from '../packages/package-source.ts';
import type { RestartRequestHandler } from '../restart/restart-request.ts';
import type { SidecarLimits } from './limits.ts';

/** Opens a stream to a Runtime. Never throws for the network's sake: what goes wrong ends the link. */
export type DialRuntime = (endpoint: string, token: Secret | undefined) => Link;

/** Takes a call to the Runtime of the app that the worker was given, in the worker's name. Never rejects. */
export type CallRuntime = (
  call: RuntimeCall,
  app: { readonly workerId: string; readonly assignment: Assignment },
) => Promise<UnaryReply>;

/** Fetches a package, checks its hash and answers the folder in which its files are. */
export type OpenPackage = (source: PackageSource) => Promise<string>;

export interface SidecarDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dial: DialRuntime;
  /** For calls that the worker makes beside its stream; without it there is no method that it could call. */
  readonly callRuntime?: CallRuntime;
  /** The newest token that follows one, for what is said of an app on a stream; without it tokens stay as they are. */
  readonly freshest?: (token: Secret) => Secret;
  /** For workers that take HTTP requests themselves. */
  readonly httpProxy?: HttpProxy;
  readonly openPackage?: OpenPackage;
  /** The text of an app's host.json, for the Runtime; undefined when there is none. Rejects with a PlatformError. */
  readonly readHostJson?: (scriptRoot: string) => Promise<string | undefined>;
  /** Answers a Runtime that wants the worker started anew; without it every such wish is refused. */
  readonly onRestartRequest?: RestartRequestHandler;
}

export interface SidecarOptions {
  readonly workerId: string;
  /** Streams to Runtimes that the worker of this id had before: a worker that was restarted counts on. 0 unless named. */
  readonly firstEpoch?: number;
  /**
   * Added to the count of streams in what a Runtime is told, so that a sidecar whose process was started again comes after
   * the one before it; 0 unless named.
   */
  readonly epochBase?: number;
  /** The machine or pod, for the worker's context. */
  readonly instanceId: string;
  readonly stack: Stack;
  readonly traits: SidecarTraits;
  /** What the sidecar calls itself towards the worker, in the numbering of the official host. */
  readonly hostVersion: string;
  /** The worker's own folder, as WorkerInitRequest names it. */
  readonly workerDirectory: string;
  /** True when `console` and `consoleEnded` will be called: the Runtime's stream then waits for the last lines. */
  readonly hasConsole: boolean;
  readonly limits?: Partial<SidecarLimits>;
  /** Attaches the placeholder to a Runtime at once; late binding when left out. */
  readonly attachTo?: RuntimeAttachment;
}

/** The Runtime on which a placeholder waits. */
export interface RuntimeAttachment {
  readonly endpoint: string;
  /** Shown while there is no app. */
  readonly token: Secret | undefined;
  /** The app that the worker is for from its start: it is announced as soon as the worker is warm. */
  readonly application?: Assignment;
}

/** What the worker catalogue says of the worker, as far as a sidecar needs it. */
export interface SidecarTraits {
  /** Ask the worker for the app's functions; the question may kill the others. */
  readonly workerIndexing: boolean;
  /** Ask also before there is an app. Workers answer with nothing; none needs it. */
  readonly placeholderIndexing?: boolean;
  readonly initializationTimeoutMs: number;
  readonly environmentReloadTimeoutMs: number;
  /** Every line on stderr is an error, whatever it says. */
  readonly stderrIsError?: boolean;
  /** It shows the key that it was started with: a stream without it is not the worker's. */
  readonly presentsKey?: boolean;
}

/** What a pod is, from its start to its end. */
export type SidecarStateKind =
  | 'starting'
  | 'warming'
  | 'warm'
  | 'specializing'
  | 'connecting'
  | 'relaying'
  | 'draining'
  | 'stopped'
  | 'failed';

export interface Sidecar {
  readonly workerId: string;
  readonly state: SidecarStateKind;
  /** Resolves when the worker can take an app; rejects with a PlatformError when it never will. */
  readonly warm: Promise<void>;
  /** Resolves when the sidecar has nothing more to do. Never rejects. */
  readonly ended: Promise<SidecarEnd>;
  /** True when any customer code, setting or token has reached the worker: it must never serve anybody else. */
  readonly isTainted: boolean;
  /** Takes the stream of the local worker; the first one only. */
  acceptWorker(link: Link): void;
  /** Makes the placeholder the worker of an app. Never rejects; the same app again joins the first call. */
  assign(assignment: Assignment): Promise<AssignOutcome>;
  /**
   * Lists the functions of an app: the worker is reloaded with it and asked; no Runtime hears of it. The worker is tainted
   * then: it takes this app by `assign`, without a second reload when the content is the same, and no other. Never rejects.
   */
  index(assignment: Assignment): Promise<IndexOutcome>;
  /** Takes a call of the worker to its Runtime: while it serves its app, and while it ends what it has begun. Never rejects. */
  callRuntime(call: RuntimeCall): Promise<UnaryReply>;
  /** A line of the worker's console. */
  console(stream: 'stdout' | 'stderr', line: string): void;
  /** Both streams of the console were read to their ends. */
  consoleEnded(): void;
  /** Asks the worker to end and lets what is on its way leave; what is left after `deadlineMs` is cut off. */
  drain(deadlineMs: number): Promise<void>;
  status(): SidecarStatus;
}

/** What became of `index`. */
export type IndexOutcome =
  | {
      readonly kind: 'indexed';
      /** As the worker listed them. */
      readonly functions: readonly RpcFunctionMetadata[];
      /** The worker leaves it to the Runtime to read function.json. */
      readonly useDefaultIndexing: boolean;
      readonly capabilities: ReadonlyMap<string, string>;
    }
  | Exclude<AssignOutcome, { readonly kind: 'assigned' }>;

export type SidecarEnd = { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly error: PlatformError };

/** A sidecar as its health, readiness and metrics show it. */
export interface SidecarStatus {
  readonly workerId: string;
  readonly state: SidecarStateKind;
  readonly isWorkerConnected: boolean;
  readonly isRuntimeConnected: boolean;
  /** Warm, or serving: the Runtime has said that the worker is Ready. */
  readonly isReady: boolean;
  readonly application: ApplicationDefinition | undefined;
  /** Whose app that is. */
  readonly tenantId: string | undefined;
  readonly stack: Stack;
  /** The Runtime that it serves, or hangs on while it waits; undefined while it hangs on none. */
  readonly runtimeEndpoint: string | undefined;
  readonly counts: RelayCounts;
  /** Streams opened to the Runtime so far. */
  readonly epoch: number;
}

/** What went through a sidecar since its start. */
export interface RelayCounts {
  readonly framesUp: number;
  readonly framesDown: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Frames that a sidecar took for itself. */
  readonly framesConsumed: number;
  readonly linesDropped: number;
}
