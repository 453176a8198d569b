import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { testQueueClient } from '../queue/queue-client-suite.ts';
import { MemoryQueues } from './memory-queues.ts';
import { memoryConnection } from './storage.ts';

const { signal } = new AbortController();
const queues = new MemoryQueues(new VirtualClock());

testQueueClient('memory', (name) => queues.open(memoryConnection, name));

describe('MemoryQueues', () => {
  it('shows a message again when its visibility ends', async () => {
    const clock = new VirtualClock();
    const timed = new MemoryQueues(clock);
    timed.put(memoryConnection, 'orders', 'a');
    const client = timed.open(memoryConnection, 'orders');
    await client.receive(1, 1_000, signal);
    await clock.advance(999);
    expect(await client.receive(1, 1_000, signal)).toEqual({ kind: 'messages', messages: [] });
    await clock.advance(1);
    expect(await client.receive(1, 1_000, signal)).toMatchObject({ messages: [{ dequeueCount: 2 }] });
  });

  it('lets a test look, count and break', async () => {
    const timed = new MemoryQueues(new VirtualClock());
    const client = timed.open(memoryConnection, 'orders');
    expect(timed.texts(memoryConnection, 'orders')).toBeUndefined();
    timed.put(memoryConnection, 'orders', 'a', 3);
    expect(timed.texts(memoryConnection, 'orders')).toEqual(['a']);
    expect(await client.receive(1, 1_000, signal)).toMatchObject({ messages: [{ dequeueCount: 4 }] });
    timed.fault = () => Promise.reject(new Error('down'));
    await expect(client.receive(1, 1_000, signal)).rejects.toThrow('down');
    expect(timed.count('receive', 'orders')).toBe(2);
    timed.remove(memoryConnection, 'orders');
    expect(timed.texts(memoryConnection, 'orders')).toBeUndefined();
  });
});
