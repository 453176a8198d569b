/** The part of the `Bus` contract that is about dead letters: B5 and B7 of contract.ts. */
import { expect, it } from 'vitest';
import type { DeadLetter } from '../contract.ts';
import type { BusBench } from './bus-contract.ts';

const note = { reason: 'TENANT_MISMATCH', description: 'The environment belongs to another tenant.' };

export function describeDeadLetterContract(bench: () => BusBench): void {
  describeBurying(bench);
  describeReplay(bench);
}

async function bury(bench: BusBench, count: number): Promise<readonly DeadLetter[]> {
  const events = Array.from({ length: count }, () => bench.event());
  await bench.publish(...events);
  for (let index = 0; index < count; index += 1) {
    const delivery = await bench.takeOne('sub');
    expect(await bench.run(delivery.deadLetter(note))).toBe('settled');
  }
  const { items } = await bench.run(bench.bus.deadLetters.list({ topic: bench.topic }));
  return items;
}

function describeBurying(bench: () => BusBench): void {
  it('B5: a refused event is a dead letter at once, with its whole envelope and the reason', async () => {
    await bench().subscribe('sub');
    const event = { ...bench().event({ environmentId: 'prod' }), extensions: { future: [1, { two: 3 }] } };
    await bench().publish(event);
    const delivery = await bench().takeOne('sub');
    expect(await bench().run(delivery.deadLetter(note))).toBe('settled');
    const { items } = await bench().run(bench().bus.deadLetters.list({ topic: bench().topic }));
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ topic: bench().topic, subscription: 'sub', ...note, deliveryCount: 1 });
    expect(items[0]?.envelope).toEqual(event);
    expect(items[0]?.history).toMatchObject([{ ...note, deliveryCount: 1, outcome: 'deadLettered' }]);
    const one = await bench().run(bench().bus.deadLetters.get(items[0]?.deadLetterId ?? ''));
    expect(one).toEqual(items[0]);
    await bench().expectNothing('sub');
  });

  it('B5: an event that used up its deliveries is a dead letter that tells each of them', async () => {
    await bench().subscribe('sub', { maxDeliveries: 4 });
    await bench().publish(bench().event());
    const first = await bench().takeOne('sub');
    await bench().run(first.retry({ reason: 'SLOW', description: 'Took too long.' }));
    const second = await bench().takeOne('sub');
    await bench().run(second.abandon({ reason: 'STOPPING', description: 'The worker stops.' }));
    // The third is held by somebody who never settles.
    await bench().takeOne('sub');
    const fourth = await bench().takeOne('sub');
    expect(fourth.deliveryCount).toBe(4);
    const outcome = await bench().run(fourth.retry(note));
    expect(outcome).toEqual({ kind: 'deadLettered' });
    const { items } = await bench().run(bench().bus.deadLetters.list({ topic: bench().topic }));
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ ...note, deliveryCount: 4 });
    const told = items[0]?.history.map(({ deliveryCount, outcome: what, reason }) => [deliveryCount, what, reason]);
    expect(told).toEqual([
      [1, 'retried', 'SLOW'],
      [2, 'abandoned', 'STOPPING'],
      [3, 'lockExpired', 'LOCK_EXPIRED'],
      [4, 'deadLettered', 'TENANT_MISMATCH'],
    ]);
    await bench().expectNothing('sub');
  });

  it('B5: an event whose last lock ends is a dead letter too', async () => {
    await bench().subscribe('sub', { maxDeliveries: 1 });
    await bench().publish(bench().event());
    await bench().takeOne('sub');
    await bench().expectNothing('sub');
    const receiver = bench().bus.openReceiver(bench().topic, 'sub');
    await bench().run(receiver.receive({ max: 1, waitMs: bench().traits.lockMs * 2 }));
    await bench().run(receiver.close());
    const { items } = await bench().run(bench().bus.deadLetters.list({ topic: bench().topic }));
    expect(items).toMatchObject([{ reason: 'LOCK_EXPIRED', deliveryCount: 1 }]);
  });

  it('B5: dead letters are found by what they are, page by page', async () => {
    await bench().subscribe('sub');
    await bury(bench(), 3);
    const other = bench().event({ eventType: 'OtherHappened', tenantId: 'other' });
    await bench().publish(other);
    const delivery = await bench().takeOne('sub');
    await bench().run(delivery.deadLetter({ reason: 'SCHEMA_INVALID', description: 'No such field.' }));
    const { deadLetters } = bench().bus;
    const { topic } = bench();
    const count = (query: object): Promise<number> => bench().run(deadLetters.count({ topic, ...query }));
    expect(await count({})).toBe(4);
    expect(await count({ tenantId: 'other' })).toBe(1);
    expect(await count({ eventType: 'ThingHappened' })).toBe(3);
    expect(await count({ reason: 'SCHEMA_INVALID', subscription: 'sub' })).toBe(1);
    expect(await count({ correlationId: other.correlationId })).toBe(1);
    expect(await count({ subscription: 'nobody' })).toBe(0);
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page = await bench().run(deadLetters.list({ topic }, { limit: 3, ...(after ? { after } : {}) }));
      ids.push(...page.items.map(({ deadLetterId }) => deadLetterId));
      after = page.next;
    } while (after !== undefined);
    expect(new Set(ids).size).toBe(4);
  });

  it('a removed dead letter is gone, and one that is not there is not there', async () => {
    await bench().subscribe('sub');
    const [letter] = await bury(bench(), 1);
    const { deadLetters } = bench().bus;
    const id = letter?.deadLetterId ?? '';
    expect(await bench().run(deadLetters.remove(id))).toBe(true);
    expect(await bench().run(deadLetters.remove(id))).toBe(false);
    expect(await bench().run(deadLetters.get(id))).toBeUndefined();
    expect(await bench().run(deadLetters.replay(id))).toEqual({ kind: 'unknown' });
    for (const strange of ['', '0', '-1', 'x', '__proto__', `${'9'.repeat(40)}`])
      expect(await bench().run(deadLetters.get(strange))).toBeUndefined();
    expect(await bench().run(deadLetters.count({ topic: bench().topic }))).toBe(0);
  });
}

