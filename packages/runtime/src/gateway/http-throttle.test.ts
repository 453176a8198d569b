import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HttpThrottle, type Turn } from './http-throttle.ts';

const unlimited = {
  maxOutstanding: Number.POSITIVE_INFINITY,
  maxConcurrent: Number.POSITIVE_INFINITY,
  maxWaiting: Number.POSITIVE_INFINITY,
};

describe('HttpThrottle', () => {
  test('I1: lets so many run, and the others when it is their turn', () => {
    const throttle = new HttpThrottle({ ...unlimited, maxConcurrent: 2 });
    const begun: number[] = [];
    const turns = [1, 2, 3, 4].map((number) => throttle.enter(() => begun.push(number)));
    expect(begun).toEqual([1, 2]);
    turns[1]?.leave();
    expect(begun).toEqual([1, 2, 3]);
    turns[0]?.leave();
    expect(begun).toEqual([1, 2, 3, 4]);
  });

  test('I2: refuses beyond what may be under way, and beyond what may wait', () => {
    const outstanding = new HttpThrottle({ ...unlimited, maxOutstanding: 2, maxConcurrent: 1 });
    expect([1, 2, 3].map(() => outstanding.enter(() => {}) !== undefined)).toEqual([true, true, false]);
    const waiting = new HttpThrottle({ ...unlimited, maxConcurrent: 1, maxWaiting: 1 });
    expect([1, 2, 3].map(() => waiting.enter(() => {}) !== undefined)).toEqual([true, true, false]);
    expect(new HttpThrottle({ ...unlimited, maxOutstanding: 0 }).enter(() => {})).toBeUndefined();
  });

  test('I3: who gives up waiting makes room and never begins', () => {
    const throttle = new HttpThrottle({ ...unlimited, maxConcurrent: 1, maxOutstanding: 2 });
    const begun: string[] = [];
    const first = throttle.enter(() => begun.push('first'));
    const second = throttle.enter(() => begun.push('second'));
    second?.leave();
    second?.leave();
    const third = throttle.enter(() => begun.push('third'));
    first?.leave();
    first?.leave();
    expect([begun, third !== undefined]).toEqual([['first', 'third'], true]);
  });

  test('I1, I2 and I3 hold for any order of coming and going', () => {
    const step = fc.oneof(fc.constant('enter' as const), fc.nat({ max: 20 }));
    fc.assert(
      fc.property(
        fc.array(step),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 6 }),
        (steps, most, all) => {
          const throttle = new HttpThrottle({ maxConcurrent: most, maxOutstanding: all, maxWaiting: 3 });
          const present: { turn: Turn | undefined; runs: boolean }[] = [];
          for (const given of steps) {
            if (given === 'enter') {
              const visitor: { turn: Turn | undefined; runs: boolean } = { turn: undefined, runs: false };
              const before = present.length;
              const turn = throttle.enter(() => {
                visitor.runs = true;
              });
              const waiting = present.filter(({ runs }) => !runs).length;
              const mayEnter = before < all && (before - waiting < most || waiting < 3);
              expect(turn !== undefined).toBe(mayEnter);
              visitor.turn = turn;
              if (turn !== undefined) present.push(visitor);
            } else {
              const [gone] = present.splice(given % Math.max(1, present.length), 1);
              gone?.turn?.leave();
            }
            expect(present.filter(({ runs }) => runs)).toHaveLength(Math.min(most, present.length));
          }
        },
      ),
    );
  });
});
