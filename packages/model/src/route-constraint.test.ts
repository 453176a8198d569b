import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRouteConstraint } from './route-constraint.ts';

function matches(text: string, value: string): boolean {
  const made = createRouteConstraint(text);
  if (typeof made === 'string') throw new Error(made);
  return made.matches(value);
}

describe('createRouteConstraint', () => {
  it.each([
    [
      'int',
      ['0', '-5', '+7', '2147483647', '-2147483648', ' 12 '],
      ['', 'a', '1.5', '2147483648', '1e3', '0x10', '--1'],
    ],
    ['long', ['9223372036854775807', '-9223372036854775808'], ['9223372036854775808', '1.0', '']],
    ['bool', ['true', 'FALSE', ' True '], ['1', 'yes', '']],
    [
      'datetime',
      [
        '2024-02-29',
        '2024-2-9',
        '12-25-2009',
        '2024-01-01T10:00:00Z',
        '2024-01-01 10:30 PM',
        '2024-01-01T10:00:00.123+02:00',
      ],
      ['2023-02-29', 'today', '25-12-2009', '2024-13-01', '', '2024-01-01T25:00'],
    ],
    [
      'decimal',
      ['1', '-1.5', '1,000.25', '.5', '5.', '12-'],
      ['', '.', 'a', '1e5', 'NaN', '80000000000000000000000000000'],
    ],
    ['double', ['1', '-1.5', '1e10', '1,000', 'NaN', '-Infinity', '1e999'], ['', 'e5', 'a', '1e', '.']],
    ['float', ['3.14', '1E5'], ['x', '']],
    [
      'guid',
      [
        '12345678-1234-1234-1234-123456789ABC',
        '12345678123412341234123456789abc',
        '{12345678-1234-1234-1234-123456789abc}',
        '(12345678-1234-1234-1234-123456789abc)',
      ],
      ['', '1234', '12345678-1234-1234-1234-123456789abg', '{12345678-1234-1234-1234-123456789abc)'],
    ],
    ['alpha', ['abc', 'ABC'], ['a1', 'a b', 'é']],
    ['required', ['x'], ['']],
    ['file', ['a.txt', 'x/y.css', '.gitignore'], ['a', 'a.', 'x.y/z']],
    ['nonfile', ['a', 'a.', 'x.y/z'], ['a.txt']],
    ['minlength(2)', ['ab', 'abc'], ['a', '']],
    ['maxlength(2)', ['', 'ab'], ['abc']],
    ['length(3)', ['abc'], ['ab', 'abcd']],
    ['length(2, 3)', ['ab', 'abc'], ['a', 'abcd']],
    ['min(10)', ['10', '11', '+12'], ['9', 'x', '']],
    ['max(-1)', ['-1', '-5'], ['0', 'x']],
    ['range(18,120)', ['18', '120', '50'], ['17', '121', '']],
    ['RANGE( -5 , 5 )', ['-5', '0'], ['-6']],
    ['regex(^\\d{3}-\\d{2}$)', ['123-45'], ['12-345', 'x123-45']],
    ['regex(abc)', ['xABCx'], ['ab']],
    ['regex(a\\(b\\))', ['a(b)'], ['ab']],
  ])('%s', (text, good, bad) => {
    for (const value of good) expect([value, matches(text, value)]).toEqual([value, true]);
    for (const value of bad) expect([value, matches(text, value)]).toEqual([value, false]);
  });

  it.each([
    ['integer', '"integer" is no constraint; there are alpha, bool'],
    ['', 'is no constraint'],
    ['int(5)', '"int(5)" is no constraint'],
    ['min', '"min" needs 1 whole numbers'],
    ['min(x)', '"min(x)" needs 1 whole numbers'],
    ['range(1)', '"range(1)" needs 2 whole numbers'],
    ['length(1,2,3)', '"length(1,2,3)" needs 1 or 2 whole numbers'],
    ['regex', 'needs a regular expression'],
    ['regex()', 'needs a regular expression'],
    ['regex(()', 'holds no regular expression that can be read'],
    ['constructor', 'is no constraint'],
    ['__proto__(1)', 'is no constraint'],
  ])('refuses %j', (text, problem) => {
    expect(createRouteConstraint(text)).toContain(problem);
  });

  it('agrees with arithmetic on ranges', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), (from, to, value) => {
        expect(matches(`range(${from},${to})`, String(value))).toBe(value >= from && value <= to);
      }),
    );
  });

  it('answers any value', () => {
    const names = [
      'int',
      'long',
      'bool',
      'datetime',
      'decimal',
      'double',
      'guid',
      'alpha',
      'min(1)',
      'range(1,2)',
      'file',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string({ unit: 'binary' }), (name, value) => {
        expect(typeof matches(name, value)).toBe('boolean');
      }),
      { numRuns: 1_000 },
    );
  });
});
