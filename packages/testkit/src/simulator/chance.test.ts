import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createChance } from './chance.ts';

describe('createChance', () => {
  test('the same seed throws the same numbers, and so do its forks', () => {
    const throws = (seed: number): number[] => {
      const chance = createChance(seed);
      const fork = chance.fork();
      return Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? chance : fork).between(0, 1_000_000));
    };
    expect(throws(5)).toEqual(throws(5));
    expect(throws(5)).not.toEqual(throws(6));
  });

  test('stays within its bounds', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(1_000), fc.nat(1_000), (seed, minimum, width) => {
        const chance = createChance(seed);
        const thrown = chance.between(minimum, minimum + width);
        expect(thrown).toBeGreaterThanOrEqual(minimum);
        expect(thrown).toBeLessThanOrEqual(minimum + width);
        expect(['a', 'b']).toContain(chance.pick(['a', 'b']));
        expect([chance.happens(0), chance.happens(1)]).toEqual([false, true]);
      }),
    );
  });

  test('refuses to pick from nothing', () => {
    expect(() => createChance(1).pick([])).toThrow('nothing to pick');
  });
});
