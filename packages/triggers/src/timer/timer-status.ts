/**
 * What a timer remembers between runs and restarts, and what follows from it. Pure: the time is an argument.
 *
 * The rules are those of the official timer: a start with a status is past due when the recorded next occurrence lies
 * behind; a status that the schedule would not have produced means that the schedule was changed.
 */
import { nextOccurrence, type Schedule, type TimeZone } from '@switchyard/model';

/** Times in milliseconds since the Unix epoch; undefined means never. */
export interface TimerStatus {
  /** When the function was last run. */
  readonly lastMs: number | undefined;
  /** When it is due; undefined when the schedule has no further occurrence. */
  readonly nextMs: number | undefined;
  /** When this was last written. */
  readonly lastUpdatedMs: number | undefined;
}

/** A schedule in its time zone. */
export interface ZonedSchedule {
  readonly schedule: Schedule;
  readonly zone: TimeZone;
}

/** How a timer starts. */
export interface TimerStart {
  readonly status: TimerStatus;
  /** True when `status` is news for the store. */
  readonly changed: boolean;
  /** The occurrence that was missed, if one was. */
  readonly missedMs: number | undefined;
}

/** Decides how to start from what the store remembers, or from nothing. */
export function planTimerStart(stored: TimerStatus | undefined, timing: ZonedSchedule, nowMs: number): TimerStart {
  if (stored === undefined) {
    const status = { lastMs: undefined, nextMs: next(timing, nowMs), lastUpdatedMs: nowMs };
    return { status, changed: true, missedMs: undefined };
  }
  const baseMs = stored.lastMs ?? stored.lastUpdatedMs;
  const expectedMs = baseMs === undefined ? stored.nextMs : next(timing, baseMs);
  if (expectedMs !== stored.nextMs) {
    // The schedule was changed. What it would have had in the past was never promised to anyone.
    const isPast = expectedMs !== undefined && nowMs > expectedMs;
    const status = { lastMs: undefined, nextMs: isPast ? next(timing, nowMs) : expectedMs, lastUpdatedMs: nowMs };
    return { status, changed: true, missedMs: undefined };
  }
  const isPastDue = stored.nextMs !== undefined && nowMs > stored.nextMs;
  return { status: stored, changed: false, missedMs: isPastDue ? stored.nextMs : undefined };
}

/** The status after a run that began at `firedMs`. */
export function statusAfterRun(timing: ZonedSchedule, firedMs: number): TimerStatus {
  return { lastMs: firedMs, nextMs: next(timing, firedMs), lastUpdatedMs: firedMs };
}

function next({ schedule, zone }: ZonedSchedule, afterMs: number): number | undefined {
  const dueMs = nextOccurrence(schedule, afterMs, zone);
  // The store keeps whole milliseconds, and a status must come back as it went.
  return dueMs === undefined ? undefined : Math.ceil(dueMs);
}
