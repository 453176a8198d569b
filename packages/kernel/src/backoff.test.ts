import { createSeededRandom } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

const middle = { next: () => 0.5, uuid: () => '', bytes: () => new Uint8Array() };

describe('backoffMs', () => {
  it('grows by the factor up to the maximum', () => {
    const options = { minimumMs: 100, maximumMs: 1_000, factor: 2, jitter: 0.2 };
    expect([0, 1, 2, 3, 4, 5].map((attempt) => backoffMs(options, attempt, middle))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it('never waits when the minimum is zero', () => {
    expect(backoffMs({ minimumMs: 0, maximumMs: 1_000, factor: 2, jitter: 0.2 }, 5_000, middle)).toBe(0);
  });

  it('stays within the jitter and never passes the maximum, however many tries', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 1, max: 4, noNaN: true }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.nat(5_000),
        fc.integer(),
        (minimumMs, times, factor, jitter, attempt, seed) => {
          const maximumMs = minimumMs * times;
          const waitMs = backoffMs({ minimumMs, maximumMs, factor, jitter }, attempt, createSeededRandom(seed));
          const plainMs = Math.min(maximumMs, minimumMs * factor ** attempt);
          expect(waitMs).toBeLessThanOrEqual(maximumMs);
          expect(waitMs).toBeGreaterThanOrEqual(Math.floor(plainMs * (1 - jitter)));
          expect(waitMs).toBeLessThanOrEqual(Math.ceil(plainMs * (1 + jitter)));
        },
      ),
    );
  });
});
