import { createDeferred, type Deferred } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startConsumer } from './consumer.ts';
import type { Consumer, EventHandler } from './contract.ts';
import { openSampleBus, type SampleBus, topic } from './testing/sample-bus.ts';

let sample: SampleBus;
let consumer: Consumer | undefined;
const log = createMemoryLog();
beforeEach(async () => {
  sample = openSampleBus();
  await sample.bus.ensureSubscription({ topic, name: 'sub', lockMs: 10_000, maxDeliveries: 3 });
});
afterEach(async () => {
  await sample.clock.runUntil(consumer?.stop(0) ?? Promise.resolve());
  await sample.bus.close();
});

function start(handler: EventHandler, options: { concurrency?: number } = {}): Consumer {
  const { bus, clock } = sample;
  const deps = { bus, clock, log, random: createSeededRandom(2) };
  consumer = startConsumer(deps, { topic, subscription: 'sub', ...options }, handler);
  return consumer;
}

async function depth(): Promise<object | undefined> {
  const [found] = await sample.bus.depths();
  return found && { queued: found.queued, deadLetters: found.deadLetters };
}

describe('startConsumer', () => {
  it('I1: runs as many handlers as it may, and takes no event that none is free for', async () => {
    const gates: Deferred<void>[] = [];
    start(
      async () => {
        const gate = createDeferred<void>();
        gates.push(gate);
        await gate.promise;
        return { kind: 'done' };
      },
      { concurrency: 2 },
    );
    await sample.publish(sample.event(), sample.event(), sample.event());
    await sample.clock.settle();
    expect(gates).toHaveLength(2);
    const other = sample.bus.openReceiver(topic, 'sub');
    const [third] = await other.receive({ max: 5, waitMs: 0 });
    expect(third?.deliveryCount).toBe(1);
    await third?.abandon();
    gates[0]?.resolve();
    await sample.clock.settle();
    expect(gates).toHaveLength(3);
    for (const gate of gates) gate.resolve();
    await sample.clock.settle();
    expect(await depth()).toEqual({ queued: 0, deadLetters: 0 });
  });

  it('I2: holds a lock for as long as its handler takes', async () => {
    const gate = createDeferred<void>();
    let runs = 0;
    start(
      async () => {
        runs += 1;
        await gate.promise;
        return { kind: 'done' };
      },
      { concurrency: 2 },
    );
    await sample.publish(sample.event());
    await sample.clock.advance(95_000);
    expect(runs).toBe(1);
    gate.resolve();
    await sample.clock.settle();
    expect(await depth()).toEqual({ queued: 0, deadLetters: 0 });
  });

  it('I2: tells the handler when the lock is lost, and settles nothing', async () => {
    const aborted = createDeferred<void>();
    const runs: number[] = [];
    start(async ({ deliveryCount }, signal) => {
      runs.push(deliveryCount);
      if (deliveryCount > 1) return { kind: 'done' };
      signal.addEventListener('abort', () => aborted.resolve());
      await aborted.promise;
      return { kind: 'refuse', reason: 'LATE', description: 'Nobody may see this.' };
    });
    await sample.publish(sample.event());
    await sample.clock.settle();
    // Its events go with the subscription; a new one of the name has none of the old locks.
    await sample.bus.removeSubscription(topic, 'sub');
    await sample.bus.ensureSubscription({ topic, name: 'sub' });
    await sample.clock.advance(10_000);
    await aborted.promise;
    await sample.clock.settle();
    expect(runs).toEqual([1]);
    expect(await depth()).toEqual({ queued: 0, deadLetters: 0 });
    expect(
      log.withMessage('The lock of an event was lost while it was handled; it will come again').length,
    ).toBeGreaterThan(0);
  });

  it('I3: settles by the verdict', async () => {
    const seen: string[] = [];
    start(async ({ envelope, deliveryCount }) => {
      seen.push(`${String(envelope.payload)}${deliveryCount}`);
      switch (envelope.payload) {
        case 'refuse':
          return { kind: 'refuse', reason: 'TENANT_MISMATCH', description: 'Another tenant.' };
        case 'retry':
          return deliveryCount < 2
            ? { kind: 'retry', reason: 'BUSY', description: 'Later.', afterMs: 500 }
            : { kind: 'done' };
        case 'throw':
          throw new Error('broken');
        default:
          return { kind: 'done' };
      }
    });
    for (const payload of ['done', 'refuse', 'retry', 'throw']) await sample.publish(sample.event({ payload }));
    await sample.clock.advance(60_000);
    expect([...seen].sort()).toEqual(['done1', 'refuse1', 'retry1', 'retry2', 'throw1', 'throw2', 'throw3']);
    const { items } = await sample.bus.deadLetters.list();
    const told = items.map(({ reason, description }) => [reason, description]);
    expect(told).toEqual([
      ['TENANT_MISMATCH', 'Another tenant.'],
      ['HANDLER_FAILED', 'broken'],
    ]);
    expect(await depth()).toEqual({ queued: 0, deadLetters: 2 });
  });

  it('I4: a bus that fails is asked again', async () => {
    await sample.bus.removeSubscription(topic, 'sub');
    let handled = 0;
    start(async () => {
      handled += 1;
      return { kind: 'done' };
    });
    await sample.clock.advance(5_000);
    expect(log.withMessage('Events could not be received; trying again').length).toBeGreaterThan(0);
    await sample.bus.ensureSubscription({ topic, name: 'sub' });
    await sample.publish(sample.event());
    await sample.clock.advance(60_000);
    expect(handled).toBe(1);
  });

  it('I5: stop waits for what runs, and takes nothing more', async () => {
    const gate = createDeferred<void>();
    let runs = 0;
    const running = start(async () => {
      runs += 1;
      await gate.promise;
      return { kind: 'done' };
    });
    await sample.publish(sample.event(), sample.event());
    await sample.clock.settle();
    const stopped = running.stop(5_000);
    await sample.clock.settle();
    gate.resolve();
    await sample.clock.runUntil(stopped);
    expect(runs).toBe(1);
    expect(await depth()).toEqual({ queued: 1, deadLetters: 0 });
  });

  it('I5: what is not done by the deadline is aborted and given back at once', async () => {
    const running = start(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    );
    await sample.publish(sample.event());
    await sample.clock.settle();
    const startMs = sample.clock.now();
    await sample.clock.runUntil(running.stop(2_000));
    expect(sample.clock.now() - startMs).toBe(2_000);
    const receiver = sample.bus.openReceiver(topic, 'sub');
    const [delivery] = await receiver.receive({ max: 1, waitMs: 0 });
    expect(delivery?.deliveryCount).toBe(2);
  });
});
