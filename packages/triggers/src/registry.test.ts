import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createKinds } from './registry.ts';
import { MemoryQueues } from './testing/memory-queues.ts';
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
    expect(kinds.supportedTriggerTypes()).toEqual(['httpTrigger', 'queueTrigger', 'timerTrigger']);
    expect(kinds.supportedInputTypes()).toEqual([]);
    expect(kinds.supportedOutputTypes()).toEqual(['http', 'queue']);
    expect(kinds.input('queue')).toBeUndefined();
  });
});
