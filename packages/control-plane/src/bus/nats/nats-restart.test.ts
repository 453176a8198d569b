import { systemClock } from '@switchyard/kernel';
import { createEventEnvelope, type EventEnvelope } from '@switchyard/protocol';
import { createMemoryLog, createSeededRandom } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { startConsumer } from '../consumer.ts';
import { natsPart, openNats } from '../testing/open-nats.ts';
import { openNatsBus } from './nats-bus.ts';

describe.skipIf(natsPart.skip)('the bus on NATS', () => {
  it('goes on when the server is killed and comes back: nothing that was accepted is lost', async () => {
    const server = await openNats();
    const deps = { clock: systemClock, random: createSeededRandom(1), inbox: { forget: async () => {} } };
    const bus = await openNatsBus(deps, { servers: [server.address] });
    await bus.ensureSubscription({ topic: 'topic', name: 'sub', lockMs: 1_000 });
    const event = (): EventEnvelope =>
      createEventEnvelope(deps, { eventType: 'ThingHappened', tenantId: 'acme', source: 'test', payload: null });
    const before = [event(), event(), event()];
    await bus.publish(
      'topic',
      before.map((envelope) => ({ envelope })),
    );
    await server.restart();
    const handled = new Set<string>();
    const consumer = startConsumer(
      { ...deps, bus, log: createMemoryLog() },
      { topic: 'topic', subscription: 'sub', concurrency: 4, waitMs: 1_000 },
      async ({ envelope }) => {
        handled.add(envelope.eventId);
        return { kind: 'done' };
      },
    );
    const after = event();
    const publish = (): Promise<unknown> => bus.publish('topic', [{ envelope: after }]).catch(() => ['failed']);
    await expect.poll(publish).not.toEqual(['failed']);
    await expect.poll(() => handled.size).toBe(4);
    expect([...handled].sort()).toEqual([...before, after].map(({ eventId }) => eventId).sort());
    await consumer.stop(1_000);
    await bus.close();
    await server.close();
  });
});
