import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { Bus, Publication } from '../bus/contract.ts';
import { busErrors } from '../bus/errors.ts';
import { openSampleBus, topic } from '../bus/testing/sample-bus.ts';
import type { Store } from './contract.ts';
import { type OutboxRelay, startOutboxRelay } from './outbox-relay.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import { sampleEvent } from './testing/store-contract.ts';

interface Run {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly bus: Bus;
  readonly log: ReturnType<typeof createMemoryLog>;
  start(changes?: {
    bus?: Pick<Bus, 'publish'>;
    store?: Pick<Store, 'outbox' | 'leases'>;
    holder?: string;
  }): OutboxRelay;
  commit(count: number): Promise<string[]>;
  /** What the subscription holds, in its order, taken out. */
  arrived(): Promise<string[]>;
}

async function open(): Promise<Run> {
  const clock = new VirtualClock();
  const { bus } = openSampleBus({}, clock);
  const store = openSqliteStore({ clock }, { file: ':memory:' });
  const log = createMemoryLog();
  await bus.ensureSubscription({ topic, name: 'sub' });
  const random = createSeededRandom(4);
  return {
    clock,
    store,
    bus,
    log,
    start: (changes = {}) =>
      startOutboxRelay({ clock, random, log, store, bus, ...changes }, { holder: changes.holder ?? 'here' }),
    async commit(count) {
      const envelopes = Array.from({ length: count }, () => sampleEvent(clock));
      for (const envelope of envelopes) await store.commit({ events: [{ topic, envelope }] });
      return envelopes.map(({ eventId }) => eventId);
    },
    async arrived() {
      const receiver = bus.openReceiver(topic, 'sub');
      const deliveries = await clock.runUntil(receiver.receive({ max: 200, waitMs: 0 }));
      for (const delivery of deliveries) await delivery.complete();
      return deliveries.map(({ envelope }) => envelope.eventId);
    },
  };
}

describe('startOutboxRelay', () => {
  it('publishes what was committed, in its order, at once', async () => {
    const { clock, start, commit, arrived, store } = await open();
    const relay = start();
    const ids = await commit(5);
    await clock.settle();
    await clock.settle();
    expect(await arrived()).toEqual(ids);
    expect(await store.outbox.pending(10)).toEqual([]);
    await relay.stop();
  });

  it('I1: a crash between the bus and the mark loses nothing and doubles nothing', async () => {
    const { clock, start, commit, arrived, store } = await open();
    const ids = await commit(3);
    // This relay ends, as it were, before it can mark anything.
    const outbox = { ...store.outbox, pending: store.outbox.pending.bind(store.outbox), watch: () => () => {} };
    const crashed = { ...outbox, markSent: () => new Promise<void>(() => {}) };
    void start({ store: { leases: store.leases, outbox: crashed }, holder: 'crashed' });
    await clock.settle();
    expect(await store.outbox.pending(10)).toHaveLength(3);
    const relay = start({ holder: 'next' });
    // The next one waits for the lease of the crashed one to end.
    await clock.advance(20_000);
    expect(await store.outbox.pending(10)).toEqual([]);
    expect(await arrived()).toEqual(ids);
    await relay.stop();
  });

  it('I2: only one relay works at a time, and another goes on when it stops', async () => {
    const { clock, start, commit, arrived, bus } = await open();
    const calls: string[] = [];
    const spy = (name: string): Pick<Bus, 'publish'> => ({
      publish: (to: string, publications: readonly Publication[]) => {
        calls.push(name);
        return bus.publish(to, publications);
      },
    });
    const one = start({ bus: spy('one'), holder: 'one' });
    await clock.settle();
    const two = start({ bus: spy('two'), holder: 'two' });
    for (let round = 0; round < 3; round += 1) {
      await commit(2);
      await clock.advance(1_000);
    }
    expect(new Set(calls)).toEqual(new Set(['one']));
    await one.stop();
    await commit(1);
    await clock.advance(1_000);
    expect(calls.at(-1)).toBe('two');
    expect(await arrived()).toHaveLength(7);
    await two.stop();
  });

  it('I3: a bus that is away is waited for, and everything arrives in its order', async () => {
    const { clock, start, commit, arrived, bus, log } = await open();
    let isAway = true;
    const flaky: Pick<Bus, 'publish'> = {
      publish: (to, publications) =>
        isAway
          ? Promise.reject(busErrors.create('BUS_UNAVAILABLE', { where: 'x', reason: 'away' }))
          : bus.publish(to, publications),
    };
    const relay = start({ bus: flaky });
    const ids = await commit(3);
    await clock.advance(30_000);
    expect(await arrived()).toEqual([]);
    const waits = log.withMessage('Events of the outbox could not be sent; trying again').length;
    // Ten at most: the waits grow from 0.1 s to 10 s.
    expect(waits).toBeGreaterThan(3);
    expect(waits).toBeLessThan(14);
    isAway = false;
    await clock.advance(20_000);
    expect(await arrived()).toEqual(ids);
    await relay.stop();
  });

  it('I4: an event that the bus will never take does not hold up the others', async () => {
    const { clock, start, commit, arrived, bus, log, store } = await open();
    const [before] = await commit(1);
    const poison = sampleEvent(clock);
    await store.commit({ events: [{ topic, envelope: poison }] });
    const [after] = await commit(1);
    const picky: Pick<Bus, 'publish'> = {
      publish: async (to, publications) => {
        if (publications.some(({ envelope }) => envelope.eventId === poison.eventId))
          throw busErrors.create('BUS_EVENT_TOO_LARGE', { eventId: poison.eventId, reason: 'too large' });
        return bus.publish(to, publications);
      },
    };
    const relay = start({ bus: picky });
    await clock.settle();
    await clock.settle();
    expect(await arrived()).toEqual([before, after]);
    expect(
      log.withMessage('An event of the outbox can never be published, so it is passed over').length,
    ).toBeGreaterThan(0);
    expect(await store.outbox.pending(10)).toEqual([]);
    await relay.stop();
  });
});
