import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TrafficSplit } from './traffic-split.ts';

/** Whole percentages that sum to 100. */
const weightLists = fc
  .array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 6 })
  .filter((parts) => parts.some((part) => part > 0))
  .map((parts) => {
    const sum = parts.reduce((total, part) => total + part, 0);
    const weights = parts.map((part) => Math.floor((part * 100) / sum));
    const rest = 100 - weights.reduce((total, weight) => total + weight, 0);
    const first = weights.findIndex((weight) => weight > 0);
    return weights.map((weight, index) => (index === Math.max(0, first) ? weight + rest : weight));
  });

function splitOf(weights: readonly number[]): TrafficSplit<number> {
  const split = new TrafficSplit(0);
  split.set(weights.map((weight, entry) => ({ entry, weight })));
  return split;
}

describe('TrafficSplit', () => {
  test('I1: of a hundred choices each entry gets exactly its weight', () => {
    fc.assert(
      fc.property(weightLists, fc.integer({ min: 1, max: 3 }), (weights, rounds) => {
        const split = splitOf(weights);
        for (let round = 0; round < rounds; round += 1) {
          const counts = weights.map(() => 0);
          for (let choice = 0; choice < 100; choice += 1) {
            const entry = split.next();
            counts[entry] = (counts[entry] ?? 0) + 1;
          }
          expect(counts).toEqual(weights);
        }
      }),
    );
  });

  test('I1: the choices of an entry are spread evenly, so that a few requests show the split', () => {
    const split = splitOf([80, 20]);
    expect(Array.from({ length: 10 }, () => split.next())).toEqual([0, 0, 1, 0, 0, 0, 0, 1, 0, 0]);
  });

  test('I2: an entry with weight 0 is never chosen, in turn or by its source', () => {
    const split = splitOf([0, 100, 0]);
    const sources = Array.from({ length: 500 }, (_, index) => split.of(`10.0.0.${index}`));
    expect(new Set([...sources, ...Array.from({ length: 200 }, () => split.next())])).toEqual(new Set([1]));
  });

  test('I3: a source stays with its entry, and sources are spread by weight', () => {
    const split = splitOf([70, 30]);
    const sources = Array.from({ length: 2_000 }, (_, index) => `192.168.${index % 7}.${index}`);
    const first = sources.map((source) => split.of(source));
    expect(sources.map((source) => split.of(source))).toEqual(first);
    const share = first.filter((entry) => entry === 1).length / sources.length;
    expect(share).toBeGreaterThan(0.26);
    expect(share).toBeLessThan(0.34);
  });

  test('I3: when the second of two entries gains weight, it keeps the sources that it had', () => {
    const sources = Array.from({ length: 500 }, (_, index) => `caller-${index}`);
    const before = splitOf([90, 10]);
    const after = splitOf([50, 50]);
    const kept = sources.filter((source) => before.of(source) === 1);
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.every((source) => after.of(source) === 1)).toBe(true);
  });

  test('tells the weights, and begins with everything on one entry', () => {
    const split = new TrafficSplit('blue');
    expect([split.weightOf('blue'), split.weightOf('green'), split.entries]).toEqual([100, 0, ['blue']]);
    split.set([
      { entry: 'blue', weight: 0 },
      { entry: 'green', weight: 100 },
    ]);
    expect([split.weightOf('blue'), split.weightOf('green'), split.entries]).toEqual([0, 100, ['green']]);
  });
});
