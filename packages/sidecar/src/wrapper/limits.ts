import type { BackoffOptions } from '@switchyard/kernel';
import type { WorkerProcessLimits } from '../limits.ts';

/** Every wait and bound of a supervisor, by name. Durations in milliseconds. */
export interface SupervisorLimits extends WorkerProcessLimits {
  /** Between SIGTERM and SIGKILL. */
  readonly terminationGraceMs: number;
  /** A worker that ran for this long was healthy: its failure is the first in its row. */
  readonly healthyAfterMs: number;
  /** How many failures in a row are answered with another start, where crashes are. */
  readonly maxCrashesInARow: number;
  /** The waits before those starts. */
  readonly crashBackoff: BackoffOptions;
}

export const defaultSupervisorLimits: SupervisorLimits = {
  maxLineLength: 32_768,
  stderrTailLines: 20,
  consoleDrainMs: 2_000,
  terminationGraceMs: 10_000,
  healthyAfterMs: 30_000,
  maxCrashesInARow: 5,
  crashBackoff: { minimumMs: 250, maximumMs: 30_000, factor: 3, jitter: 0.2 },
};
