import { createTimeZone, parseSchedule, utcTimeZone } from '@switchyard/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planTimerStart, statusAfterRun, type ZonedSchedule } from './timer-status.ts';

const hourly: ZonedSchedule = { schedule: parseSchedule('0 0 * * * *'), zone: utcTimeZone };
const everyTenMinutes: ZonedSchedule = { schedule: parseSchedule('00:10:00'), zone: utcTimeZone };
const at = (text: string): number => Date.parse(`2024-01-01T${text}Z`);

describe('planTimerStart', () => {
  it('writes a first status and is not past due', () => {
    expect(planTimerStart(undefined, hourly, at('10:30:00'))).toEqual({
      status: { lastMs: undefined, nextMs: at('11:00:00'), lastUpdatedMs: at('10:30:00') },
      changed: true,
      missedMs: undefined,
    });
  });

  it('goes on with a status that the schedule would have produced', () => {
    const stored = { lastMs: at('10:00:00'), nextMs: at('11:00:00'), lastUpdatedMs: at('10:00:00') };
    expect(planTimerStart(stored, hourly, at('10:30:00'))).toEqual({
      status: stored,
      changed: false,
      missedMs: undefined,
    });
  });

  it('is past due once the recorded occurrence is behind, not at it', () => {
    const stored = { lastMs: at('10:00:00'), nextMs: at('11:00:00'), lastUpdatedMs: at('10:00:00') };
    expect(planTimerStart(stored, hourly, at('11:00:00')).missedMs).toBeUndefined();
    expect(planTimerStart(stored, hourly, at('11:00:01')).missedMs).toBe(at('11:00:00'));
    expect(planTimerStart(stored, hourly, at('15:00:00')).missedMs).toBe(at('11:00:00'));
  });

  it('counts a timer that never ran from its first status', () => {
    const stored = { lastMs: undefined, nextMs: at('11:00:00'), lastUpdatedMs: at('10:30:00') };
    expect(planTimerStart(stored, hourly, at('12:00:00')).missedMs).toBe(at('11:00:00'));
    const bare = { lastMs: undefined, nextMs: at('11:07:00'), lastUpdatedMs: undefined };
    expect(planTimerStart(bare, hourly, at('12:00:00')).missedMs).toBe(at('11:07:00'));
  });

  it('takes a changed schedule from now on, without being past due', () => {
    const stored = { lastMs: at('10:00:00'), nextMs: at('23:00:00'), lastUpdatedMs: at('10:00:00') };
    const plan = planTimerStart(stored, hourly, at('12:30:00'));
    expect(plan).toEqual({
      status: { lastMs: undefined, nextMs: at('13:00:00'), lastUpdatedMs: at('12:30:00') },
      changed: true,
      missedMs: undefined,
    });
    expect(planTimerStart(stored, hourly, at('10:30:00')).status.nextMs).toBe(at('11:00:00'));
  });

  it('counts intervals from the last run', () => {
    const stored = statusAfterRun(everyTenMinutes, at('10:03:00'));
    expect(stored.nextMs).toBe(at('10:13:00'));
    expect(planTimerStart(stored, everyTenMinutes, at('10:20:00')).missedMs).toBe(at('10:13:00'));
  });

  it('reads schedules in their time zone', () => {
    const berlin = { schedule: parseSchedule('0 30 9 * * *'), zone: createTimeZone('Europe/Berlin') };
    expect(planTimerStart(undefined, berlin, at('00:00:00')).status.nextMs).toBe(at('08:30:00'));
  });

  it('of a status of its own never sees a changed schedule', () => {
    const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(fc.constantFrom(hourly, everyTenMinutes), time, time, (timing, firedMs, laterMs) => {
        const plan = planTimerStart(statusAfterRun(timing, firedMs), timing, firedMs + laterMs);
        expect(plan.changed).toBe(false);
      }),
    );
  });
});
