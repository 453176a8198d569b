import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTimeSpan, parseTimeSpan } from './time-span.ts';

const second = 1_000;
const hour = 3_600_000;
const day = 24 * hour;

describe('parseTimeSpan', () => {
  it.each([
    ['00:00:30', 30 * second],
    ['1:2:3', hour + 2 * 60 * second + 3 * second],
    ['05:00', 5 * hour],
    ['1.02:03:04', day + 2 * hour + 3 * 60 * second + 4 * second],
    ['1:02:03:04', day + 2 * hour + 3 * 60 * second + 4 * second],
    ['1.02:03', day + 2 * hour + 3 * 60 * second],
    ['-00:00:01', -second],
    ['00:00:00.1', 100],
    ['00:00:00.0000001', 0.0001],
    ['  00:01:00 ', 60 * second],
    ['7', 7 * day],
    ['-1', -day],
    ['0', 0],
    ['-0', 0],
    ['24:00:00', 24 * day],
    ['30:12:30', 30 * day + 12 * hour + 30 * 60 * second],
    ['25:00:00:00', 25 * day],
  ])('reads %s', (text, expected) => {
    expect(parseTimeSpan(text)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    'x',
    '1.',
    '.5',
    '1.5',
    '24:00',
    '00:60',
    '00:00:60',
    '23:60:00',
    '24:24:00',
    '1.24:00:00',
    '00:00:00.',
    '00:00:00.12345678',
    '1:2:3:4:5',
    '--1',
    '+1',
    '99999999',
    '00:00:00Z',
    '0 0 * * *',
    '1,5',
    '00::00',
  ])('refuses %j', (text) => {
    expect(parseTimeSpan(text)).toBeUndefined();
  });

  it('reads back what formatTimeSpan writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000 * day, max: 1_000 * day }), (durationMs) => {
        expect(parseTimeSpan(formatTimeSpan(durationMs))).toBe(durationMs);
      }),
    );
  });

  it('answers any text', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'0123456789:.-+ ') }));
    fc.assert(
      fc.property(text, (garbage) => {
        const durationMs = parseTimeSpan(garbage);
        expect(durationMs === undefined || Number.isFinite(durationMs)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('formatTimeSpan', () => {
  it.each([
    [0, '00:00:00'],
    [30 * second, '00:00:30'],
    [day, '1.00:00:00'],
    [100, '00:00:00.1000000'],
    [-90 * second, '-00:01:30'],
    [0.0001, '00:00:00.0000001'],
    [999.99999, '00:00:01'],
    [-0.00001, '00:00:00'],
    [10_675_199 * day, '10675199.00:00:00'],
  ])('writes %s ms', (durationMs, expected) => {
    expect(formatTimeSpan(durationMs)).toBe(expected);
  });
});
