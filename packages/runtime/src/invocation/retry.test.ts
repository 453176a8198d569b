import { createSeededRandom } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayRetry, retryDelayMs } from './retry.ts';

const fixed = { strategy: 'fixedDelay', maxRetryCount: 2, delayMs: 500 } as const;
const exponential = { strategy: 'exponentialBackoff', maxRetryCount: -1, minimumMs: 1_000, maximumMs: 10_000 } as const;

describe('mayRetry', () => {
  test('allows as many further tries as the policy says', () => {
    expect([1, 2, 3].map((failures) => mayRetry(fixed, failures))).toEqual([true, true, false]);
    expect(mayRetry({ ...fixed, maxRetryCount: 0 }, 1)).toBe(false);
    expect(mayRetry(undefined, 1)).toBe(false);
  });

  test('-1 means for ever', () => {
    expect(mayRetry(exponential, 1_000_000)).toBe(true);
  });
});

describe('retryDelayMs', () => {
  const random = createSeededRandom(7);

  test('a fixed delay is always the same', () => {
    expect([1, 2, 9].map((failures) => retryDelayMs(fixed, failures, random))).toEqual([500, 500, 500]);
  });

  test('an exponential one is the minimum and a share that doubles, give or take a fifth, up to the maximum', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (failures) => {
        const delayMs = retryDelayMs(exponential, failures, random);
        const share = 2 ** (failures - 1) * 1_000;
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(10_000, 1_000 + 0.8 * share));
        expect(delayMs).toBeLessThanOrEqual(Math.min(10_000, 1_000 + 1.2 * share));
      }),
    );
  });
});
