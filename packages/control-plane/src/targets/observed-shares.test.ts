import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areSameShares, heaviestOf, shareReplicas } from './observed-shares.ts';

const share = (version: string, weight: number) => ({ version, weight });

describe('shareReplicas', () => {
  it.each([
    [10, [share('a', 100)], { a: 10, b: 1 }],
    [10, [share('a', 75), share('b', 25)], { a: 8, b: 2 }],
    [4, [share('a', 75), share('b', 25)], { a: 3, b: 1 }],
    [1, [share('a', 95), share('b', 5)], { a: 1, b: 1 }],
    [3, [], { a: 1, b: 1 }],
  ])('divides %i by %j', (total, shares, counts) => {
    expect(Object.fromEntries(shareReplicas(['a', 'b'], shares, total))).toEqual(counts);
  });

  it('gives every version one, and all of them together no fewer than were asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 100 }), (total, weight) => {
        const counts = shareReplicas(['a', 'b'], [share('a', weight), share('b', 100 - weight)], total);
        const sum = [...counts.values()].reduce((left, right) => left + right, 0);
        expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(1);
        expect(sum).toBeGreaterThanOrEqual(total);
        expect(sum).toBeLessThanOrEqual(total + 1);
      }),
    );
  });
});

describe('shares', () => {
  it('are the same in whatever order, and without what has no traffic', () => {
    expect(areSameShares([share('a', 75), share('b', 25)], [share('b', 25), share('a', 75), share('c', 0)])).toBe(true);
    expect(areSameShares([share('a', 75), share('b', 25)], [share('a', 100)])).toBe(false);
    expect(areSameShares([share('a', 100)], [share('a', 75), share('b', 25)])).toBe(false);
    expect([heaviestOf([share('a', 25), share('b', 75)]), heaviestOf([])]).toEqual(['b', '']);
  });
});
