import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { namespaceWithKey } from '../testing/namespace.ts';
import { memoryConnection } from '../testing/storage.ts';
import { createBlobPartitionStore } from './blob-partition-store.ts';

const place = {
  connection: namespaceWithKey('x', 'Shop.servicebus.windows.net'),
  hub: 'Orders',
  consumerGroup: '$Default',
};
const containerName = 'azure-webjobs-eventhub';
const folder = 'shop.servicebus.windows.net/orders/$default';

function rig() {
  const clock = new VirtualClock(0);
  const blobs = new MemoryBlobs(clock);
  const store = createBlobPartitionStore({ clock, random: createSeededRandom(1), blobs }, memoryConnection, place);
  const metadata = (name: string) =>
    Object.fromEntries(blobs.metadata(memoryConnection, containerName, `${folder}/${name}`) ?? []);
  return { blobs, store, metadata };
}

describe('BlobPartitionStore', () => {
  it('I1: of two that want a partition one gets it', async () => {
    const { store } = rig();
    expect(await Promise.all([store.claim('0', 'me', undefined), store.claim('0', 'you', undefined)])).toEqual([
      true,
      false,
    ]);
    const [seen] = await store.ownerships();
    expect(seen).toMatchObject({ partitionId: '0', ownerId: 'me' });
    expect(await store.claim('0', 'you', seen?.etag)).toBe(true);
    expect(await store.claim('0', 'me', seen?.etag)).toBe(false);
  });

  it('I2: creates the container when it is first needed', async () => {
    const { blobs, store } = rig();
    expect(await store.ownerships()).toEqual([]);
    expect(await store.checkpoints()).toEqual([]);
    await store.advance({ partitionId: '3', offset: '640', sequenceNumber: 10 });
    expect(await store.checkpoints()).toEqual([{ partitionId: '3', offset: '640', sequenceNumber: 10 }]);
    expect(blobs.requests.filter((request) => request.startsWith('create '))).toHaveLength(1);
    await store.claim('3', 'me', undefined);
    expect(blobs.requests.filter((request) => request.startsWith('create '))).toHaveLength(1);
  });

  it('writes the official layout', async () => {
    const { store, metadata } = rig();
    await store.claim('0', 'me', undefined);
    await store.advance({ partitionId: '0', offset: '64', sequenceNumber: 1 });
    await store.advance({ partitionId: '0', offset: '128', sequenceNumber: 2 });
    expect(metadata('ownership/0')).toEqual({ ownerid: 'me' });
    expect(metadata('checkpoint/0')).toEqual({ offset: '128', sequencenumber: '2' });
  });

  it('reads names in any case, and takes an empty checkpoint for none', async () => {
    const { blobs, store } = rig();
    const container = blobs.open(memoryConnection, containerName);
    const { signal } = new AbortController();
    await container.create(signal);
    const put = (name: string, metadata: Record<string, string>) =>
      container.write(
        `${folder}/checkpoint/${name}`,
        new Uint8Array(),
        { metadata: new Map(Object.entries(metadata)) },
        signal,
      );
    await put('0', { Offset: '64', SequenceNumber: '1' });
    await put('1', { offset: '', sequencenumber: '' });
    await put('2', { offset: '9:1' });
    expect(await store.checkpoints()).toEqual([
      { partitionId: '0', offset: '64', sequenceNumber: 1 },
      { partitionId: '2', offset: '9:1', sequenceNumber: -1 },
    ]);
  });
});
