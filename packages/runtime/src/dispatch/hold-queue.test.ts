import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HoldQueue } from './hold-queue.ts';

function createQueue(capacity = 10) {
  const clock = new VirtualClock();
  const expired: string[] = [];
  return { clock, expired, queue: new HoldQueue<string>(clock, capacity, (item) => expired.push(item)) };
}

/** Takes what has waited longest; items are their own keys here. */
function poll(queue: HoldQueue<string>): string | undefined {
  const [first] = queue.items();
  return first === undefined ? undefined : queue.remove(first);
}

describe('HoldQueue', () => {
  test('I1: refuses what is beyond its capacity', () => {
    const { queue } = createQueue(1);
    expect([queue.offer('a', 'a', 10), queue.offer('b', 'b', 10)]).toEqual([true, false]);
    poll(queue);
    expect(queue.offer('b', 'b', 10)).toBe(true);
  });

  test('I2: gives back in order, without those that were removed', () => {
    const { queue } = createQueue();
    for (const item of ['a', 'b', 'c']) queue.offer(item, item, 10);
    expect(queue.remove('b')).toBe('b');
    expect(queue.remove('b')).toBeUndefined();
    expect([poll(queue), poll(queue), poll(queue)]).toEqual(['a', 'c', undefined]);
  });

  test('I3: hands an item back at its deadline, once, and no other', async () => {
    const { clock, expired, queue } = createQueue();
    queue.offer('late', 'late', 30);
    queue.offer('soon', 'soon', 10);
    await clock.advance(9);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['soon']);
    await clock.advance(20);
    expect(expired).toEqual(['soon', 'late']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('I3: what left in time never expires', async () => {
    const { clock, expired, queue } = createQueue();
    queue.offer('a', 'a', 10);
    expect(queue.drain()).toEqual(['a']);
    await clock.advance(100);
    expect(expired).toEqual([]);
  });

  test('I1, I2, I3: every item that was accepted comes back exactly once', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('offer' as const), value: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ kind: fc.constant('poll' as const), value: fc.constant(0) }),
      fc.record({ kind: fc.constant('wait' as const), value: fc.integer({ min: 1, max: 40 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, expired, queue } = createQueue(3);
        const accepted: string[] = [];
        const polled: string[] = [];
        for (const [index, { kind, value }] of steps.entries()) {
          const key = String(index);
          if (kind === 'offer' && queue.offer(key, key, value)) accepted.push(key);
          if (kind === 'poll') polled.push(...[poll(queue)].filter((item) => item !== undefined));
          if (kind === 'wait') await clock.advance(value);
          expect(queue.size).toBeLessThanOrEqual(3);
        }
        const rest = queue.drain();
        expect([...polled, ...expired, ...rest].sort()).toEqual(accepted.sort());
      }),
      { numRuns: 30 },
    );
  });
});
