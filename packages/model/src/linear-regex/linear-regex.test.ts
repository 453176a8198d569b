import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileLinearRegex } from './linear-regex.ts';

const test = (pattern: string, text: string): boolean => {
  const regex = compileLinearRegex(pattern);
  if (typeof regex === 'string') throw new Error(regex);
  return regex.test(text);
};

describe('compileLinearRegex', () => {
  it.each([
    ['^(a+)+$', 'a'],
    ['^(a|a)*$', 'a'],
    ['^(a|aa)+$', 'a'],
    ['(.*)*x', 'a'],
    ['^(\\w*\\w*)*y$', 'a'],
    ['^([a-z]+)*[0-9]$', 'a'],
    ['^\\d*\\d*\\d*\\d*\\d*\\d*x$', '1'],
    ['^(([a-z])+.)+[A-Z]([a-z])+\\d$', 'a'],
    ['^(?!(a+)+x$).*y$', 'a'],
    ['(x+x+)+y', 'x'],
  ])('%s ends soon with what a backtracking matcher never ends with', (pattern, character) => {
    // Half an hour and more for a few dozen characters: thousands would not end at all.
    expect(test(pattern, `${character.repeat(8_000)}!`)).toBe(false);
  });

  it.each([
    ['^\\d{3}-\\d{2}$', ['123-45'], ['12-345', 'x123-45']],
    ['abc', ['xABCx'], ['ab']],
    ['^(?!admin$|root$)[a-z]+$', ['user', 'adminx'], ['admin', 'ROOT']],
    ['^(?=.*\\d)(?=.*[x-z])\\w{3,}$', ['a1x', '1zz'], ['a1b', 'xyz', '1x']],
    ['^(?!\\[)(?![)]).$', ['a'], ['[', ')']],
    ['(?<=v)\\d+$', ['v12'], ['12']],
    ['^(?<year>\\d{4})$', ['2024'], ['24']],
    ['^\\u0041\\/\\-$', ['a/-'], ['b/-']],
    ['^[\\w.-]+@[\\w.-]+$', ['a.b@c-d'], ['a.b']],
  ])('%s matches %j and not %j', (pattern, good, bad) => {
    expect(good.filter((text) => !test(pattern, text))).toEqual([]);
    expect(bad.filter((text) => test(pattern, text))).toEqual([]);
  });

  it.each([
    ['(', 'no regular expression'],
    ['[z-a]', 'no regular expression'],
    ['(a)\\1', 'reference to a group'],
    ['a(?=b)', 'look-ahead that is not at its beginning'],
    ['^(?!a)b|c', 'look-ahead that is not at its beginning'],
    ['a{2000}', 'no regular expression'],
    ['x'.repeat(1_001), 'longer than 1000'],
  ])('refuses %s', (pattern, problem) => {
    expect(compileLinearRegex(pattern)).toContain(problem);
  });

  it('agrees with a backtracking matcher on patterns that it has the time for', () => {
    const atom = fc.constantFrom('a', 'b', '\\d', '\\w', '.', '[ab]', '[^a]', '[0-9x]');
    const quantified = fc
      .tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{1,3}'))
      .map((parts) => parts.join(''));
    const sequence = fc.array(quantified, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
    const choice = fc.array(sequence, { minLength: 1, maxLength: 2 }).map((parts) => `(?:${parts.join('|')})`);
    const look = fc.option(
      fc.tuple(fc.constantFrom('=', '!'), sequence).map(([sign, inside]) => `(?${sign}${inside})`),
      { nil: '' },
    );
    const pattern = fc
      .tuple(look, choice, fc.constantFrom('', '$'))
      .map(([start, middle, end]) => `^${start}${middle}${end}`);
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'x', '1', '-'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        expect(test(source, value)).toBe(new RegExp(source, 'i').test(value));
      }),
      { numRuns: 2_000 },
    );
  });
});
