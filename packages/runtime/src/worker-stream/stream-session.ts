/** What a worker's stream and its owner know of each other. */
import type { PlatformError } from '@switchyard/kernel';
import type {
  FunctionEnvironmentReloadResponse,
  InvocationResponse,
  RpcLog,
  WorkerClaims,
  WorkerSpecialized,
} from '@switchyard/protocol';
import type { VerifyWorker } from '../contract.ts';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import type { HandshakePlan } from './handshake.ts';

/** The owner's side of an admitted stream. */
export interface StreamSession {
  readonly worker: Worker;
  readonly plan: HandshakePlan;
  /** Set while the worker waits for an app; then it may be told of one. */
  readonly attached?: AttachedStream;
  /** WorkerInitResponse was good. */
  initialized(): void;
  /** Every load request was answered. */
  ready(): void;
  /** The handshake failed or the worker broke the protocol; the stream is over. */
  failed(error: PlatformError): void;
  /** A frame came from a worker that counted as unhealthy. */
  revived(): void;
  log(line: RpcLog): void;
  answer(response: InvocationResponse): void;
  /** The stream ended, for this reason. */
  ended(reason: string): void;
}

/** What a worker that waits for an app can do besides. */
export interface AttachedStream {
  /** The worker was reloaded, and says what it can do now. */
  reloaded(response: FunctionEnvironmentReloadResponse): void;
  /** Decides whether the worker may serve the app that it was told of. Never rejects; the first call counts. */
  specialize(message: WorkerSpecialized, metadata: ReadonlyMap<string, string>): Promise<Specialization>;
  /** Lets the worker go to its app; false when it has left already. */
  release(): boolean;
}

export type Specialization =
  | { readonly kind: 'accepted'; readonly claims: WorkerClaims }
  | { readonly kind: 'refused'; readonly error: PlatformError };

export type Admission =
  | { readonly kind: 'admitted'; readonly session: StreamSession }
  | { readonly kind: 'refused'; readonly error: PlatformError };

/** Decides which worker a stream belongs to. */
export interface StreamDoor {
  /** A worker names its id in StartStream. */
  admit(workerId: string, channel: WorkerChannel): Admission;
  /** A sidecar brings the worker of an app, by WorkerConnect or with its context in StartStream; its claims were verified. */
  connect(claims: WorkerClaims, channel: WorkerChannel): Admission;
  /** A sidecar brings a worker that will be told of its app on this stream; its claims were verified. */
  attach(claims: WorkerClaims, channel: WorkerChannel): Admission;
  /** The worker of an attached stream serves this app from now on; its claims were verified. */
  specialize(worker: Worker, claims: WorkerClaims, channel: WorkerChannel): Admission;
  readonly verify: VerifyWorker;
}
