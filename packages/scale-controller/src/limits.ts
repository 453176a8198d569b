import type { BackoffOptions } from '@switchyard/kernel';

/** Every wait and count of a pooled supply, by name. Durations in milliseconds. */
export interface SupplyLimits {
  /** How long the assignment source may take. */
  readonly assignmentMs: number;
  /** The waits between two tries for an app. There is no last one. */
  readonly restartBackoff: BackoffOptions;
  /** An urgent wish waits no longer than this. */
  readonly urgentRestartMs: number;
  /** A worker that served for this long was healthy: its end starts the back-off anew. */
  readonly healthyAfterMs: number;
  /** A pool that gave a placeholder away starts the next one so much later: a start would slow down the app's own. 0 is at once. */
  readonly refillDelayMs: number;
  /** The waits between two tries to fill a pool. */
  readonly refillBackoff: BackoffOptions;
  /** A placeholder that has waited for so long is replaced. */
  readonly placeholderTtlMs: number;
  /** How far back cold starts make a pool larger, and how long an announcement holds. */
  readonly growthWindowMs: number;
  /** So many cold starts within that time ... */
  readonly growthThreshold: number;
  /** ... make a pool larger by so many. */
  readonly growthIncrement: number;
  /** What a worker has to end by itself. */
  readonly terminationGraceMs: number;
}

export const defaultSupplyLimits: SupplyLimits = {
  assignmentMs: 30_000,
  restartBackoff: { minimumMs: 250, maximumMs: 30_000, factor: 3, jitter: 0.2 },
  urgentRestartMs: 1_000,
  healthyAfterMs: 30_000,
  refillDelayMs: 250,
  refillBackoff: { minimumMs: 500, maximumMs: 60_000, factor: 3, jitter: 0.2 },
  placeholderTtlMs: 30 * 60_000,
  growthWindowMs: 120_000,
  growthThreshold: 1,
  growthIncrement: 1,
  terminationGraceMs: 5_000,
};
