import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSubMinute, nextOccurrence, parseSchedule, type Schedule } from './schedule.ts';
import { createTimeZone, type TimeZone, utcTimeZone } from './time-zone.ts';

const hour = 3_600_000;
const utc = (text: string): number => Date.parse(`${text}Z`);
const newYork = createTimeZone('America/New_York');
const berlin = createTimeZone('W. Europe Standard Time');
const lordHowe = createTimeZone('Australia/Lord_Howe');

/** The next times as wall clock and offset, for example `01:30-4`. */
function nextTimes(text: string, zone: TimeZone, after: string, count: number): string[] {
  const schedule = parseSchedule(text);
  const times: string[] = [];
  let atMs = Date.parse(after);
  for (let index = 0; index < count; index += 1) {
    const nextMs = nextOccurrence(schedule, atMs, zone);
    if (nextMs === undefined) break;
    atMs = nextMs;
    const { offsetMs } = zone.spanAt(nextMs);
    const wall = new Date(nextMs + offsetMs).toISOString();
    times.push(`${wall.slice(8, 10)} ${wall.slice(11, 16)}${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / hour}`);
  }
  return times;
}

describe('parseSchedule', () => {
  it('takes cron expressions and TimeSpans', () => {
    expect(parseSchedule('0 */5 * * * *').kind).toBe('cron');
    expect(parseSchedule('*/5 * * * *').kind).toBe('cron');
    expect(parseSchedule('00:00:30')).toEqual({ kind: 'interval', text: '00:00:30', intervalMs: 30_000 });
    expect(parseSchedule('1')).toMatchObject({ intervalMs: 24 * hour });
  });

  it.each([
    ['', 'neither a cron expression'],
    ['every day', 'neither a cron expression'],
    ['* * *', 'neither a cron expression'],
    ['00:00:00', 'longer than nothing'],
    ['-00:00:30', 'longer than nothing'],
    ['0 0 25 * * *', '25 is no hour'],
  ])('refuses %j', (text, problem) => {
    expect(() => parseSchedule(text)).toThrow(problem);
  });

  it('answers any text with a schedule or a SCHEDULE_INVALID', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (garbage) => {
        try {
          parseSchedule(garbage);
        } catch (thrown) {
          expect(isPlatformError(thrown) && thrown.code).toBe('SCHEDULE_INVALID');
        }
      }),
    );
  });
});

