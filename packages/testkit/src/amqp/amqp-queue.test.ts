import { describe, expect, it } from 'vitest';
import { createSeededRandom } from '../seeded-random.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { AmqpQueue, type AmqpQueueOptions } from './amqp-queue.ts';

function open(options: Partial<AmqpQueueOptions> = {}): { queue: AmqpQueue; clock: VirtualClock } {
  const clock = new VirtualClock();
  const whole = { lockMs: 1_000, maxDeliveryCount: 2, requiresSession: false, ...options };
  return { queue: new AmqpQueue({ clock, random: createSeededRandom(1) }, 'q', whole), clock };
}

describe('AmqpQueue', () => {
  it('I1: locks a message once, gives it again when the lock ends, and buries it after the last', async () => {
    const { queue, clock } = open();
    let told = 0;
    queue.watch(() => {
      told += 1;
    });
    queue.put({ body: 'a' });
    const first = queue.take();
    expect(first?.message.body).toBe('a');
    expect(queue.take()).toBeUndefined();
    const token = first?.lock?.token ?? '';
    await clock.advance(600);
    expect(queue.renew(token)).toBe(clock.now() + 1_000);
    await clock.advance(999);
    expect(queue.take()).toBeUndefined();
    const before = told;
    await clock.advance(1);
    expect(told).toBeGreaterThan(before);
    expect(queue.settle(token, { kind: 'accepted' })).toBe(false);
    const second = queue.take();
    expect(second?.deliveryCount).toBe(1);
    await clock.advance(1_000);
    expect(queue.take()).toBeUndefined();
    expect(queue.deadLetters?.messages[0]?.message).toMatchObject({
      body: 'a',
      application_properties: { DeadLetterReason: 'MaxDeliveryCountExceeded' },
    });
    queue.close();
  });

  it('I1: settles by the outcome, and keeps what it was told', () => {
    const { queue } = open();
    queue.put({ body: 'a', application_properties: { own: 1 } });
    const token = (): string => queue.take()?.lock?.token ?? '';
    expect(queue.settle(token(), { kind: 'abandoned', properties: { tries: 1 } })).toBe(true);
    const outcome = { kind: 'deadLettered', reason: 'R', description: 'D', properties: { more: true } } as const;
    expect(queue.settle(token(), outcome)).toBe(true);
    expect(queue.messages).toEqual([]);
    expect(queue.deadLetters?.take()?.message.application_properties).toEqual({
      own: 1,
      tries: 1,
      more: true,
      DeadLetterReason: 'R',
      DeadLetterErrorDescription: 'D',
    });
    queue.put({ body: 'b' });
    expect(queue.settle(token(), { kind: 'deferred' })).toBe(true);
    expect(queue.take()).toBeUndefined();
    expect(queue.peek(0, 10)).toHaveLength(1);
    queue.close();
  });

  it('I2: gives a scheduled message to nobody before its time, and forgets one that is cancelled', async () => {
    const { queue, clock } = open();
    queue.put({ body: 'later' }, clock.now() + 500);
    const sequence = queue.put({ body: 'never' }, clock.now() + 500);
    expect(queue.cancel(sequence)).toBe(true);
    expect(queue.take()).toBeUndefined();
    await clock.advance(500);
    expect(queue.take()?.message.body).toBe('later');
    expect(queue.take()).toBeUndefined();
    queue.close();
  });

  it('I3: a session is held by one at a time, in order, and is free when it is let go or its hold ends', async () => {
    const { queue, clock } = open({ requiresSession: true, maxDeliveryCount: 9 });
    for (const body of ['a1', 'a2']) queue.put({ body, group_id: 'a' });
    queue.put({ body: 'b1', group_id: 'b' });
    const [one, two, three] = [{}, {}, {}];
    expect(queue.acceptSession(one)?.sessionId).toBe('a');
    expect(queue.acceptSession(two, 'a')).toBeUndefined();
    expect(queue.acceptSession(two)?.sessionId).toBe('b');
    expect(queue.acceptSession(three)).toBeUndefined();
    expect(queue.take('a')?.message.body).toBe('a1');
    expect(queue.take()).toBeUndefined();
    queue.setSessionState('a', Buffer.from('x'));
    queue.releaseSession(one, 'a');
    expect(queue.acceptSession(three)?.sessionId).toBe('a');
    expect(queue.sessionState('a')?.toString()).toBe('x');
    expect(queue.take('a')?.message.body).toBe('a1');
    await clock.advance(800);
    expect(queue.renewSession('a')).toBe(clock.now() + 1_000);
    await clock.advance(1_000);
    expect(queue.holdsSession(three, 'a')).toBe(false);
    expect(queue.acceptSession(one, 'a')?.sessionId).toBe('a');
    const again = queue.take('a');
    expect(again).toMatchObject({ message: { body: 'a1' }, deliveryCount: 1 });
    queue.close();
  });
});
