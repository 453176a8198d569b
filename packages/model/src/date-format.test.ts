import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDate } from './date-format.ts';

const time = Date.parse('2024-03-05T15:04:09.120Z');

describe('formatDate', () => {
  it.each([
    ['yyyy-MM-ddTHH-mm-ssK', '2024-03-05T15-04-09Z'],
    ['yyyy/M/d', '2024/3/5'],
    ['yy y', '24 24'],
    ['yyyyy', '02024'],
    ['ddd dddd MMM MMMM', 'Tue Tuesday Mar March'],
    ['h:mm tt', '3:04 PM'],
    ['hh t', '03 P'],
    ['HHH mmm sss', '15 04 09'],
    ['ss.fff', '09.120'],
    ['ss.fffffff', '09.1200000'],
    ['ss.FFF', '09.12'],
    ['z zz zzz', '+0 +00 +00:00'],
    ['%d', '5'],
    ["'at' HH\\h", 'at 15h'],
    ['"day" dd', 'day 05'],
    ['d', '03/05/2024'],
    ['D', 'Tuesday, 05 March 2024'],
    ['G', '03/05/2024 15:04:09'],
    ['s', '2024-03-05T15:04:09'],
    ['u', '2024-03-05 15:04:09Z'],
    ['o', '2024-03-05T15:04:09.1200000Z'],
    ['R', 'Tue, 05 Mar 2024 15:04:09 GMT'],
    ['Y', '2024 March'],
    ['t', '15:04'],
    ['gg', 'A.D.'],
  ])('%s', (format, expected) => {
    expect(formatDate(time, format)).toBe(expected);
  });

  it('drops the decimal point before an empty fraction, and says noon and midnight', () => {
    expect(formatDate(Date.parse('2024-01-01T00:00:00Z'), 'ss.FFF hh tt')).toBe('00 12 AM');
    expect(formatDate(Date.parse('2024-01-01T12:00:00Z'), 'hh tt')).toBe('12 PM');
  });

  it.each(['', 'x', 'H', 'ffffffff', "'open", '"open', 'yyyy\\', '%'])('refuses %j, as .NET does', (format) => {
    expect(formatDate(time, format)).toBeUndefined();
  });

  it('answers any format', () => {
    const format = fc.string({ unit: fc.constantFrom(...'dfFghHKmMstyzT:/-. \'"\\%x') });
    fc.assert(
      fc.property(format, (text) => {
        expect(['string', 'undefined']).toContain(typeof formatDate(time, text));
      }),
      { numRuns: 2_000 },
    );
  });
});
