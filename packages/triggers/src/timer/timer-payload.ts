/** What a timer function gets, byte for byte as the official host writes it. */

import type { TimeZone } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import { jsonData, textData } from '../typed-data.ts';
import type { TimerStatus, ZonedSchedule } from './timer-status.ts';

/** Why the function runs outside its schedule. */
export type UnscheduledReason = 'IsPastDue' | 'RunOnStartup';

/** How the official host writes a time that never was. */
const never = '0001-01-01T00:00:00+00:00';

/** The value of the trigger binding. A timer that keeps no status shows null there. */
export function toTimerData(timing: ZonedSchedule, status: TimerStatus | undefined, isPastDue: boolean): TypedData {
  return jsonData(
    JSON.stringify({
      Schedule: { AdjustForDST: timing.schedule.kind === 'cron' },
      ScheduleStatus:
        status === undefined
          ? null
          : {
              Last: formatOr(never, status.lastMs, timing.zone),
              Next: formatOr(never, status.nextMs, timing.zone),
              LastUpdated: formatOr(never, status.lastUpdatedMs, timing.zone),
            },
      IsPastDue: isPastDue,
    }),
  );
}

/** `trigger_metadata` of a run, and the reason in its log line. */
export function describeFiring(
  firedMs: number,
  zone: TimeZone,
): { readonly metadata: Map<string, TypedData>; readonly reason: string } {
  const { date, time, fraction, offset } = wallClock(firedMs, zone);
  const local = `${date.slice(5, 7)}/${date.slice(8)}/${date.slice(0, 4)} ${time}`;
  return {
    metadata: new Map([['TimerTrigger', textData(local)]]),
    reason: `Timer fired at ${date}T${time}.${fraction}0000${offset}`,
  };
}

/** The `Trigger Details` of a run outside the schedule. */
export function timerDetails(
  reason: UnscheduledReason,
  originalMs: number | undefined,
  zone: TimeZone,
): Record<string, string> {
  if (originalMs === undefined) return { UnscheduledInvocationReason: reason };
  return { UnscheduledInvocationReason: reason, OriginalSchedule: formatRoundTrip(originalMs, zone) };
}

/** A time in its zone: `2024-01-01T01:00:00+01:00`, with milliseconds only where there are some. */
export function formatZoned(timeMs: number, zone: TimeZone): string {
  const { date, time, fraction, offset } = wallClock(timeMs, zone);
  return `${date}T${time}${fraction === '000' ? '' : `.${fraction}`}${offset}`;
}

function formatOr(absent: string, timeMs: number | undefined, zone: TimeZone): string {
  return timeMs === undefined ? absent : formatZoned(timeMs, zone);
}

/** .NET's round-trip format, which always has seven decimals. */
function formatRoundTrip(timeMs: number, zone: TimeZone): string {
  const { date, time, fraction, offset } = wallClock(timeMs, zone);
  return `${date}T${time}.${fraction}0000${offset}`;
}

function wallClock(
  timeMs: number,
  zone: TimeZone,
): { readonly date: string; readonly time: string; readonly fraction: string; readonly offset: string } {
  const offsetMs = zone.spanAt(timeMs).offsetMs;
  const text = new Date(timeMs + offsetMs).toISOString();
  return {
    date: text.slice(0, 10),
    time: text.slice(11, 19),
    fraction: text.slice(20, 23),
    offset: toOffset(offsetMs),
  };
}

function toOffset(offsetMs: number): string {
  const minutes = Math.abs(Math.round(offsetMs / 60_000));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
