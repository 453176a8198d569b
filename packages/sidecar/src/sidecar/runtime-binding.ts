/** How a sidecar's worker is bound to a Runtime: late, or attached from its start. */
import type { LinkEnd } from '@switchyard/protocol';
import type { ConnectOutcome } from './connect-runtime.ts';
import type { LocalWorker } from './local-worker.ts';
import type { Relay, RelayOptions } from './relay.ts';
import type { AssignedApp, SpecializedWorker, WorkerDescription } from './specialize.ts';

export interface RuntimeBinding {
  /** Brings a worker that has introduced itself to where it waits for an app. Throws a PlatformError. */
  warmUp(worker: LocalWorker): Promise<WorkerDescription>;
  /** Gives the worker its app. Throws a PlatformError. */
  specialize(worker: LocalWorker, placeholder: WorkerDescription, app: AssignedApp): Promise<SpecializedWorker>;
  /** One try to bring the specialized worker to its Runtime. */
  connect(worker: LocalWorker, app: SpecializedWorker): Promise<ConnectOutcome>;
}

/** What a binding is told and tells, whichever it is. */
export interface BindingHooks {
  /** What every relay is made with; `onControl` gets what a binding does not wait for. */
  readonly relay: RelayOptions;
  /** The number of the stream that is about to be opened. */
  nextEpoch(): number;
  /** The relay may carry the app's lines from now on; none may when it is undefined. */
  onOpen(relay: Relay | undefined): void;
  /** The stream of a placeholder ended. */
  onPlaceholderLost(relay: Relay, end: LinkEnd): void;
}
