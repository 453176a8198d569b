/**
 * When a timer is due: a cron expression in a time zone, or a fixed interval.
 *
 * Clock changes follow the official timer (timer extension since 2024, "Daylight Saving" rules of its CronSchedule):
 * - When clocks go forward, times within the skipped stretch are due once: at the moment at which the first of them
 *   would have come had the clock not changed (a daily 02:30 runs at 03:30 that day).
 * - When clocks go back, a schedule that repeats within the day goes on through both passes of the repeated stretch;
 *   any other runs in the first pass alone.
 */
import { type CronExpression, looksLikeCron, nextWallTime, parseCron } from './cron.ts';
import { modelErrors } from './errors.ts';
import { parseTimeSpan } from './time-span.ts';
import type { OffsetSpan, TimeZone } from './time-zone.ts';

/** A parsed schedule. `text` is what was parsed. */
export type Schedule =
  | { readonly kind: 'cron'; readonly text: string; readonly cron: CronExpression }
  | { readonly kind: 'interval'; readonly text: string; readonly intervalMs: number };

const minuteMs = 60_000;

/** A search looks at no more spans than this; it leaps to where the next one can be, so it needs few. */
const maxSpans = 100;

/**
 * Parses a six-field or five-field cron expression, else a TimeSpan such as `00:05:00`.
 * @throws PlatformError SCHEDULE_INVALID
 */
export function parseSchedule(text: string): Schedule {
  if (looksLikeCron(text)) return { kind: 'cron', text, cron: parseCron(text) };
  const intervalMs = parseTimeSpan(text);
  if (intervalMs === undefined) {
    const problem =
      'it is neither a cron expression of six (seconds first) or five fields nor a TimeSpan such as 00:05:00';
    throw modelErrors.create('SCHEDULE_INVALID', { schedule: text, problem });
  }
  if (intervalMs < 1) {
    throw modelErrors.create('SCHEDULE_INVALID', {
      schedule: text,
      problem: 'an interval must be longer than nothing',
    });
  }
  return { kind: 'interval', text, intervalMs };
}

/** The first time after `afterMs` at which the schedule is due, or undefined when it never is again. */
export function nextOccurrence(schedule: Schedule, afterMs: number, zone: TimeZone): number | undefined {
  if (schedule.kind === 'interval') return afterMs + schedule.intervalMs;
  if (schedule.cron.impossible) return undefined;
  let span = zone.spanAt(afterMs);
  let fromMs = afterMs;
  for (let crossed = 0; crossed < maxSpans; crossed += 1) {
    const dueMs = nextWithinSpan(schedule.cron, fromMs, span);
    if (dueMs === undefined) return undefined;
    if (dueMs < span.endMs) return dueMs;
    // Nothing is due before `dueMs` on this span's clock, so spans that end a day before it can be skipped.
    const nextMs = Math.max(span.endMs, dueMs - 2 * 86_400_000);
    span = zone.spanAt(nextMs);
    fromMs = Math.max(span.startMs, nextMs) - 1;
  }
  return undefined;
}

/**
 * True when the schedule is due more than once within a minute. The official timer keeps no status for those.
 */
export function isSubMinute(schedule: Schedule, nowMs: number, zone: TimeZone): boolean {
  if (schedule.kind === 'interval') return schedule.intervalMs < minuteMs;
  const firstMs = nextOccurrence(schedule, nowMs, zone);
  const secondMs = firstMs === undefined ? undefined : nextOccurrence(schedule, firstMs, zone);
  return secondMs !== undefined && secondMs < nowMs + minuteMs;
}

/**
 * The first instant after `afterMs` at which the expression is due by the clock of `span`. It may lie at or beyond the
 * span's end: then nothing is due in the rest of the span.
 */
function nextWithinSpan(cron: CronExpression, afterMs: number, span: OffsetSpan): number | undefined {
  const shiftMs = span.offsetMs - span.previousOffsetMs;
  const skippedMs = shiftMs > 0 ? firstSkipped(cron, span) : undefined;
  const repeatedUntilMs = shiftMs < 0 && !cron.repeating ? span.startMs - shiftMs : span.startMs;
  const fromMs = Math.max(afterMs, repeatedUntilMs - 1);
  const wallMs = nextWallTime(cron, fromMs + span.offsetMs);
  const regularMs = wallMs === undefined ? undefined : wallMs - span.offsetMs;
  if (skippedMs === undefined || skippedMs <= afterMs) return regularMs;
  return regularMs === undefined ? skippedMs : Math.min(regularMs, skippedMs);
}

/** When clocks went forward at the start of the span: the moment at which the first of the skipped times is due. */
function firstSkipped(cron: CronExpression, span: OffsetSpan): number | undefined {
  const wallMs = nextWallTime(cron, span.startMs - 1 + span.previousOffsetMs);
  return wallMs === undefined || wallMs >= span.startMs + span.offsetMs ? undefined : wallMs - span.previousOffsetMs;
}
