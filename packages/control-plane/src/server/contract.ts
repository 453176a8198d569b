/** What the control server asks of others. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Log, PlatformError } from '@switchyard/kernel';
import type {
  ApplicationState,
  DebugAnswer,
  FunctionView,
  InvokeAnswer,
  InvokeRequest,
  LogLine,
  RuntimeList,
  TraceFrame,
  WorkerView,
} from '@switchyard/protocol/control-api';
import type { Application, Catalog, DeploymentRecord } from '../catalog/contract.ts';
import type { PackageStore } from '../package-store/contract.ts';
import type { AppRequests } from '../requests/contract.ts';
import type { ComputeTarget } from '../targets/contract.ts';
import type { Telemetry } from '../workers/scaling/scaling-worker.ts';
import type { DomainApi } from './domain-api.ts';
import type { ScaleOperations } from './scale-contract.ts';

/**
 * What the platform can do with the apps of the catalog. Apps that it is asked about exist; it finds what it needs of
 * them in the catalog. Whatever it throws should be a PlatformError that can be shown; anything else becomes a 500.
 */
export interface PlatformOperations {
  /** Whether an app may be created or changed like that, for example when its tenant is one too many for this machine. */
  admit(application: Omit<Application, 'revision' | 'createdAtMs'>): Admission;
  /**
   * Begins to deploy. Returns at once; the progress goes to `catalog.deployments.advance`: `indexed`, `starting`,
   * `ready`, then `promoted` where the deployment asks for it, or `failed`.
   */
  deploy(deployment: DeploymentRecord): void;
  /** The Runtimes of the installation. */
  runtimes(): RuntimeList;
  /** What there is of an app at the moment. */
  status(applicationId: string): PlatformStatus;
  /** The lines that are kept, then, with `follow`, those to come until `signal` aborts or the app is gone. */
  logs(applicationId: string, options: LogsOptions, signal: AbortSignal): AsyncIterable<LogLine>;
  /** Calls a function. The answer of a function that failed is an answer too. */
  invoke(
    applicationId: string,
    functionName: string,
    request: InvokeRequest,
    signal: AbortSignal,
  ): Promise<InvokeAnswer>;
  /** Frames as they pass, until `signal` aborts or the app is gone. Drops, and says so, rather than slow a worker down. */
  trace(
    applicationId: string,
    options: { readonly workerId?: string },
    signal: AbortSignal,
  ): AsyncIterable<TraceFrame | { readonly dropped: number }>;
  /** Opens the inspector of a worker. */
  debug(applicationId: string, options: { readonly workerId?: string }, signal: AbortSignal): Promise<DebugAnswer>;
}

export type Admission = { readonly kind: 'admitted' } | { readonly kind: 'refused'; readonly error: PlatformError };

export interface LogsOptions {
  readonly follow: boolean;
  /** How many of the kept lines to begin with; undefined for all. */
  readonly tail: number | undefined;
  /** This level and those above it; undefined for all. */
  readonly level: LogLine['level'] | undefined;
}

export interface PlatformStatus {
  readonly state: ApplicationState;
  readonly urls: readonly string[];
  readonly workers: readonly WorkerView[];
  readonly functions: readonly FunctionView[];
  /** What keeps the app from running well. */
  readonly error?: string;
}

/** Reads the header `Authorization`. */
export type ControlGuard = (authorization: string | undefined) => ControlVerdict | Promise<ControlVerdict>;

export type ControlVerdict =
  | {
      readonly kind: 'accepted';
      readonly subject: string;
      /** The tenants that the caller may see, or all. */
      readonly tenants: readonly string[] | '*';
      readonly scopes: readonly string[];
    }
  | {
      readonly kind: 'refused';
      /** 503 when the keys cannot be had now. */
      readonly status: 401 | 403 | 503;
      readonly reason: string;
    };

/** Public keys as the key ring gives them (RFC 7517). */
export interface PublicKeySet {
  readonly keys: readonly object[];
}

export interface ControlServerDeps {
  readonly catalog: Catalog;
  readonly packages: PackageStore;
  readonly platform: PlatformOperations;
  /** The scale controller; without it scale and roll-outs are refused. */
  readonly scale?: ScaleOperations;
  readonly guard: ControlGuard;
  /** The records and workers of the control plane, where one runs. */
  readonly domain?: DomainApi;
  /** Takes what people ask of apps to the workers; without it nothing can be asked. */
  readonly requests?: AppRequests;
  /** This platform, for workers that run in processes of their own. */
  readonly target?: { readonly compute: ComputeTarget; readonly telemetry: Telemetry };
  /** The public keys of the installation, as they are at the time of the call. */
  readonly publicKeys: () => PublicKeySet | Promise<PublicKeySet>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ControlServerOptions {
  /** The architecture of stacks that name none: `x64` or `arm64`. */
  readonly defaultArchitecture: string;
  /** Names under which the server may be asked for, without port, beside the loopback names. */
  readonly hostNames?: readonly string[];
  /** Origins, such as `http://127.0.0.1:7072`, of web pages that may call: the console's. */
  readonly origins?: readonly string[];
}

/** The control API. It opens no socket: the composition root gives `handleRequest` to a server of node:http. */
export interface ControlServer {
  /** Serves one request. Never throws. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  /** Ends the streams, refuses what is new with 503, and resolves when nothing is under way or `deadlineMs` is over. */
  drain(deadlineMs: number): Promise<void>;
}
