/** Which of the waiting jobs starts next. Pure. */

/** A job that waits. */
export interface WaitingJob {
  readonly id: string;
  readonly lane: Lane;
  /** Who sent it, for fairness; jobs without a name share one. */
  readonly master: string;
}

/** Jobs and pods have places of their own: a pod that runs for weeks takes no job's place. */
export type Lane = 'job' | 'pod';

/** What the choice depends on. */
export interface PickState {
  /** Oldest first. */
  readonly waiting: readonly WaitingJob[];
  readonly freePlaces: Readonly<Record<Lane, number>>;
  /** How many jobs of each master run. */
  readonly running: ReadonlyMap<string, number>;
  /** When each master was last served: a number that grows. */
  readonly served: ReadonlyMap<string, number>;
}

/**
 * The oldest job that has a place; with `master`, the oldest of the master with the fewest running jobs, and of those the
 * one that was served longest ago.
 */
export function pickNext(
  { waiting, freePlaces, running, served }: PickState,
  fairness: 'fifo' | 'master',
): WaitingJob | undefined {
  const startable = waiting.filter(({ lane }) => freePlaces[lane] > 0);
  if (fairness === 'fifo') return startable[0];
  const rank = ({ master }: WaitingJob): readonly [number, number] => [
    running.get(master) ?? 0,
    served.get(master) ?? 0,
  ];
  let best = startable[0];
  for (const candidate of startable) {
    if (best === undefined) return undefined;
    const [runs, lastServed] = rank(candidate);
    const [bestRuns, bestServed] = rank(best);
    if (runs < bestRuns || (runs === bestRuns && lastServed < bestServed)) best = candidate;
  }
  return best;
}
