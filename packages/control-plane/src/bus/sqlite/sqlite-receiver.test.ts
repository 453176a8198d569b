import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSampleBus, topic } from '../testing/sample-bus.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-receiver-'));
  file = join(folder, 'bus.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('SqliteReceiver', () => {
  it('I1: ends at its deadline to the millisecond, and leaves no timer and no lock behind', async () => {
    const { bus, clock, event, publish } = openSampleBus();
    await bus.ensureSubscription({ topic, name: 'sub' });
    const receiver = bus.openReceiver(topic, 'sub');
    const startMs = clock.now();
    expect(await clock.runUntil(receiver.receive({ max: 1, waitMs: 1_234 }))).toEqual([]);
    expect(clock.now() - startMs).toBe(1_234);
    const abort = new AbortController();
    const aborted = receiver.receive({ max: 1, waitMs: 60_000, signal: abort.signal });
    await clock.settle();
    abort.abort();
    expect(await aborted).toEqual([]);
    const closed = receiver.receive({ max: 1, waitMs: 60_000 });
    await clock.settle();
    await receiver.close();
    expect(await closed).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
    await publish(event());
    const next = bus.openReceiver(topic, 'sub');
    expect(await next.receive({ max: 1, waitMs: 0 })).toHaveLength(1);
    await bus.close();
  });

  it('I1: a receiver that closes while it asks locks nothing', async () => {
    const { bus, event, publish } = openSampleBus();
    await bus.ensureSubscription({ topic, name: 'sub' });
    await publish(event());
    const receiver = bus.openReceiver(topic, 'sub');
    const asking = receiver.receive({ max: 1, waitMs: 0 });
    await receiver.close();
    expect(await asking).toEqual([]);
    const next = bus.openReceiver(topic, 'sub');
    const [delivery] = await next.receive({ max: 1, waitMs: 0 });
    expect(delivery?.deliveryCount).toBe(1);
    await bus.close();
  });

  it('I2: wakes at once for what this process publishes or gives back', async () => {
    const { bus, clock, event, publish } = openSampleBus({ pollMs: 60_000 });
    await bus.ensureSubscription({ topic, name: 'sub' });
    const receiver = bus.openReceiver(topic, 'sub');
    const waiting = receiver.receive({ max: 1, waitMs: 60_000 });
    await clock.settle();
    const startMs = clock.now();
    await publish(event());
    const [first] = await waiting;
    const again = receiver.receive({ max: 1, waitMs: 60_000 });
    await clock.settle();
    await first?.abandon();
    const [second] = await again;
    expect(second?.deliveryCount).toBe(2);
    expect(clock.now()).toBe(startMs);
    await bus.close();
  });

  it('I2: wakes when a wait or a lock ends, no sooner', async () => {
    const { bus, clock, event, publish } = openSampleBus({ pollMs: 600_000 });
    await bus.ensureSubscription({ topic, name: 'sub', lockMs: 7_000 });
    const receiver = bus.openReceiver(topic, 'sub');
    await publish(event());
    await clock.runUntil(receiver.receive({ max: 1, waitMs: 0 }));
    const startMs = clock.now();
    const [second] = await clock.runUntil(receiver.receive({ max: 1, waitMs: 60_000 }));
    expect(clock.now() - startMs).toBe(7_000);
    await second?.retry({ reason: 'LATER', description: 'Not yet.' }, { afterMs: 3_000 });
    const third = await clock.runUntil(receiver.receive({ max: 1, waitMs: 60_000 }));
    expect(clock.now() - startMs).toBe(10_000);
    expect(third).toHaveLength(1);
    await bus.close();
  });

  it('I2: finds what another process published', async () => {
    const clock = new VirtualClock();
    const here = openSampleBus({ file, pollMs: 500 }, clock);
    const there = openSampleBus({ file }, clock);
    await here.bus.ensureSubscription({ topic, name: 'sub' });
    const receiver = here.bus.openReceiver(topic, 'sub');
    const waiting = receiver.receive({ max: 1, waitMs: 60_000 });
    await clock.settle();
    const startMs = clock.now();
    await there.publish(there.event());
    expect(await clock.runUntil(waiting)).toHaveLength(1);
    expect(clock.now() - startMs).toBeLessThanOrEqual(500);
    await here.bus.close();
    await there.bus.close();
  });

  it('I3: what is no envelope is a dead letter with what came, and the next event is given out', async () => {
    const { bus, event, publish } = openSampleBus({ file });
    await bus.ensureSubscription({ topic, name: 'sub' });
    await publish(event());
    const raw = new DatabaseSync(file);
    raw.prepare('UPDATE queue SET envelope = ?').run('{"eventId":"evt-1"}');
    raw.close();
    const good = event();
    await publish(good);
    const receiver = bus.openReceiver(topic, 'sub');
    const deliveries = await receiver.receive({ max: 5, waitMs: 0 });
    expect(deliveries.map(({ envelope }) => envelope)).toEqual([good]);
    const { items } = await bus.deadLetters.list();
    expect(items).toMatchObject([
      { reason: 'SCHEMA_INVALID', body: '{"eventId":"evt-1"}', description: expect.stringContaining('tenantId') },
    ]);
    expect(items[0]?.envelope).toBeUndefined();
    expect(await bus.deadLetters.replay(items[0]?.deadLetterId ?? '')).toEqual({ kind: 'unreadable' });
    await bus.close();
  });
});
