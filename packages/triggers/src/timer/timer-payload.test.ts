import { createTimeZone, parseSchedule, utcTimeZone } from '@switchyard/model';
import { describe, expect, it } from 'vitest';
import { jsonData, textData } from '../typed-data.ts';
import { describeFiring, formatZoned, timerDetails, toTimerData } from './timer-payload.ts';

const cron = { schedule: parseSchedule('0 0 * * * *'), zone: utcTimeZone };
const berlin = createTimeZone('Europe/Berlin');
const noonMs = Date.UTC(2024, 5, 1, 12);

describe('toTimerData', () => {
  it('is what the recorded hosts send when no status is kept', () => {
    expect(toTimerData(cron, undefined, false)).toEqual(
      jsonData('{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}'),
    );
  });

  it('shows the status, with the first day of .NET for what never was', () => {
    const status = { lastMs: undefined, nextMs: noonMs, lastUpdatedMs: noonMs + 7 };
    expect(toTimerData({ ...cron, zone: berlin }, status, true)).toEqual(
      jsonData(
        '{"Schedule":{"AdjustForDST":true},"ScheduleStatus":{"Last":"0001-01-01T00:00:00+00:00",' +
          '"Next":"2024-06-01T14:00:00+02:00","LastUpdated":"2024-06-01T14:00:00.007+02:00"},"IsPastDue":true}',
      ),
    );
  });

  it('does not adjust intervals', () => {
    const interval = { schedule: parseSchedule('00:05:00'), zone: utcTimeZone };
    expect(toTimerData(interval, undefined, false)).toEqual(
      jsonData('{"Schedule":{"AdjustForDST":false},"ScheduleStatus":null,"IsPastDue":false}'),
    );
  });
});

describe('the texts of a run', () => {
  it('are in the time zone of the app', () => {
    const { metadata, reason } = describeFiring(noonMs + 3, berlin);
    expect([...metadata]).toEqual([['TimerTrigger', textData('06/01/2024 14:00:00')]]);
    expect(reason).toBe('Timer fired at 2024-06-01T14:00:00.0030000+02:00');
    expect(timerDetails('IsPastDue', noonMs, utcTimeZone)).toEqual({
      UnscheduledInvocationReason: 'IsPastDue',
      OriginalSchedule: '2024-06-01T12:00:00.0000000+00:00',
    });
    expect(timerDetails('RunOnStartup', undefined, utcTimeZone)).toEqual({
      UnscheduledInvocationReason: 'RunOnStartup',
    });
  });

  it('write offsets west of Greenwich and of half hours', () => {
    expect(formatZoned(noonMs, createTimeZone('America/New_York'))).toBe('2024-06-01T08:00:00-04:00');
    expect(formatZoned(noonMs, createTimeZone('Asia/Kolkata'))).toBe('2024-06-01T17:30:00+05:30');
  });
});
