import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { testBlobContainer } from '../blob/blob-client-suite.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { memoryConnection } from './storage.ts';

const { signal } = new AbortController();
const shared = new MemoryBlobs(new VirtualClock());

testBlobContainer('memory', (name) => shared.open(memoryConnection, name));

describe('MemoryBlobs', () => {
  it('ends a lease when its time is over, and renews one that nobody else took', async () => {
    const clock = new VirtualClock();
    const blobs = new MemoryBlobs(clock);
    blobs.put(memoryConnection, 'c/a');
    const container = blobs.open(memoryConnection, 'c');
    await container.acquireLease('a', { leaseId: 'one', durationMs: 15_000 }, signal);
    await clock.advance(14_999);
    expect(blobs.leaseOf(memoryConnection, 'c', 'a')).toBe('one');
    expect(await container.acquireLease('a', { leaseId: 'two', durationMs: 15_000 }, signal)).toBe('taken');
    await clock.advance(1);
    expect(blobs.leaseOf(memoryConnection, 'c', 'a')).toBeUndefined();
    expect(await container.renewLease('a', 'one', signal)).toBe('renewed');
    await clock.advance(15_000);
    expect(await container.acquireLease('a', { leaseId: 'two', durationMs: 15_000 }, signal)).toBe('acquired');
    expect(await container.renewLease('a', 'one', signal)).toBe('lost');
  });

  it('lets a test look, count and break', async () => {
    const blobs = new MemoryBlobs(new VirtualClock());
    const container = blobs.open(memoryConnection, 'c');
    expect(blobs.names(memoryConnection, 'c')).toBeUndefined();
    blobs.put(memoryConnection, 'c/a', 'text', { Key: 'v' });
    expect(blobs.names(memoryConnection, 'c')).toEqual(['a']);
    expect(blobs.text(memoryConnection, 'c', 'a')).toBe('text');
    expect(blobs.metadata(memoryConnection, 'c', 'a')).toEqual(new Map([['Key', 'v']]));
    blobs.fault = () => Promise.reject(new Error('down'));
    await expect(container.properties('a', signal)).rejects.toThrow('down');
    expect(blobs.count('properties', 'c/a')).toBe(1);
    blobs.remove(memoryConnection, 'c');
    expect(blobs.text(memoryConnection, 'c', 'a')).toBeUndefined();
  });
});
