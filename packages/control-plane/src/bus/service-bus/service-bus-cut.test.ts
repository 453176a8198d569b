import { systemClock } from '@switchyard/kernel';
import { createEventEnvelope } from '@switchyard/protocol';
import { createSeededRandom } from '@switchyard/testkit';
import { openAmqpPeer } from '@switchyard/testkit/amqp';
import { expect, it } from 'vitest';
import { presentEntities } from './provisioner.ts';
import { openServiceBus } from './service-bus.ts';

/** A call that was under way at the cut waits for its answer for 10 s, and up to three times, before it fails. */
const patience = { timeout: 40_000 };

it('goes on after a cut: what was published is there, and waiting receivers find the broker again', {
  timeout: 120_000,
}, async () => {
  const peer = await openAmqpPeer();
  peer.declareTopic('topic', { duplicateWindowMs: 60_000 });
  peer.declareSubscription('topic', 'sub', { lockMs: 1_000 });
  const random = createSeededRandom(1);
  const inbox = { forget: async () => {} };
  const bus = openServiceBus(
    { clock: systemClock, random, inbox, provisioner: presentEntities },
    { connectionString: peer.connectionString },
  );
  await bus.ensureSubscription({ topic: 'topic', name: 'sub', lockMs: 1_000 });
  const event = (): ReturnType<typeof createEventEnvelope> =>
    createEventEnvelope(
      { clock: systemClock, random },
      { eventType: 'ThingHappened', tenantId: 'acme', source: 'test', payload: null },
    );
  const [before, after] = [event(), event()];
  await bus.publish('topic', [{ envelope: before }]);
  const receiver = bus.openReceiver('topic', 'sub');
  const [held] = await receiver.receive({ max: 1, waitMs: 5_000 });
  peer.cut();
  // Whatever becomes of the settlement, the event is settled once or comes again.
  const settlement = await held?.complete().catch(() => 'failed');
  const publish = () => bus.publish('topic', [{ envelope: after }]).catch(() => 'failed');
  await expect.poll(publish, patience).toEqual(['accepted']);
  const expected = settlement === 'settled' ? [after.eventId] : [before.eventId, after.eventId];
  const found = new Set<string>();
  const take = async (): Promise<number> => {
    const deliveries = await receiver.receive({ max: 5, waitMs: 500 }).catch(() => []);
    for (const delivery of deliveries) {
      found.add(delivery.envelope.eventId);
      await delivery.complete();
    }
    return found.size;
  };
  await expect.poll(take, patience).toBe(expected.length);
  expect([...found].sort()).toEqual([...expected].sort());
  await bus.close();
  await peer.close();
});
