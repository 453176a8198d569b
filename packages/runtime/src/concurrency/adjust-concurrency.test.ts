import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adjustConcurrency, type ConcurrencyState, firstConcurrency } from './adjust-concurrency.ts';

/** The limits after looks, one a second: `full` has all that may be at work, `slack` less, `busy` a host with too much to do. */
function after(looks: readonly ('full' | 'slack' | 'busy' | 'idle')[], maximum = 500): readonly number[] {
  let state: ConcurrencyState = firstConcurrency;
  return looks.map((look, second) => {
    const mostActive = look === 'idle' ? 0 : look === 'slack' ? state.limit - 1 : state.limit;
    state = adjustConcurrency(state, { nowMs: second * 1_000, mostActive, isBusy: look === 'busy', maximum });
    return state.limit;
  });
}

const times = <const Look>(count: number, look: Look): readonly Look[] => Array.from({ length: count }, () => look);

describe('adjustConcurrency', () => {
  test('adds in longer and longer steps while all that may be are at work', () => {
    expect(after(times(8, 'full'))).toEqual([2, 4, 7, 11, 16, 21, 26, 31]);
  });

  test('leaves a limit alone that is not reached', () => {
    expect(after([...times(3, 'full'), ...times(3, 'slack')]).slice(3)).toEqual([7, 7, 7]);
    expect(after(times(3, 'idle'))).toEqual([1, 1, 1]);
  });

  test('takes away in longer and longer steps while the host has too much to do, and waits before it adds again', () => {
    const limits = after([...times(8, 'full'), ...times(4, 'busy'), ...times(12, 'full')]);
    expect(limits.slice(8, 12)).toEqual([30, 28, 25, 21]);
    expect(limits.slice(12)).toEqual([...times(9, 21), 22, 24, 27]);
  });

  test('blames nobody who does nothing', () => {
    const state = { limit: 9, changedAtMs: 0, run: 1 };
    expect(adjustConcurrency(state, { nowMs: 1, mostActive: 0, isBusy: true, maximum: 500 })).toBe(state);
  });

  test('begins with short steps again after a while', () => {
    expect(after([...times(4, 'full'), ...times(11, 'slack'), 'full']).at(-1)).toBe(12);
  });

  test('is always between 1 and the maximum', () => {
    const looks = fc.array(fc.constantFrom('full' as const, 'slack' as const, 'busy' as const, 'idle' as const), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(looks, fc.integer({ min: 1, max: 40 }), (given, maximum) => {
        for (const limit of after(given, maximum)) {
          expect(limit).toBeGreaterThanOrEqual(1);
          expect(limit).toBeLessThanOrEqual(maximum);
        }
      }),
    );
  });
});