describe('nextOccurrence', () => {
  it('adds intervals without regard to any calendar', () => {
    expect(nextOccurrence(parseSchedule('01:00:00'), utc('2024-03-10T06:30:00'), newYork)).toBe(
      utc('2024-03-10T07:30:00'),
    );
  });

  it('keeps to the wall clock of its zone', () => {
    expect(nextTimes('0 0 9 * * *', newYork, '2024-03-09T00:00:00Z', 3)).toEqual([
      '09 09:00-5',
      '10 09:00-4',
      '11 09:00-4',
    ]);
    expect(nextTimes('0 0 9 * * *', utcTimeZone, '2024-03-09T00:00:00Z', 2)).toEqual(['09 09:00+0', '10 09:00+0']);
  });

  describe('when clocks go forward', () => {
    it('runs a skipped time once, where it would have come without the change', () => {
      expect(nextTimes('0 30 2 * * *', newYork, '2024-03-09T00:00:00Z', 3)).toEqual([
        '09 02:30-5',
        '10 03:30-4',
        '11 02:30-4',
      ]);
      expect(nextTimes('0 0 2 * * *', berlin, '2024-03-30T12:00:00Z', 2)).toEqual(['31 03:00+2', '01 02:00+2']);
    });

    it('runs many skipped times once', () => {
      expect(nextTimes('0 */20 2 * * *', newYork, '2024-03-10T05:00:00Z', 2)).toEqual(['10 03:00-4', '11 02:00-4']);
      expect(nextTimes('0 30 2,3 * * *', newYork, '2024-03-10T05:00:00Z', 2)).toEqual(['10 03:30-4', '11 02:30-4']);
    });

    it('does not disturb a schedule that repeats all day', () => {
      expect(nextTimes('0 */30 * * * *', newYork, '2024-03-10T06:00:00Z', 4)).toEqual([
        '10 01:30-5',
        '10 03:00-4',
        '10 03:30-4',
        '10 04:00-4',
      ]);
      expect(nextTimes('0 15 * * * *', newYork, '2024-03-10T06:00:00Z', 3)).toEqual([
        '10 01:15-5',
        '10 03:15-4',
        '10 04:15-4',
      ]);
    });

    it('knows changes of half an hour', () => {
      expect(nextTimes('0 15 2 * * *', lordHowe, '2024-10-05T12:00:00Z', 2)).toEqual(['06 02:45+11', '07 02:15+11']);
    });
  });

  describe('when clocks go back', () => {
    it('runs a repeating schedule in both passes', () => {
      expect(nextTimes('0 */30 * * * *', newYork, '2024-11-03T04:30:00Z', 6)).toEqual([
        '03 01:00-4',
        '03 01:30-4',
        '03 01:00-5',
        '03 01:30-5',
        '03 02:00-5',
        '03 02:30-5',
      ]);
    });

    it('runs any other schedule in the first pass alone', () => {
      expect(nextTimes('0 30 1 * * *', newYork, '2024-11-02T12:00:00Z', 2)).toEqual(['03 01:30-4', '04 01:30-5']);
      expect(nextTimes('0 0 1 * * *', newYork, '2024-11-03T05:30:00Z', 1)).toEqual(['04 01:00-5']);
      expect(nextTimes('0 30 2 * * *', berlin, '2024-10-26T12:00:00Z', 2)).toEqual(['27 02:30+2', '28 02:30+1']);
    });

    it('is not due in the second pass when it starts there', () => {
      expect(nextTimes('0 30 1 * * *', newYork, '2024-11-03T06:10:00Z', 1)).toEqual(['04 01:30-5']);
      expect(nextTimes('0 30 1 3 11 *', newYork, '2024-01-01T00:00:00Z', 1)).toEqual(['03 01:30-4']);
    });

    it('takes the end of the repeated stretch as an ordinary time', () => {
      expect(nextTimes('0 0 2 * * *', newYork, '2024-11-03T05:30:00Z', 1)).toEqual(['03 02:00-5']);
    });
  });

  it('answers undefined for dates that never come, at once', () => {
    expect(nextOccurrence(parseSchedule('0 0 0 30 2 *'), utc('2024-01-01T00:00:00'), newYork)).toBeUndefined();
  });

  it('finds dates that are decades away', () => {
    expect(nextOccurrence(parseSchedule('0 0 0 29 2 MON'), utc('2024-03-01T00:00:00'), newYork)).toBe(
      utc('2044-02-29T05:00:00'),
    );
  });

  it('agrees with trying every second around the changes of many zones', () => {
    const zones = [
      'America/New_York',
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'America/St_Johns',
      'Africa/Casablanca',
    ].map(createTimeZone);
    const minutes = fc.oneof(fc.constantFrom('*', '*/15', '0', '30', '7'), fc.integer({ min: 0, max: 59 }).map(String));
    const hours = fc.constantFrom('*', '0', '1', '2', '3', '1,2', '0-5', '*/2', '1-3/2');
    const setting = fc.record({
      zone: fc.constantFrom(...zones),
      minutes,
      hours,
      year: fc.integer({ min: 2019, max: 2030 }),
      change: fc.integer({ min: 0, max: 3 }),
      leadMinutes: fc.integer({ min: -300, max: 300 }),
    });
    fc.assert(
      fc.property(setting, ({ zone, minutes: m, hours: h, year, change, leadMinutes }) => {
        const changes = changesOfYear(zone, year);
        const changeMs = changes[change % changes.length] ?? Date.UTC(year, 5, 1);
        const schedule = parseSchedule(`0 ${m} ${h} * * *`);
        const afterMs = changeMs + leadMinutes * 60_000;
        expect(nextOccurrence(schedule, afterMs, zone)).toBe(bruteForce(schedule, afterMs, zone));
      }),
      { numRuns: 400 },
    );
  });

  it('always moves forward, in any zone and any year', () => {
    const expressions = ['*/10 * * * * *', '0 0 3 * * *', '0 30 1 1 * *', '0 0 0 29 2 *', '0 15 2 * 3,10,11 SUN'];
    const instant = fc.integer({ min: utc('1971-01-01T00:00:00'), max: utc('2200-01-01T00:00:00') });
    fc.assert(
      fc.property(
        fc.constantFrom(...expressions),
        fc.constantFrom(newYork, berlin, lordHowe),
        instant,
        (text, zone, atMs) => {
          const schedule = parseSchedule(text);
          const nextMs = nextOccurrence(schedule, atMs, zone);
          expect(nextMs).toBeGreaterThan(atMs);
          // Nothing lies between: asked from just before it, the answer is the same.
          expect(nextOccurrence(schedule, (nextMs ?? 0) - 1, zone)).toBe(nextMs);
        },
      ),
    );
  });
});

describe('isSubMinute', () => {
  it.each([
    ['*/30 * * * * *', true],
    ['0 * * * * *', false],
    ['0,10 0 0 * * *', false],
    ['00:00:59', true],
    ['00:01:00', false],
    ['0 0 0 30 2 *', false],
  ])('%s', (text, expected) => {
    expect(isSubMinute(parseSchedule(text), utc('2024-01-01T12:00:10'), utcTimeZone)).toBe(expected);
  });
});

function changesOfYear(zone: TimeZone, year: number): number[] {
  const changes: number[] = [];
  for (let atMs = Date.UTC(year, 0, 1); atMs < Date.UTC(year + 1, 0, 1); atMs = zone.spanAt(atMs).endMs) {
    const span = zone.spanAt(atMs);
    if (span.offsetMs !== span.previousOffsetMs) changes.push(span.startMs);
  }
  return changes;
}

/** The documented rules, tried minute by minute: what is due at an instant depends on the clocks before and after a change. */
function bruteForce(schedule: Schedule, afterMs: number, zone: TimeZone): number | undefined {
  if (schedule.kind !== 'cron') return undefined;
  const { cron } = schedule;
  const matches = (wallMs: number): boolean => {
    const date = new Date(wallMs);
    return cron.minutes.values.includes(date.getUTCMinutes()) && cron.hours.values.includes(date.getUTCHours());
  };
  const firstMs = Math.floor(afterMs / 60_000) * 60_000 + 60_000;
  for (let atMs = firstMs; atMs < firstMs + 3 * 24 * hour; atMs += 60_000) {
    const { startMs, offsetMs, previousOffsetMs } = zone.spanAt(atMs);
    const oldWallMs = atMs + previousOffsetMs;
    const isRepeated = offsetMs < previousOffsetMs && atMs + offsetMs < startMs + previousOffsetMs;
    if (matches(atMs + offsetMs) && (cron.repeating || !isRepeated)) return atMs;
    const isSkipped = offsetMs > previousOffsetMs && oldWallMs < startMs + offsetMs;
    if (isSkipped && matches(oldWallMs)) {
      let earlier = false;
      for (let wallMs = startMs + previousOffsetMs; wallMs < oldWallMs; wallMs += 60_000) earlier ||= matches(wallMs);
      if (!earlier) return atMs;
    }
  }
  return undefined;
}
