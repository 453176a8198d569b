/** The contract of `Bus`, run on every adapter: B1... are those of contract.ts. */
import type { Random } from '@switchyard/kernel';
import { createEventEnvelope, type EventDraft, type EventEnvelope } from '@switchyard/protocol';
import { createSeededRandom } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus, Delivery, SubscriptionSpec } from '../contract.ts';
import { describeDeadLetterContract } from './dead-letter-contract.ts';

/** An open bus, and how its time goes on. */
export interface OpenedBus {
  readonly bus: Bus;
  /** A topic that no other test uses. */
  readonly topic: string;
  now(): number;
  /** Settles as the promise does; on virtual time it runs timers until then. */
  run<Value>(promise: Promise<Value>): Promise<Value>;
  /** Lets time pass; left out where time is real. */
  elapse?(timeMs: number): Promise<void>;
  /** What replays asked the inbox to forget, as `subscription/eventId`. */
  readonly forgotten: readonly string[];
  close(): Promise<void>;
}

export type OpenBus = () => Promise<OpenedBus>;

/** What an adapter cannot do by its nature. */
export interface BusTraits {
  /** The shortest lock. */
  readonly lockMs: number;
  /** How long to look before a test believes that there is nothing. */
  readonly quietMs: number;
  /** Whether `publish` says which events were duplicates; an engine may drop them silently. */
  readonly tellsDuplicates: boolean;
}

/** What the tests of the suite share. */
export class BusBench {
  readonly opened: OpenedBus;
  readonly traits: BusTraits;
  readonly #random: Random = createSeededRandom(7);

  constructor(opened: OpenedBus, traits: BusTraits) {
    this.opened = opened;
    this.traits = traits;
  }

  get bus(): Bus {
    return this.opened.bus;
  }

  get topic(): string {
    return this.opened.topic;
  }

  subscribe(name: string, spec: Partial<SubscriptionSpec> = {}): Promise<void> {
    const backoff = { minimumMs: 200, maximumMs: 2_000, factor: 2, jitter: 0 };
    const whole = { topic: this.topic, name, lockMs: this.traits.lockMs, backoff, ...spec };
    return this.run(this.bus.ensureSubscription(whole));
  }

