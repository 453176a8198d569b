import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from './suggestion.ts';

describe('nearest', () => {
  const names = ['dev', 'version', 'help', 'enable-auth', 'port'];
  it.each([
    ['versoin', 'version'],
    ['hlep', 'help'],
    ['enableAuth', 'enable-auth'],
    ['Port', 'port'],
    ['vers', 'version'],
    ['xyz', undefined],
    ['', undefined],
  ])('for %j is %j', (text, expected) => {
    expect(nearest(text, names)).toBe(expected);
  });
});

describe('editDistance', () => {
  it.each([
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
  ])('between %j and %j is %i', (left, right, expected) => {
    expect(editDistance(left, right)).toBe(expected);
  });

  it('is the same in both directions, and zero only for equal texts', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
        const distance = editDistance(left, right);
        expect(distance).toBe(editDistance(right, left));
        expect(distance === 0).toBe(left === right);
        expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
      }),
    );
  });
});
