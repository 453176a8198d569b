/** Two control planes on one PostgreSQL and one NATS, with clocks of their own: what one does the other does not. */
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createEventEnvelope, type EventEnvelope } from '@switchyard/protocol';
import { createMemoryLog } from '@switchyard/testkit';
import { openPostgresql, postgresqlPart } from '@switchyard/testkit/postgresql';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startConsumer } from '../bus/consumer.ts';
import type { Bus, Consumer } from '../bus/contract.ts';
import { openNatsBus } from '../bus/nats/nats-bus.ts';
import { natsPart, openNats } from '../bus/testing/open-nats.ts';
import type { Store } from './contract.ts';
import { type OutboxRelay, startOutboxRelay } from './outbox-relay.ts';
import { openPostgresqlStore } from './postgresql/pg-store.ts';

const topic = 'runtime-events';
const subscription = 'counter';
const applications = 5;
const eventsEach = 8;

/** So short that the bus forgets an event while the test goes on. */
const duplicateWindowMs = 100;

interface Host {
  readonly store: Store;
  readonly bus: Bus;
  readonly relay: OutboxRelay;
  readonly consumer: Consumer;
}

interface Counter extends Record<string, number> {
  readonly count: number;
}

async function openHost(name: string, connectionString: string, server: string): Promise<Host> {
  const store = await openPostgresqlStore({ connectionString, connections: 5 });
  const deps = { clock: systemClock, random: systemRandom, log: createMemoryLog() };
  const bus = await openNatsBus({ ...deps, inbox: store.inbox }, { servers: [server], duplicateWindowMs });
  const backoff = { minimumMs: 20, maximumMs: 200, factor: 2, jitter: 0.5 };
  await bus.ensureSubscription({ topic, name: subscription, ordered: true, maxDeliveries: 50, backoff });
  const relay = startOutboxRelay({ ...deps, store, bus }, { holder: name, pollMs: 50 });
  const consumer = startConsumer({ ...deps, bus }, { topic, subscription, concurrency: 4, waitMs: 500 }, (delivery) =>
    count(store, delivery.envelope),
  );
  return { store, bus, relay, consumer };
}

/** Counts an event of an application, and tells of it: all in one commit. */
async function count(
  store: Store,
  cause: EventEnvelope,
): Promise<Awaited<ReturnType<Parameters<typeof startConsumer>[2]>>> {
  const key = cause.subject ?? '';
  const document = await store.documents.get<Counter>('counter', key);
  const next = (document?.value.count ?? 0) + 1;
  const counted = createEventEnvelope(
    { clock: systemClock, random: systemRandom },
    { eventType: 'ThingCounted', source: 'test', payload: { next }, cause },
  );
  const outcome = await store.commit({
    inbox: { subscription, eventId: cause.eventId },
    writes: [
      {
        kind: 'put',
        documentKind: 'counter',
        key,
        tenantId: cause.tenantId,
        value: { count: next },
        expectedRevision: document?.revision ?? 0,
      },
    ],
    events: [{ topic: 'counted', envelope: counted }],
  });
  if (outcome.kind === 'committed' || outcome.kind === 'duplicate') return { kind: 'done' };
  return { kind: 'retry', reason: 'CONFLICT', description: 'Somebody else was faster.' };
}

/** Longer than the lock of a message whose delivery was lost on the way, after which it comes again. */
const patience = { timeout: 90_000 };

describe.skipIf(postgresqlPart.skip || natsPart.skip)('two hosts', { timeout: 200_000 }, () => {
  it('handle each event once, whichever of them publishes, relays, takes it or takes it again', async () => {
    const [database, server] = await Promise.all([openPostgresql(), openNats()]);
    onTestFinished(async () => {
      await server.close();
      await database.close();
    });
    const hosts = [
      await openHost('one', database.address(), server.address),
      await openHost('two', database.address(), server.address),
    ];
    const envelopes = Array.from({ length: applications * eventsEach }, (_, index) =>
      createEventEnvelope(
        { clock: systemClock, random: systemRandom },
        {
          eventType: 'ThingHappened',
          tenantId: 'acme',
          subject: `app-${index % applications}`,
          source: 'test',
          payload: index,
        },
      ),
    );
    for (const [index, envelope] of envelopes.entries()) {
      const orderingKey = envelope.subject ?? '';
      await hosts[index % 2]?.store.commit({ events: [{ topic, envelope, orderingKey }] });
    }
    const [first] = hosts;
    const counts = async (): Promise<readonly number[]> =>
      ((await first?.store.documents.list<Counter>('counter')) ?? []).map(({ value }) => value.count);
    await expect.poll(counts, patience).toEqual(Array.from({ length: applications }, () => eventsEach));
    // Past the window of duplicates the bus takes an event again, as after a long crash; the inbox does not.
    const again = envelopes.slice(0, 10).map((envelope) => ({ envelope, orderingKey: envelope.subject ?? '' }));
    const publishAgain = async (): Promise<number> => {
      const outcomes = (await first?.bus.publish(topic, again)) ?? [];
      return outcomes.filter((outcome) => outcome === 'accepted').length;
    };
    await expect.poll(publishAgain, patience).toBe(again.length);
    const isEmpty = async (): Promise<boolean> =>
      (await first?.bus.depths())?.every(({ queued }) => queued === 0) ?? false;
    await expect.poll(isEmpty, patience).toBe(true);
    expect(await counts()).toEqual(Array.from({ length: applications }, () => eventsEach));
    // What was told of it was told once for each as well.
    const told = await first?.store.events.list({ eventType: 'ThingCounted', limit: 1_000 });
    expect(told).toHaveLength(envelopes.length);
    await expect.poll(async () => (await first?.store.outbox.pending(10))?.length, patience).toBe(0);
    for (const { consumer, relay, bus, store } of hosts) {
      await consumer.stop(1_000);
      await relay.stop();
      await bus.close();
      await store.close();
    }
  });
});
