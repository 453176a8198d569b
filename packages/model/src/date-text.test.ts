import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDate } from './date-format.ts';
import { isDateText } from './date-text.ts';

describe('isDateText', () => {
  it.each([
    [
      'numbers',
      ['2024-02-29', '2024-2-9', '12-25-2009', '12.25.2009', '12/25/2009', '12-25', '12-25-09', '2009-12', '12-2009'],
    ],
    [
      'months by name',
      ['25 December 2009', '25-Dec-2009', 'Dec 25, 2009', 'dec-25-2009', '2009 Dec 25', '25Dec2009', 'MAY 5 24'],
    ],
    ['parts of a date', ['Dec 25', 'December 2009', '2009 December', '25 Dec', '09 Dec']],
    ['two numbers beside a month, either way', ['Dec 25 09', 'Dec 09 25', '25 Dec 09', 'Feb 99 3', '31-Jan-45']],
    ['names of days', ['Fri, 25 Dec 2009', 'Friday 12-25-2009', 'friday, december 25, 2009 10:30', 'Fri 25-Dec-09']],
    [
      'times behind',
      ['2009-12-25T10:30:00Z', '2009-12-25T10:30:00.1234567+02:00', '2009-12-25 10:30', '2009-12-25t1:5'],
    ],
    ['halves of the day', ['2009-12-25 10 AM', '2009-12-25 10:30pm', 'Dec 25 2009 12:00 AM', '10PM', '0:30 AM']],
    ['times alone, and before the date', ['10:30', '23:59:59.9', '10:30 2009-12-25', '1 PM 25 Dec 2009']],
    [
      'offsets',
      [
        '2009-12-25T10:30+2',
        '2009-12-25T10:30 -0830',
        '2009-12-25+02:00',
        '10:30 GMT',
        'Fri, 25 Dec 2009 10:30:00 GMT',
      ],
    ],
    ['the first year and the last', ['0001-01-01', '9999-12-31', '001-1-1', ' 2024-01-01 ']],
  ])('takes %s', (_, texts) => {
    for (const text of texts) expect([text, isDateText(text)]).toEqual([text, true]);
  });

  it.each([
    ['words', ['', ' ', 'today', 'Monday', 'December', 'Sept 5', 'Deck 5', 'T10:30:', 'x', '2009-12-25x']],
    [
      'days that are none',
      ['2023-02-29', '25-12-2009', '24-12-25', '2024-13-01', '2024-00-10', 'Feb 30', 'Feb 29 2023', '0000-01-01'],
    ],
    ['one number, or too many', ['2009', '12', '1-2-3-4', '2009-12-25-1', '20091225', '10000-01-01', '2009-2010-1']],
    ['two of a kind', ['Dec Jan 5', 'Fri Sat 25 Dec 2009', '10:30 11:30', '2009 Dec 2010']],
    ['a name of another day', ['Mon, 25 Dec 2009', 'Saturday 2009-12-25']],
    [
      'times that are none',
      ['2024-01-01T25:00', '24:00', '10:60', '10:30:60', '13 PM', '10:', '2009-12-25T10:30+15:00', '10:30 UTC'],
    ],
    ['what is too long', [`2009-12-25${' '.repeat(60)}`, `10:30.${'1'.repeat(80)}`]],
  ])('refuses %s', (_, texts) => {
    for (const text of texts) expect([text, isDateText(text)]).toEqual([text, false]);
  });

  it('takes every date that .NET writes, in each of its formats that hold the day', () => {
    const instants = fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-31'),
      noInvalidDate: true,
    });
    const formats = fc.constantFrom(
      'd',
      'D',
      'f',
      'F',
      'g',
      'G',
      'o',
      'r',
      's',
      'u',
      'U',
      'M',
      'dd-MMM-yyyy',
      'ddd, dd MMM yyyy h:mm tt',
    );
    fc.assert(
      fc.property(instants, formats, (instant, format) => {
        const text = formatDate(instant.getTime(), format) ?? '';
        expect([text, isDateText(text)]).toEqual([text, true]);
      }),
    );
  });

  it('ends at once with whatever a caller sends', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof isDateText(text) === 'boolean'));
    expect(isDateText('1:'.repeat(8_000))).toBe(false);
  });
});
