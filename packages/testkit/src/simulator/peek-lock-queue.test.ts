import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../virtual-clock.ts';
import { PeekLockQueue } from './peek-lock-queue.ts';

const open = () => {
  const clock = new VirtualClock();
  return { clock, queue: new PeekLockQueue(clock, { lockMs: 1_000, redeliveryMs: 100 }) };
};

describe('PeekLockQueue', () => {
  test('I1: a message is lent to one, and comes back when its lock ends or it is given back', async () => {
    const { clock, queue } = open();
    queue.put('a');
    expect(queue.receive()).toMatchObject({ messageId: 'a', count: 1 });
    expect(queue.receive()).toBeUndefined();
    await clock.advance(1_000);
    const second = queue.receive();
    expect(second?.count).toBe(2);
    second?.abandon();
    expect(queue.receive()).toBeUndefined();
    let woken = 0;
    queue.watch(() => {
      woken += 1;
    });
    await clock.advance(100);
    expect([woken, queue.receive()?.count]).toEqual([1, 3]);
  });

  test('I2: a second settlement is a violation, a late one is not', async () => {
    const { clock, queue } = open();
    queue.put('a');
    const late = queue.receive();
    await clock.advance(1_000);
    late?.complete();
    expect([queue.violations, queue.left]).toEqual([[], ['a']]);
    const second = queue.receive();
    second?.complete();
    second?.abandon();
    expect(queue.violations).toEqual(['delivery 2 of a was completed, and then abandoned as well']);
  });

  test('I1, I2: a queue that loses its locks lends its messages again, and hears no more of who had them', async () => {
    const { clock, queue } = open();
    for (const id of ['a', 'b']) queue.put(id);
    const [first, done] = [queue.receive(), queue.receive()];
    done?.complete();
    queue.loseLocks();
    const second = queue.receive();
    expect([second?.messageId, second?.count, queue.receive()]).toEqual(['a', 2, undefined]);
    first?.complete();
    expect(queue.left).toEqual(['a']);
    second?.complete();
    expect([queue.left, queue.violations, clock.pendingTimers]).toEqual([[], [], 0]);
  });

  test('I3: a completed message is gone', async () => {
    const { clock, queue } = open();
    queue.put('a');
    queue.receive()?.complete();
    await clock.advance(10_000);
    expect([queue.receive(), queue.left, queue.hasCompleted('a')]).toEqual([undefined, [], true]);
    expect(clock.pendingTimers).toBe(0);
  });
});
