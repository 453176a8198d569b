import type { BackoffOptions } from '@switchyard/kernel';

/** Every wait and queue of a sidecar, by name. Durations in milliseconds. */
export interface SidecarLimits {
  /** From the sidecar's start to the worker's StartStream. */
  readonly startStreamMs: number;
  /** How long the worker may take for WorkerWarmupRequest. */
  readonly warmUpMs: number;
  /** How long the worker may take to list its functions. */
  readonly metadataMs: number;
  /** From WorkerConnect to the Runtime's answer. */
  readonly connectResponseMs: number;
  /** From WorkerSpecialized to the Runtime's answer. */
  readonly specializedResponseMs: number;
  /** How long an assignment goes on trying to reach the Runtime. */
  readonly firstConnectMs: number;
  /** How long a worker whose Runtime is gone goes on trying to reach it. */
  readonly reconnectMs: number;
  /** The waits between two tries. */
  readonly connectBackoff: BackoffOptions;
  /** Frames of the worker that wait for the Runtime while an app is assigned; more are dropped and counted. */
  readonly heldFrames: number;
  /** Console lines that wait while the link to the Runtime is full; more are dropped and counted. */
  readonly waitingConsoleLines: number;
  /** After the worker's stream ended: how long its console may still have lines. */
  readonly consoleDrainMs: number;
  /** How long the Runtime may take to finish a stream that the worker has ended. */
  readonly farewellMs: number;
}

/** The waits of the worker model, which every pod starts with. */
export const defaultSidecarLimits: SidecarLimits = {
  startStreamMs: 60_000,
  warmUpMs: 30_000,
  metadataMs: 60_000,
  connectResponseMs: 120_000,
  specializedResponseMs: 30_000,
  firstConnectMs: 10_000,
  reconnectMs: 300_000,
  // A connection that is refused costs next to nothing, and a worker that waits costs its callers.
  connectBackoff: { minimumMs: 20, maximumMs: 150, factor: 2, jitter: 0.2 },
  heldFrames: 10_000,
  waitingConsoleLines: 10_000,
  consoleDrainMs: 2_000,
  farewellMs: 2_000,
};
