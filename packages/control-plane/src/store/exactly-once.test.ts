/**
 * Store, outbox relay, bus and consumers together, on virtual time, while everything that may fail does: publications
 * whose answer is lost, marks that are not made, handlers that fail before their commit, after it, or never return, and
 * duplicates of everything. In the end each event has had its effect once, in the order of its key.
 */
import { chooseSeeds, createChance, createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { startConsumer } from '../bus/consumer.ts';
import type { Bus, HandlerVerdict } from '../bus/contract.ts';
import { openSqliteBus } from '../bus/sqlite/sqlite-bus.ts';
import type { Store } from './contract.ts';
import { startOutboxRelay } from './outbox-relay.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import { put, sampleEvent } from './testing/store-contract.ts';

const topic = 'topic';
const keys = ['a', 'b', 'c'];
const eventsOfRun = 30;

type Chance = ReturnType<typeof createChance>;

/** A bus whose publications sometimes fail before they are taken, and sometimes after. */
function unreliable(bus: Bus, chance: Chance): Pick<Bus, 'publish'> {
  return {
    async publish(to, publications) {
      if (chance.happens(0.2)) throw new Error('not sent');
      const outcomes = await bus.publish(to, publications);
      if (chance.happens(0.2)) throw new Error('sent, but the answer is lost');
      return outcomes;
    },
  };
}

/** A store whose marks are sometimes not made. */
function forgetful(store: Store, chance: Chance): Pick<Store, 'outbox' | 'leases'> {
  const { outbox, leases } = store;
  return {
    leases,
    outbox: {
      pending: (limit) => outbox.pending(limit),
      watch: (observer) => outbox.watch(observer),
      markSent: (sequences) =>
        chance.happens(0.3) ? Promise.reject(new Error('not marked')) : outbox.markSent(sequences),
    },
  };
}

/** Adds the event to the list of its key, once; fails in every way that there is. */
function createHandler(store: Store, chance: Chance) {
  return async (
    { envelope, orderingKey = '' }: { envelope: ReturnType<typeof sampleEvent>; orderingKey?: string },
    signal: AbortSignal,
  ): Promise<HandlerVerdict> => {
    if (chance.happens(0.15)) throw new Error('before the commit');
    if (chance.happens(0.1)) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new Error('hung');
    }
    const list = await store.documents.get<readonly string[]>('thing', orderingKey);
    const outcome = await store.commit({
      inbox: { subscription: 'sub', eventId: envelope.eventId },
      writes: [put(orderingKey, [...(list?.value ?? []), envelope.eventId], list?.revision ?? 0)],
    });
    if (chance.happens(0.15)) throw new Error('after the commit');
    if (outcome.kind === 'conflict') return { kind: 'retry', reason: 'CONFLICT', description: 'Somebody was faster.' };
    return { kind: 'done' };
  };
}

async function run(seed: number): Promise<{ expected: object; found: object; unsent: number; dead: number }> {
  const clock = new VirtualClock();
  const random = createSeededRandom(seed);
  const chance = createChance(seed);
  const log = createMemoryLog();
  const store = openSqliteStore({ clock }, { file: ':memory:' });
  const bus = openSqliteBus({ clock, random, inbox: store.inbox }, { file: ':memory:' });
  await bus.ensureSubscription({ topic, name: 'sub', ordered: true, lockMs: 5_000, maxDeliveries: 100 });
  const relay = startOutboxRelay(
    { clock, random, log, store: forgetful(store, chance.fork()), bus: unreliable(bus, chance.fork()) },
    { holder: 'relay' },
  );
  // Of those who hang, the locks are not renewed: the handler's own bus lets them go.
  const losing: Pick<Bus, 'openReceiver'> = {
    openReceiver: (of, name) => {
      const receiver = bus.openReceiver(of, name);
      return {
        close: () => receiver.close(),
        receive: async (options) => {
          const deliveries = await receiver.receive(options);
          for (const delivery of deliveries) if (chance.happens(0.3)) delivery.renew = async () => 'lockLost';
          return deliveries;
        },
      };
    },
  };
  const handler = createHandler(store, chance.fork());
  const of = { topic, subscription: 'sub', concurrency: 3 };
  const steady = startConsumer({ clock, random, log, bus }, of, (delivery, signal) => {
    // A hung handler of this one would hang for good, because its lock is renewed.
    const limited = AbortSignal.any([signal, abortLater(clock, 20_000)]);
    return handler(delivery, limited);
  });
  const shaky = startConsumer({ clock, random, log, bus: losing }, of, (delivery, signal) =>
    handler(delivery, AbortSignal.any([signal, abortLater(clock, 20_000)])),
  );
  const expected = new Map<string, string[]>(keys.map((key) => [key, []]));
  for (let index = 0; index < eventsOfRun; index += 1) {
    const orderingKey = chance.pick(keys);
    const envelope = sampleEvent(clock);
    expected.get(orderingKey)?.push(envelope.eventId);
    await store.commit({ events: [{ topic, envelope, orderingKey }] });
    await clock.advance(chance.between(0, 3_000));
  }
  await clock.advance(1_200_000);
  const documents = await store.documents.list<readonly string[]>('thing');
  const found = new Map(documents.map(({ key, value }) => [key, value]));
  const [depth] = await bus.depths();
  const unsent = (await store.outbox.pending(100)).length + (depth?.queued ?? 0);
  await clock.runUntil(Promise.all([steady.stop(0), shaky.stop(0), relay.stop()]));
  await bus.close();
  await store.close();
  return {
    expected: Object.fromEntries(expected),
    found: Object.fromEntries(found),
    unsent,
    dead: depth?.deadLetters ?? 0,
  };
}

function abortLater(clock: VirtualClock, timeMs: number): AbortSignal {
  const controller = new AbortController();
  clock.schedule(timeMs, () => controller.abort());
  return controller.signal;
}

it.each(chooseSeeds(process.env, 8).map((seed) => [seed]))(
  'whatever fails (seed %i), each event has its effect once, in the order of its key',
  async (seed) => {
    const { expected, found, unsent, dead } = await run(seed);
    expect(found).toEqual(expected);
    expect({ unsent, dead }).toEqual({ unsent: 0, dead: 0 });
  },
);
