import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryQueues } from '../testing/memory-queues.ts';
import { memoryConnection } from '../testing/storage.ts';
import { parseBlobTriggerMessage } from './blob-trigger-message.ts';
import { BlobTriggerQueue, blobTriggerQueueName, canHaveBlobTriggerQueue } from './blob-trigger-queue.ts';

const { signal } = new AbortController();
const message = { functionId: 'f', blobType: 'Block', container: 'images', blob: 'a', etag: '"1"' } as const;

describe('BlobTriggerQueue', () => {
  it('sends to the official queue, in Base64, and creates it', async () => {
    const clock = new VirtualClock();
    const queues = new MemoryQueues(clock);
    const queue = new BlobTriggerQueue(queues, memoryConnection, 'host');
    await queue.send({ clock, random: createSeededRandom(1) }, message, signal);
    const [text = ''] = queues.texts(memoryConnection, 'azure-webjobs-blobtrigger-host') ?? [];
    expect(parseBlobTriggerMessage(Buffer.from(text, 'base64').toString())).toEqual({ kind: 'message', message });
  });

  it('opens both queues by their aliases, and names them as they are', () => {
    const queue = new BlobTriggerQueue(new MemoryQueues(new VirtualClock()), memoryConnection, 'host');
    const names = [queue.alias, `${queue.alias}-poison`, 'other'].map(
      (name) => queue.service.open(memoryConnection, name).name,
    );
    expect(names).toEqual(['azure-webjobs-blobtrigger-host', 'webjobs-blobtrigger-poison', 'other']);
  });

  it('wakes a listener of the alias, also by the real name', () => {
    const queue = new BlobTriggerQueue(new MemoryQueues(new VirtualClock()), memoryConnection, 'host');
    let wakes = 0;
    queue.signals.subscribe(memoryConnection.queueEndpoint, queue.alias, () => {
      wakes += 1;
    });
    queue.wake();
    queue.signals.notify(memoryConnection.queueEndpoint, queue.name);
    queue.signals.notify(memoryConnection.queueEndpoint, 'other');
    expect(wakes).toBe(2);
  });

  it.each([
    ['host', true],
    ['x'.repeat(32), true],
    ['x'.repeat(38), false],
    ['Host', false],
    ['host-', false],
  ])('the host id %o can have a queue: %o', (hostId, expected) => {
    expect(canHaveBlobTriggerQueue(hostId)).toBe(expected);
    expect(blobTriggerQueueName(hostId)).toBe(`azure-webjobs-blobtrigger-${hostId}`);
  });
});
