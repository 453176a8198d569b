import type { BackoffOptions } from '@switchyard/kernel';

/** The limits of one worker's process. */
export interface WorkerProcessLimits {
  /** A console line longer than this goes out in pieces, in characters. */
  readonly maxLineLength: number;
  /** How many of the last stderr lines an `exited` event carries. */
  readonly stderrTailLines: number;
  /** How long the console of a process that is gone may stay open. */
  readonly consoleDrainMs: number;
}

/** Every limit of a pod host, by name. */
export interface PodHostLimits extends WorkerProcessLimits {
  /** Between SIGTERM and SIGKILL. */
  readonly terminationGraceMs: number;
  /** How long the launch source may take. */
  readonly launchTimeoutMs: number;
  /** How many workers may be in their start-up at once: a start costs most of a core. */
  readonly maxConcurrentStarts: number;
  /** How long a worker counts as starting up. The pod host does not see it connect. */
  readonly startUpMs: number;
  /** How many starts may wait for their turn. */
  readonly maxWaitingStarts: number;
  /** A worker that ran for this long was healthy: its end starts the back-off anew. */
  readonly healthyAfterMs: number;
  /** The waits between replacements. There is no last one. */
  readonly restartBackoff: BackoffOptions;
  /** An urgent wish waits no longer than this. */
  readonly urgentRestartMs: number;
}

export const defaultPodHostLimits: PodHostLimits = {
  maxLineLength: 32_768,
  stderrTailLines: 20,
  consoleDrainMs: 2_000,
  terminationGraceMs: 10_000,
  launchTimeoutMs: 30_000,
  maxConcurrentStarts: 4,
  startUpMs: 250,
  maxWaitingStarts: 10_000,
  healthyAfterMs: 30_000,
  restartBackoff: { minimumMs: 250, maximumMs: 30_000, factor: 3, jitter: 0.2 },
  urgentRestartMs: 1_000,
};
