/**
 * How many events of a function may be in work at once, when host.json leaves that to be found out: one more, and then more and more,
 * while all that may be are at work and the host is well; fewer while it is not. Pure.
 */

/** What is known of a function. */
export interface ConcurrencyState {
  /** Events that may be in work at once; at least 1. */
  readonly limit: number;
  readonly changedAtMs: number;
  /** Changes in a row, each soon after the one before: above zero when they added, below when they took away. */
  readonly run: number;
}

export interface ConcurrencyObservation {
  readonly nowMs: number;
  /** The most events that were in work at once since the last look. */
  readonly mostActive: number;
  /** The host has too much to do, or is short of something. */
  readonly isBusy: boolean;
  readonly maximum: number;
}

export const firstConcurrency: ConcurrencyState = { limit: 1, changedAtMs: Number.NEGATIVE_INFINITY, run: 0 };

/** The most that one change adds or takes away. */
const longestStep = 5;
/** A change so long ago begins no longer step. */
const runMs = 10_000;
/** After it took away, so long nothing is added. */
const quietMs = 10_000;

/** The state after a look; the same object when nothing changes. */
export function adjustConcurrency(state: ConcurrencyState, observed: ConcurrencyObservation): ConcurrencyState {
  const { nowMs, mostActive, isBusy, maximum } = observed;
  const sinceMs = nowMs - state.changedAtMs;
  const run = sinceMs > runMs ? 0 : state.run;
  if (isBusy) return mostActive > 0 ? change(state, Math.min(run, 0) - 1, nowMs, maximum) : state;
  if (mostActive < state.limit || (run < 0 && sinceMs < quietMs)) return state;
  return change(state, Math.max(run, 0) + 1, nowMs, maximum);
}

function change(state: ConcurrencyState, run: number, nowMs: number, maximum: number): ConcurrencyState {
  const step = Math.sign(run) * Math.min(Math.abs(run), longestStep);
  const limit = Math.max(1, Math.min(maximum, state.limit + step));
  return limit === state.limit ? state : { limit, changedAtMs: nowMs, run };
}
