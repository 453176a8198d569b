import { createDeferred } from '@switchyard/kernel';
import { createMemoryLog, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryQueues } from '../testing/memory-queues.ts';
import { memoryConnection } from '../testing/storage.ts';
import { MessageLease } from './message-lease.ts';
import type { QueueClient } from './queue-client.ts';

const minuteMs = 60_000;
const visibilityMs = 10 * minuteMs;
const { signal } = new AbortController();

interface Rig {
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly queues: MemoryQueues;
  readonly client: QueueClient;
  readonly lease: MessageLease;
  /** When renewals were asked for, in minutes after the receipt. */
  readonly renewals: number[];
}

/** A lease on the one message of a queue. */
async function rigOf(): Promise<Rig> {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const queues = new MemoryQueues(clock);
  const startMs = clock.now();
  const renewals: number[] = [];
  queues.put(memoryConnection, 'orders', 'text');
  const client = queues.open(memoryConnection, 'orders');
  const received = await client.receive(1, visibilityMs, signal);
  const message = received.kind === 'messages' ? received.messages[0] : undefined;
  if (message === undefined) throw new Error('no message');
  queues.fault = (operation) => {
    if (operation === 'setVisibility') renewals.push((clock.now() - startMs) / minuteMs);
    return undefined;
  };
  return {
    clock,
    log,
    queues,
    client,
    lease: new MessageLease({ clock, log, client }, message, visibilityMs),
    renewals,
  };
}

describe('MessageLease', () => {
  it('I1: renews at half time, again and again, so that the message stays invisible', async () => {
    const rig = await rigOf();
    await rig.clock.advance(21 * minuteMs);
    expect(rig.renewals).toEqual([5, 10, 15, 20]);
    expect(await rig.client.receive(1, visibilityMs, signal)).toEqual({ kind: 'messages', messages: [] });
  });

  it('I1: tries sooner after a fault, and says so', async () => {
    const rig = await rigOf();
    const note = rig.queues.fault;
    rig.queues.fault = (operation, name) => {
      void note(operation, name);
      return Promise.reject(new Error('down'));
    };
    await rig.clock.advance(9 * minuteMs);
    expect(rig.renewals).toEqual([5, 7.5, 8.75]);
    rig.queues.fault = note;
    await rig.clock.advance(minuteMs);
    expect(rig.renewals).toEqual([5, 7.5, 8.75, 9.75]);
    expect(await rig.client.delete(await rig.lease.end(), signal)).toBe('deleted');
    expect(rig.log.withMessage('A queue message could not be kept invisible')).toHaveLength(3);
  });

  it('I2: gives out the receipt of a renewal that was under way', async () => {
    const rig = await rigOf();
    const answer = createDeferred<void>();
    rig.queues.fault = () => answer.promise;
    await rig.clock.advance(5 * minuteMs);
    const ended = rig.lease.end();
    answer.resolve();
    const receipt = await ended;
    rig.queues.fault = () => undefined;
    expect(await rig.client.delete(receipt, signal)).toBe('deleted');
  });

  it('I3: renews no more once it has ended', async () => {
    const rig = await rigOf();
    await rig.lease.end();
    await rig.clock.advance(60 * minuteMs);
    expect(rig.renewals).toEqual([]);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('I4: lets a message go that is no longer ours', async () => {
    const rig = await rigOf();
    rig.queues.remove(memoryConnection, 'orders');
    await rig.clock.advance(60 * minuteMs);
    expect(rig.renewals).toEqual([5]);
    expect(rig.clock.pendingTimers).toBe(0);
  });
});
