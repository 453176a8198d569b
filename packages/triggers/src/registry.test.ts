import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createKinds } from './registry.ts';
import { createProcessLocks } from './singleton/process-locks.ts';
import { MemoryBlobs } from './testing/memory-blobs.ts';
import { MemoryQueues } from './testing/memory-queues.ts';
import { MemoryTables } from './testing/memory-tables.ts';
import { createMemoryTimerStatus } from './testing/memory-timer-status.ts';

const kinds = createKinds({ queues: new MemoryQueues(new VirtualClock()), timerStatus: createMemoryTimerStatus() });

describe('createKinds', () => {
  it('finds kinds by type in any case', () => {
    expect(kinds.trigger('HTTPTrigger')).toMatchObject({ style: 'route', type: 'httpTrigger' });
    expect(kinds.trigger('timertrigger')).toMatchObject({ style: 'listener', type: 'timerTrigger' });
    expect(kinds.trigger('queueTrigger')).toMatchObject({ style: 'listener', type: 'queueTrigger' });
    expect(kinds.output('Queue')?.type).toBe('queue');
    expect(kinds.output('http')?.type).toBe('http');
  });

  it.each(['', 'blobTrigger', 'queue', '__proto__', 'constructor'])('knows no trigger %o', (type) => {
    expect(kinds.trigger(type)).toBeUndefined();
  });

  it('lists what it supports, for messages', () => {
    expect(kinds.supportedTriggerTypes()).toEqual([
      'eventGridTrigger',
      'httpTrigger',
      'queueTrigger',
      'timerTrigger',
      'warmupTrigger',
    ]);
    expect(kinds.supportedInputTypes()).toEqual([]);
    expect(kinds.supportedOutputTypes()).toEqual(['eventGrid', 'http', 'queue']);
    expect(kinds.input('queue')).toBeUndefined();
  });

  it('has blob, table and singleton kinds where their services are given', () => {
    const clock = new VirtualClock();
    const all = createKinds({
      queues: new MemoryQueues(clock),
      timerStatus: createMemoryTimerStatus(),
      blobs: new MemoryBlobs(clock),
      tables: new MemoryTables(),
      locks: createProcessLocks(),
      singletonTimers: true,
    });
    expect(all.supportedTriggerTypes()).toEqual([
      'blobTrigger',
      'eventGridTrigger',
      'httpTrigger',
      'queueTrigger',
      'timerTrigger',
      'warmupTrigger',
    ]);
    expect(all.supportedInputTypes()).toEqual(['blob', 'table']);
    expect(all.supportedOutputTypes()).toEqual(['blob', 'eventGrid', 'http', 'queue', 'table']);
    const nothing = new Proxy({}, { get: () => () => {} }) as never;
    const messaging = createKinds({
      queues: new MemoryQueues(clock),
      timerStatus: createMemoryTimerStatus(),
      blobs: new MemoryBlobs(clock),
      eventHubs: nothing,
      serviceBus: nothing,
    });
    expect(messaging.supportedTriggerTypes()).toEqual(expect.arrayContaining(['eventHubTrigger', 'serviceBusTrigger']));
    expect(messaging.supportedOutputTypes()).toEqual(expect.arrayContaining(['eventHub', 'serviceBus']));
    expect(all.trigger('BlobTrigger')).toMatchObject({ style: 'listener', type: 'blobTrigger' });
    expect(all.trigger('timerTrigger')).toMatchObject({ style: 'listener', type: 'timerTrigger' });
  });
});
