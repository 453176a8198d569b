/** Which run of a timer comes next. Pure: times are arguments. */
import type { InvocationOutcome } from '../contract.ts';
import type { UnscheduledReason } from './timer-payload.ts';
import { statusAfterRun, type TimerStatus, type ZonedSchedule } from './timer-status.ts';

/** A run that takes its worker down is tried this often; one that never began is tried until the next is due. */
const maxLostRuns = 3;

/** One run to come. */
export interface TimerRun {
  readonly dueMs: number;
  /** Why it lies outside the schedule, if it does. */
  readonly reason: UnscheduledReason | undefined;
  /** The occurrence that it makes up for. */
  readonly originalMs: number | undefined;
  /** How often it was tried before. */
  readonly attempt: number;
  /** How often a worker was lost over it. */
  readonly lostRuns: number;
}

/** What follows from the end of a run. */
export interface AfterRun {
  /** The new status, or undefined when the run still has to take place. */
  readonly status: TimerStatus | undefined;
  /** The next run, or undefined when the schedule has no further occurrence. */
  readonly next: TimerRun | undefined;
}

/** A run on schedule, or a first one outside it. */
export function firstTry(dueMs: number, reason?: UnscheduledReason, originalMs?: number): TimerRun {
  return { dueMs, reason, originalMs, attempt: 0, lostRuns: 0 };
}

/**
 * Decides what comes after a run that began at `firedMs`. `retryAtMs` is when it would be tried again. A timeout counts
 * as a run, since the function did run; other losses do not.
 */
export function planAfterRun(
  run: TimerRun,
  outcome: InvocationOutcome,
  timing: ZonedSchedule,
  firedMs: number,
  retryAtMs: number,
): AfterRun {
  const status = statusAfterRun(timing, firedMs);
  const regular = status.nextMs === undefined ? undefined : firstTry(status.nextMs);
  const lostRuns = run.lostRuns + (outcome.kind === 'lost' && outcome.reason === 'worker-lost' ? 1 : 0);
  if (outcome.kind !== 'lost' || outcome.reason === 'timeout' || lostRuns >= maxLostRuns) {
    return { status, next: regular };
  }
  const retry: TimerRun = {
    dueMs: retryAtMs,
    reason: 'IsPastDue',
    originalMs: run.originalMs ?? run.dueMs,
    attempt: run.attempt + 1,
    lostRuns,
  };
  const isTooLate = regular !== undefined && regular.dueMs <= retryAtMs;
  return { status: undefined, next: isTooLate ? regular : retry };
}
