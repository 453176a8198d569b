import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CronExpression, type CronField, nextWallTime, parseCron } from './cron.ts';

const utc = (text: string): number => Date.parse(`${text}Z`);
const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 19);

describe('parseCron', () => {
  const values = (text: string): number[][] => {
    const cron = parseCron(text);
    return [cron.seconds, cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays].map((field) => [
      ...field.values,
    ]);
  };

  it('reads lists, ranges, steps and names', () => {
    expect(values('0 */15 9-11 1,15 jan,MAR-Apr Mon-fri')).toEqual([
      [0],
      [0, 15, 30, 45],
      [9, 10, 11],
      [1, 15],
      [1, 3, 4],
      [1, 2, 3, 4, 5],
    ]);
    expect(values('5/20 10-20/5 * * * *').slice(0, 2)).toEqual([
      [5, 25, 45],
      [10, 15, 20],
    ]);
  });

  it('puts second zero before five fields', () => {
    expect(values('30 6 * * *')[0]).toEqual([0]);
    expect(values('30 6 * * *')[1]).toEqual([30]);
  });

  it('follows NCrontab in its corners', () => {
    expect(values('0 0 0 * * FRI-MON')[5]).toEqual([1, 2, 3, 4, 5]);
    expect(values('0 50-10/20 * * * *')[1]).toEqual([10, 30, 50]);
    expect(values('0 */0 * * * *')[1]).toHaveLength(60);
    expect(values('0 0 0 * J S')[4]).toEqual([1]);
    expect(values('  0  0 0 1   1 0 ')[3]).toEqual([1]);
    expect(values('0 0 0 31-31/5 * *')[3]).toEqual([31]);
  });

  it.each([
    ['* * * *', 'it has 4 fields'],
    ['* * * * * * *', 'it has 7 fields'],
    ['60 * * * * *', '60 is no second: it must be 0 to 59'],
    ['0 0 24 * * *', '24 is no hour'],
    ['0 0 0 0 * *', '0 is no day: it must be 1 to 31'],
    ['0 0 0 * 13 *', '13 is no month'],
    ['0 0 0 * * 7', '7 is no day-of-week: it must be 0 to 6; Sunday is 0'],
    ['0 0 0 L * *', '"L" is no day'],
    ['0 0 0 15W * *', '"15W" is no day'],
    ['0 0 0 * * MON#2', '"MON#2" is no day-of-week'],
    ['0 0 0 ? * *', '"?" is no day'],
    ['0 1,,2 * * * *', '"" is no minute'],
    ['0 */x * * * *', 'the step "x" of its minute field'],
    ['0 */ * * * *', 'the step "" of its minute field'],
    ['0 -5 * * * *', '"-5" is no minute'],
    ['0 1- * * * *', '"" is no minute'],
    ['0 * * * foo *', '"foo" is no month: it must be 1 to 12, or a name such as february'],
    ['0 99999999999999999999 * * * *', 'is no minute'],
  ])('refuses %j and says why', (text, problem) => {
    expect(() => parseCron(text)).toThrow(problem);
    expect(() => parseCron(text)).toThrow(`"${text}"`);
  });

  it.each([
    ['0 0 0 30 2 *', true],
    ['0 0 0 31 4,6,9,11 *', true],
    ['0 0 0 29 2 *', false],
    ['0 0 0 31 2,3 *', false],
    ['0 0 0 30,31 2 *', true],
  ])('knows whether %s can ever be due', (text, impossible) => {
    expect(parseCron(text).impossible).toBe(impossible);
  });

  it.each([
    ['* * * * * *', true],
    ['0 * * * * *', true],
    ['0 0 * * * *', true],
    ['0 */30 * * * *', true],
    ['0 */30 1 * * *', false],
    ['0 0,1 3 * * *', true],
    ['0 30 1 * * *', false],
    ['0 0 */2 * * *', false],
    ['0 0 9-17 * * *', true],
  ])('tells whether %s repeats within the day', (text, repeating) => {
    expect(parseCron(text).repeating).toBe(repeating);
  });

  it('answers any text with an expression or a SCHEDULE_INVALID', () => {
    const piece = fc.constantFrom('*', '/', '-', ',', '1', '31', '7', 'MON', 'jan', ' ', 'L', '#', '', '99');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 30 }).map((p) => p.join('')),
        ),
        (garbage) => {
          try {
            expect(parseCron(garbage).seconds.values.length).toBeGreaterThan(0);
          } catch (thrown) {
            expect(isPlatformError(thrown) && thrown.code).toBe('SCHEDULE_INVALID');
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('nextWallTime', () => {
  it.each([
    ['0 */5 * * * *', '2024-03-01T10:04:59.999', '2024-03-01T10:05:00'],
    ['0 */5 * * * *', '2024-03-01T10:05:00', '2024-03-01T10:10:00'],
    ['0 0 * * * *', '2024-12-31T23:59:59', '2025-01-01T00:00:00'],
    ['*/20 * * * * *', '2024-01-01T00:00:59', '2024-01-01T00:01:00'],
    ['0 30 9 * * 1-5', '2024-03-01T09:30:00', '2024-03-04T09:30:00'],
    ['0 0 0 29 2 *', '2024-02-29T00:00:00', '2028-02-29T00:00:00'],
    ['0 0 0 29 2 *', '2096-03-01T00:00:00', '2104-02-29T00:00:00'],
    ['0 0 0 29 2 1', '2024-01-01T00:00:00', '2044-02-29T00:00:00'],
    ['0 0 12 31 * *', '2024-01-31T12:00:00', '2024-03-31T12:00:00'],
    ['0 0 0 13 * FRI', '2024-01-01T00:00:00', '2024-09-13T00:00:00'],
    ['59 59 23 31 12 *', '2024-01-01T00:00:00', '2024-12-31T23:59:59'],
    ['0 0 0 30 2 *', '2024-01-01T00:00:00', undefined],
  ])('%s after %s', (text, after, expected) => {
    expect(iso(nextWallTime(parseCron(text), utc(after)))).toBe(expected);
  });

  it('agrees with trying every second', () => {
    const field = (minimum: number, maximum: number) =>
      fc.oneof(
        { weight: 2, arbitrary: fc.constant('*') },
        fc.integer({ min: minimum, max: maximum }).map(String),
        fc
          .tuple(fc.integer({ min: minimum, max: maximum }), fc.integer({ min: 1, max: 9 }))
          .map(([n, s]) => `${n}/${s}`),
      );
    const expression = fc.tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6));
    const start = fc.integer({ min: utc('2023-12-20T00:00:00') / 1_000, max: utc('2024-03-02T00:00:00') / 1_000 });
    fc.assert(
      fc.property(expression, start, (fields, startSecond) => {
        const cron = parseCron(fields.join(' '));
        const expected = bruteForce(cron, startSecond * 1_000, 3 * 3_600);
        const actual = nextWallTime(cron, startSecond * 1_000);
        if (expected !== undefined) expect(iso(actual)).toBe(iso(expected));
        else if (actual !== undefined) expect(actual).toBeGreaterThan((startSecond + 3 * 3_600) * 1_000);
      }),
      { numRuns: 150 },
    );
  });

  it('agrees with trying every day over a leap century', () => {
    const days = fc.uniqueArray(fc.integer({ min: 1, max: 31 }), { minLength: 1, maxLength: 3 });
    const months = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 2 });
    const weekdays = fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(days, months, weekdays, fc.integer({ min: 0, max: 40_000 }), (d, m, w, startDay) => {
        const cron = parseCron(`0 0 0 ${d.join()} ${m.join()} ${w.join()}`);
        const startMs = startDay * 86_400_000;
        let expected: number | undefined;
        for (let day = 1; day <= 42 * 366 && expected === undefined; day += 1) {
          if (isDue(cron, startMs + day * 86_400_000)) expected = startMs + day * 86_400_000;
        }
        expect(iso(nextWallTime(cron, startMs))).toBe(iso(expected));
      }),
      { numRuns: 60 },
    );
  });
});

function bruteForce(cron: CronExpression, afterMs: number, seconds: number): number | undefined {
  for (let passed = 1; passed <= seconds; passed += 1) {
    if (isDue(cron, afterMs + passed * 1_000)) return afterMs + passed * 1_000;
  }
  return undefined;
}

function isDue(cron: CronExpression, wallMs: number): boolean {
  const date = new Date(wallMs);
  const has = (field: CronField, value: number): boolean => field.values.includes(value);
  return (
    has(cron.seconds, date.getUTCSeconds()) &&
    has(cron.minutes, date.getUTCMinutes()) &&
    has(cron.hours, date.getUTCHours()) &&
    has(cron.days, date.getUTCDate()) &&
    has(cron.months, date.getUTCMonth() + 1) &&
    has(cron.weekdays, date.getUTCDay())
  );
}