  event(draft: Partial<EventDraft> = {}): EventEnvelope {
    const clock = { now: () => this.opened.now() };
    const said = { eventType: 'ThingHappened', tenantId: 'acme', source: 'test/suite', payload: { answer: 42 } };
    return createEventEnvelope({ clock, random: this.#random }, { ...said, ...draft });
  }

  publish(...envelopes: readonly EventEnvelope[]): Promise<unknown> {
    return this.run(
      this.bus.publish(
        this.topic,
        envelopes.map((envelope) => ({ envelope })),
      ),
    );
  }

  publishOrdered(orderingKey: string, ...envelopes: readonly EventEnvelope[]): Promise<unknown> {
    return this.run(
      this.bus.publish(
        this.topic,
        envelopes.map((envelope) => ({ envelope, orderingKey })),
      ),
    );
  }

  /** What one receiver takes at once; waits for the first. */
  async take(subscription: string, max = 1): Promise<readonly Delivery[]> {
    const receiver = this.bus.openReceiver(this.topic, subscription);
    const deliveries = await this.run(receiver.receive({ max, waitMs: 30_000 }));
    await this.run(receiver.close());
    return deliveries;
  }

  /** The one event that comes next. */
  async takeOne(subscription: string): Promise<Delivery> {
    const [delivery] = await this.take(subscription);
    if (delivery === undefined) throw new Error(`nothing came on ${subscription}`);
    return delivery;
  }

  /** Takes and completes until `count` came; the ids in their order. */
  async drain(subscription: string, count: number): Promise<readonly string[]> {
    const ids: string[] = [];
    while (ids.length < count) {
      const deliveries = await this.take(subscription, count - ids.length);
      if (deliveries.length === 0) throw new Error(`${ids.length} of ${count} came on ${subscription}`);
      for (const delivery of deliveries) {
        ids.push(delivery.envelope.eventId);
        await this.run(delivery.complete());
      }
    }
    return ids;
  }

  async expectNothing(subscription: string): Promise<void> {
    const receiver = this.bus.openReceiver(this.topic, subscription);
    const deliveries = await this.run(receiver.receive({ max: 10, waitMs: this.traits.quietMs }));
    await this.run(receiver.close());
    expect(deliveries.map(({ envelope }) => envelope.eventId)).toEqual([]);
  }

  run<Value>(promise: Promise<Value>): Promise<Value> {
    return this.opened.run(promise);
  }
}

/** Declares the tests of one adapter. */
export function describeBusContract(name: string, open: OpenBus, traits: BusTraits): void {
  describe(`${name} keeps the Bus contract`, () => {
    let bench: BusBench;
    beforeEach(async () => {
      bench = new BusBench(await open(), traits);
    });
    afterEach(() => bench.opened.close());
    describePublishing(() => bench);
    describeLocks(() => bench);
    describeRetries(() => bench);
    describeOrder(() => bench);
    describeReceivers(() => bench);
    describeDeadLetterContract(() => bench);
  });
}

const note = { reason: 'DEPENDENCY_DOWN', description: 'The database of the target did not answer.' };

function describePublishing(bench: () => BusBench): void {
  it('B1: every subscription whose filter an event passes gets it once', async () => {
    await bench().subscribe('all');
    await bench().subscribe('types', { filter: { eventTypes: ['Wanted', 'AlsoWanted'] } });
    await bench().subscribe('tenant', { filter: { tenantIds: ['acme'], eventTypes: ['Wanted'] } });
    await bench().subscribe('environment', { filter: { environmentIds: ['prod'] } });
    const wanted = bench().event({ eventType: 'Wanted' });
    const foreign = bench().event({ eventType: 'AlsoWanted', tenantId: 'other', environmentId: 'prod' });
    const unwanted = bench().event({ eventType: 'Unwanted', environmentId: 'test' });
    await bench().publish(wanted, foreign, unwanted);
    const ids = [wanted, foreign, unwanted].map(({ eventId }) => eventId);
    expect(await bench().drain('all', 3)).toEqual(ids);
    expect(await bench().drain('types', 2)).toEqual(ids.slice(0, 2));
    expect(await bench().drain('tenant', 1)).toEqual([wanted.eventId]);
    expect(await bench().drain('environment', 1)).toEqual([foreign.eventId]);
    for (const name of ['all', 'types', 'tenant', 'environment']) await bench().expectNothing(name);
  });

  it('B1: the envelope arrives as it was sent, whatever stands in it', async () => {
    await bench().subscribe('sub');
    const sent: EventEnvelope = {
      ...bench().event({
        projectId: 'project',
        moduleId: 'module',
        environmentId: 'environment',
        subject: 'app/ünï-ひ "quoted" \\ and more',
        traceId: 'trace of somebody else',
        payload: { __proto__: null, list: [1, -2.5e10, null, true, { deep: ['', '\u2028 \u{1f600}'] }] },
      }),
      extensions: JSON.parse('{"future":{"a":[1]},"__proto__":"harmless"}'),
    };
    await bench().publish(sent);
    const delivery = await bench().takeOne('sub');
    expect(JSON.stringify(delivery.envelope)).toBe(JSON.stringify(sent));
    expect(delivery).toMatchObject({ topic: bench().topic, subscription: 'sub', deliveryCount: 1 });
    expect(delivery.replayOf).toBeUndefined();
    await bench().run(delivery.complete());
  });

  it('B1: a subscription keeps what was published while nobody received, and knows nothing of what was before it', async () => {
    await bench().publish(bench().event());
    await bench().subscribe('late');
    const event = bench().event();
    await bench().publish(event);
    expect(await bench().drain('late', 1)).toEqual([event.eventId]);
    await bench().expectNothing('late');
  });

  it('B2: an eventId published again reaches nobody, in the same call or another', async () => {
    await bench().subscribe('sub');
    const event = bench().event();
    const other = bench().event();
    const publications = [{ envelope: event }, { envelope: other }, { envelope: event }];
    const first = await bench().run(bench().bus.publish(bench().topic, publications));
    const duplicate = bench().traits.tellsDuplicates ? 'duplicate' : 'accepted';
    expect(first).toEqual(['accepted', 'accepted', duplicate]);
    const again = await bench().run(bench().bus.publish(bench().topic, [{ envelope: event }]));
    expect(again).toEqual([duplicate]);
    await bench().drain('sub', 2);
    await bench().expectNothing('sub');
    expect(await bench().run(bench().bus.publish(bench().topic, [{ envelope: event }]))).toEqual([duplicate]);
    await bench().expectNothing('sub');
  });

  it('gives a scheduled event to nobody before its time', async () => {
    await bench().subscribe('sub');
    const later = bench().event();
    const notBeforeMs = bench().opened.now() + 1_500;
    await bench().run(bench().bus.publish(bench().topic, [{ envelope: later, notBeforeMs }]));
    const now = bench().event();
    await bench().publish(now);
    expect(await bench().drain('sub', 1)).toEqual([now.eventId]);
    const delivery = await bench().takeOne('sub');
    expect(delivery.envelope.eventId).toBe(later.eventId);
    expect(bench().opened.now()).toBeGreaterThanOrEqual(notBeforeMs);
    await bench().run(delivery.complete());
  });

  it('refuses an event that is too large, names the reason, and takes nothing of the call', async () => {
    await bench().subscribe('sub');
    const large = bench().event({ payload: 'x'.repeat(200 * 1024) });
    const call = bench().run(bench().bus.publish(bench().topic, [{ envelope: bench().event() }, { envelope: large }]));
    await expect(call).rejects.toThrow(/cannot be published.*bytes, and 196608 is the most/);
    await bench().expectNothing('sub');
  });

  it('refuses names that an engine cannot have', async () => {
    await expect(bench().run(bench().bus.publish('no/name', [{ envelope: bench().event() }]))).rejects.toThrow(
      /The topic 'no\/name' cannot be used/,
    );
    await expect(bench().subscribe('-x')).rejects.toThrow(/The subscription '-x' cannot be used/);
  });
}

function describeLocks(bench: () => BusBench): void {
  it('B1: an event that is out is given to nobody else', async () => {
    await bench().subscribe('sub');
    await bench().publish(bench().event(), bench().event());
    const first = await bench().takeOne('sub');
    const second = await bench().takeOne('sub');
    expect(second.envelope.eventId).not.toBe(first.envelope.eventId);
    expect(await bench().run(first.complete())).toBe('settled');
    expect(await bench().run(second.complete())).toBe('settled');
    await bench().expectNothing('sub');
  });

  it('B3, B4: when its lock ends it is delivered again, and the late settlement changes nothing', async () => {
    await bench().subscribe('sub');
    const event = bench().event();
    await bench().publish(event);
    const lost = await bench().takeOne('sub');
    const again = await bench().takeOne('sub');
    expect(again.envelope).toEqual(event);
    expect(again.deliveryCount).toBe(2);
    expect(await bench().run(lost.complete())).toBe('lockLost');
    expect(await bench().run(lost.renew())).toBe('lockLost');
    expect(await bench().run(lost.retry(note))).toEqual({ kind: 'lockLost' });
    expect(await bench().run(again.complete())).toBe('settled');
    expect(await bench().run(again.complete())).toBe('lockLost');
    await bench().expectNothing('sub');
  });

  it('renewal holds an event beyond its lock', async () => {
    await bench().subscribe('sub');
    await bench().publish(bench().event());
    const delivery = await bench().takeOne('sub');
    const receiver = bench().bus.openReceiver(bench().topic, 'sub');
    // Together longer than a lock: without renewal the event would come again. Each of them leaves most of a lock for the
    // call itself, which takes its time on a busy machine.
    for (let times = 0; times < 5; times += 1) {
      const waitMs = Math.round(bench().traits.lockMs * 0.3);
      expect(await bench().run(receiver.receive({ max: 1, waitMs }))).toEqual([]);
      const before = delivery.lockedUntilMs;
      expect(await bench().run(delivery.renew())).toBe('settled');
      expect(delivery.lockedUntilMs).toBeGreaterThan(before);
    }
    expect(await bench().run(delivery.complete())).toBe('settled');
    await bench().run(receiver.close());
    await bench().expectNothing('sub');
  });
}

function describeRetries(bench: () => BusBench): void {
  it('B3: an abandoned event comes again at once', async () => {
    await bench().subscribe('sub');
    const event = bench().event();
    await bench().publish(event);
    const first = await bench().takeOne('sub');
    expect(await bench().run(first.abandon())).toBe('settled');
    const second = await bench().takeOne('sub');
    expect(second.envelope).toEqual(event);
    expect(second.deliveryCount).toBe(2);
    await bench().run(second.complete());
  });

  it('B3: a retried event comes again after its growing wait', async () => {
    await bench().subscribe('sub', { maxDeliveries: 5 });
    const event = bench().event();
    await bench().publish(event);
    const waits: number[] = [];
    for (let count = 1; count <= 3; count += 1) {
      const delivery = await bench().takeOne('sub');
      expect(delivery.deliveryCount).toBe(count);
      const before = bench().opened.now();
      const outcome = await bench().run(delivery.retry(note));
      if (outcome.kind !== 'scheduled') throw new Error(outcome.kind);
      waits.push(outcome.dueMs - before);
    }
    const last = await bench().takeOne('sub');
    expect(last.deliveryCount).toBe(4);
    expect(last.envelope).toEqual(event);
    await bench().run(last.complete());
    // The call itself takes time, except on virtual time: there the waits are exact.
    const expected = [200, 400, 800];
    if (bench().opened.elapse !== undefined) expect(waits).toEqual(expected);
    expect(waits.every((waitMs, index) => waitMs >= (expected[index] ?? 0))).toBe(true);
  });

  it('B3: others do not wait for a retried event', async () => {
    await bench().subscribe('sub');
    const event = bench().event();
    await bench().publish(event);
    const delivery = await bench().takeOne('sub');
    // Longer than it takes to publish and receive another one.
    await bench().run(delivery.retry(note, { afterMs: 10_000 }));
    const other = bench().event();
    await bench().publish(other);
    expect(await bench().drain('sub', 1)).toEqual([other.eventId]);
  });

  it('B3: a retry waits as long as it is told', async () => {
    await bench().subscribe('sub');
    await bench().publish(bench().event());
    const delivery = await bench().takeOne('sub');
    const outcome = await bench().run(delivery.retry(note, { afterMs: 1_200 }));
    if (outcome.kind !== 'scheduled') throw new Error(outcome.kind);
    const again = await bench().takeOne('sub');
    expect(bench().opened.now()).toBeGreaterThanOrEqual(outcome.dueMs - 50);
    expect(again.deliveryCount).toBe(2);
    await bench().run(again.complete());
  });
}

function describeOrder(bench: () => BusBench): void {
  it('B6: events of a key come one after the other, in their order', async () => {
    await bench().subscribe('sub', { ordered: true });
    const events = Array.from({ length: 4 }, () => bench().event());
    await bench().publishOrdered('app-1', ...events);
    for (const event of events) {
      const delivery = await bench().takeOne('sub');
      expect(delivery.envelope.eventId).toBe(event.eventId);
      expect(delivery.orderingKey).toBe('app-1');
      await bench().expectNothing('sub');
      await bench().run(delivery.complete());
    }
  });

  it('B6: what is replayed keeps its key', async () => {
    await bench().subscribe('sub', { ordered: true });
    await bench().publishOrdered('app-1', bench().event());
    const refused = await bench().takeOne('sub');
    await bench().run(refused.deadLetter(note));
    expect(await bench().run(bench().bus.deadLetters.replayAll({ topic: bench().topic }))).toBe(1);
    const replayed = await bench().takeOne('sub');
    expect(replayed.orderingKey).toBe('app-1');
    expect(replayed.replayOf).toBeDefined();
    await bench().run(replayed.complete());
  });

  it('B6: a retry holds back the later ones of its key, and other keys go on', async () => {
    await bench().subscribe('sub', { ordered: true });
    const [first, second] = [bench().event(), bench().event()];
    await bench().publishOrdered('app-1', first, second);
    const failed = await bench().takeOne('sub');
    // Longer than it takes to publish the others.
    await bench().run(failed.retry(note, { afterMs: 3_000 }));
    const others = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((key) => ({ key, event: bench().event() }));
    for (const { key, event } of others) await bench().publishOrdered(key, event);
    const seen = await bench().drain('sub', others.length + 2);
    expect([...seen].sort()).toEqual([first, second, ...others.map(({ event }) => event)].map((e) => e.eventId).sort());
    expect(seen.indexOf(first.eventId)).toBeLessThan(seen.indexOf(second.eventId));
    // Somebody of another key went before the retried one.
    expect(seen.indexOf(first.eventId)).toBeGreaterThan(0);
  });

  it('B6: events without a key are never held back', async () => {
    await bench().subscribe('sub', { ordered: true });
    const events = [bench().event(), bench().event()];
    await bench().publish(...events);
    const held = [await bench().takeOne('sub'), await bench().takeOne('sub')];
    expect(held.map(({ envelope }) => envelope.eventId).sort()).toEqual(events.map(({ eventId }) => eventId).sort());
    expect(held.map(({ orderingKey }) => orderingKey)).toEqual([undefined, undefined]);
    for (const delivery of held) expect(await bench().run(delivery.complete())).toBe('settled');
  });

  it('B6: a dead letter lets the next of its key go on', async () => {
    await bench().subscribe('sub', { ordered: true });
    const [first, second] = [bench().event(), bench().event()];
    await bench().publishOrdered('app-1', first, second);
    const refused = await bench().takeOne('sub');
    expect(refused.envelope.eventId).toBe(first.eventId);
    await bench().run(refused.deadLetter(note));
    expect(await bench().drain('sub', 1)).toEqual([second.eventId]);
  });
}

function describeReceivers(bench: () => BusBench): void {
  it('a waiting receive ends with its signal, and with the close of its receiver', async () => {
    await bench().subscribe('sub');
    const abort = new AbortController();
    const receiver = bench().bus.openReceiver(bench().topic, 'sub');
    const aborted = receiver.receive({ max: 1, waitMs: 600_000, signal: abort.signal });
    abort.abort();
    expect(await bench().run(aborted)).toEqual([]);
    const closed = receiver.receive({ max: 1, waitMs: 600_000 });
    await bench().run(receiver.close());
    expect(await bench().run(closed)).toEqual([]);
    const event = bench().event();
    await bench().publish(event);
    expect(await bench().drain('sub', 1)).toEqual([event.eventId]);
  });

  it('a waiting receive gets what is published meanwhile', async () => {
    await bench().subscribe('sub');
    const receiver = bench().bus.openReceiver(bench().topic, 'sub');
    const waiting = receiver.receive({ max: 5, waitMs: 30_000 });
    const event = bench().event();
    await bench().publish(event);
    const [delivery] = await bench().run(waiting);
    expect(delivery?.envelope).toEqual(event);
    if (delivery !== undefined) await bench().run(delivery.complete());
    await bench().run(receiver.close());
  });

  it('refuses to receive from a subscription that is not there', async () => {
    const receiver = bench().bus.openReceiver(bench().topic, 'nobody');
    await expect(bench().run(receiver.receive({ max: 1, waitMs: 1_000 }))).rejects.toThrow(
      /has no subscription 'nobody'/,
    );
    await bench().run(receiver.close());
  });

  it('tells how much each subscription holds', async () => {
    await bench().subscribe('sub');
    await bench().publish(bench().event(), bench().event(), bench().event());
    const refused = await bench().takeOne('sub');
    await bench().run(refused.deadLetter(note));
    const depths = await bench().run(bench().bus.depths());
    const own = depths.filter(({ topic }) => topic === bench().topic);
    expect(own).toEqual([{ topic: bench().topic, subscription: 'sub', queued: 2, deadLetters: 1 }]);
    await bench().drain('sub', 2);
  });

  it('removes a subscription with what it holds', async () => {
    await bench().subscribe('sub');
    await bench().publish(bench().event());
    await bench().run(bench().bus.removeSubscription(bench().topic, 'sub'));
    await bench().run(bench().bus.removeSubscription(bench().topic, 'sub'));
    await bench().subscribe('sub');
    await bench().expectNothing('sub');
  });
}