function describeReplay(bench: () => BusBench): void {
  it('B7: a replayed dead letter really runs again: same eventId, inbox cleared, its own subscription alone', async () => {
    await bench().subscribe('sub');
    await bench().subscribe('bystander');
    const [letter] = await bury(bench(), 1);
    const eventId = letter?.envelope?.eventId ?? '';
    await bench().drain('bystander', 1);
    const outcome = await bench().run(bench().bus.deadLetters.replay(letter?.deadLetterId ?? ''));
    expect(outcome).toEqual({ kind: 'replayed', eventId });
    expect(bench().opened.forgotten).toEqual([`sub/${eventId}`]);
    const delivery = await bench().takeOne('sub');
    expect(delivery.envelope).toEqual(letter?.envelope);
    expect(delivery.deliveryCount).toBe(1);
    expect(delivery.replayOf).toBe(letter?.deadLetterId);
    expect(await bench().run(bench().bus.deadLetters.count({ topic: bench().topic }))).toBe(0);
    // It may fail, and be replayed, as often as it takes.
    await bench().run(delivery.deadLetter(note));
    expect(await bench().run(bench().bus.deadLetters.replayAll({ topic: bench().topic }))).toBe(1);
    const again = await bench().takeOne('sub');
    expect(again.envelope.eventId).toBe(eventId);
    await bench().run(again.complete());
    await bench().expectNothing('sub');
    await bench().expectNothing('bystander');
  });

  it('B7: all that match are replayed, and no other', async () => {
    await bench().subscribe('sub');
    await bury(bench(), 5);
    const kept = bench().event({ tenantId: 'other' });
    await bench().publish(kept);
    const delivery = await bench().takeOne('sub');
    await bench().run(delivery.deadLetter(note));
    const { deadLetters } = bench().bus;
    const { topic } = bench();
    expect(await bench().run(deadLetters.replayAll({ topic, tenantId: 'acme' }))).toBe(5);
    expect(await bench().run(deadLetters.replayAll({ topic, tenantId: 'acme' }))).toBe(0);
    expect(await bench().drain('sub', 5)).toHaveLength(5);
    const { items } = await bench().run(deadLetters.list({ topic }));
    expect(items.map(({ envelope }) => envelope?.eventId)).toEqual([kept.eventId]);
  });
}
