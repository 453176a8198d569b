/**
 * How the Runtime asks for workers. The Runtime starts and kills nothing; whoever implements this contract does: first
 * the pod host, later the scale controller.
 *
 * The contract is level-triggered: `ensure` names how many workers an app should have, and the supply keeps that many
 * alive, starting replacements with back-off for as long as it takes, until `ensure` names another number.
 */
import type { ApplicationDefinition } from '@switchyard/model';

export interface WorkerSupply {
  /**
   * Asks that `count` workers serve the app. Returns when the wish is recorded; what becomes of it comes through
   * `watch`. A lower count stops nothing by itself: `release` says which worker may go.
   */
  ensure(request: SupplyRequest): void;
  /** The worker is no longer wanted; the supply ends its process. Unknown ids are ignored. */
  release(workerId: string, reason: ReleaseReason): void;
  /** Reports every event from now on, and first one `expected` for each worker there is. Returns the unsubscriber. */
  watch(observer: (event: SupplyEvent) => void): () => void;
}

export interface SupplyRequest {
  readonly application: ApplicationDefinition;
  /** Whose workers these are, where several Runtimes share a supply; left out by the Runtime of the supply's own process. */
  readonly runtimeId?: string | undefined;
  readonly count: number;
  readonly urgency: 'normal' | 'urgent';
  /** Why, for logs and metrics. */
  readonly reason: SupplyReason;
}

export type SupplyReason = 'index' | 'activate' | 'replace' | 'scale' | 'reload';

export type ReleaseReason =
  | 'idle'
  | 'replaced'
  | 'invocation-timeout'
  | 'unresponsive'
  | 'start-failed'
  | 'protocol-error'
  | 'application-stopped';

export type SupplyEvent =
  /** A worker with this id is about to connect. Only announced ids are let in. */
  | {
      readonly kind: 'expected';
      readonly workerId: string;
      readonly application: ApplicationDefinition;
      readonly runtimeId?: string | undefined;
    }
  /** One line of a worker's console. */
  | {
      readonly kind: 'console';
      readonly workerId: string;
      readonly stream: 'stdout' | 'stderr';
      readonly line: string;
    }
  /** The process is gone; both console streams were read to their ends before. */
  | {
      readonly kind: 'exited';
      readonly workerId: string;
      readonly exitCode: number | null;
      readonly signal: string | null;
      /** The last lines of stderr, oldest first. */
      readonly stderrTail: readonly string[];
    }
  /** No process could be started; another try follows in `retryInMs`. */
  | {
      readonly kind: 'failed';
      readonly application: ApplicationDefinition;
      readonly runtimeId?: string | undefined;
      readonly message: string;
      readonly retryInMs: number;
    };
