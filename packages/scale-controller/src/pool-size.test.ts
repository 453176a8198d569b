import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PoolSizing, poolTarget, sharePlaceholders } from './pool-size.ts';

const sizing = (more: Partial<PoolSizing> = {}): PoolSizing => ({
  ...{ minimum: 2, maximum: 6, windowMs: 120_000, threshold: 2, increment: 1 },
  ...more,
});

describe('poolTarget', () => {
  it.each([
    ['nothing asked', {}, { coldStarts: 0, announced: 0 }, 2],
    ['below the threshold', {}, { coldStarts: 1, announced: 0 }, 3],
    ['at the threshold', {}, { coldStarts: 2, announced: 0 }, 3],
    ['above it', {}, { coldStarts: 3, announced: 0 }, 4],
    ['at the maximum', {}, { coldStarts: 8, announced: 0 }, 6],
    ['over the maximum', {}, { coldStarts: 99, announced: 99 }, 6],
    ['announced', {}, { coldStarts: 1, announced: 5 }, 5],
    ['a minimum over the maximum', { minimum: 9 }, { coldStarts: 0, announced: 0 }, 9],
    ['nothing kept', { minimum: 0, maximum: 0 }, { coldStarts: 5, announced: 5 }, 0],
  ])('%s', (_, more, demand, expected) => {
    expect(poolTarget(sizing(more), demand)).toBe(expected);
  });
});

describe('sharePlaceholders', () => {
  it('covers every stack and weighs by demand', () => {
    const demands = new Map([
      ['node:24:x64', 30],
      ['node:22:x64', 10],
      ['python:3.11:x64', 0],
    ]);
    expect(Object.fromEntries(sharePlaceholders(11, demands))).toEqual({
      'node:24:x64': 7,
      'node:22:x64': 3,
      'python:3.11:x64': 1,
    });
    expect([...sharePlaceholders(2, demands).values()]).toEqual([1, 1, 0]);
  });

  it('gives out exactly what there is', () => {
    const demands = fc.dictionary(fc.string(), fc.integer({ min: 0, max: 1_000 }), { maxKeys: 12 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), demands, (total, given) => {
        const map = new Map(Object.entries(given));
        const shares = [...sharePlaceholders(total, map).values()];
        const asked = [...map.values()].some((count) => count > 0);
        const expected = map.size === 0 ? 0 : asked ? total : Math.min(total, map.size);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(expected);
        expect(shares.every((share) => share >= 0)).toBe(true);
        if (total >= map.size) expect(shares.every((share) => share >= 1)).toBe(true);
      }),
    );
  });
});
