import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InvocationOutcome } from '../contract.ts';
import { MemoryQueues, type QueueOperation } from '../testing/memory-queues.ts';
import { createContext, createScope } from '../testing/scope.ts';
import { createScriptedInvoke, failed, lost, type ScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import { memoryConnection } from '../testing/storage.ts';
import { MessageHandling } from './message-handling.ts';
import type { QueueMessage } from './queue-client.ts';
import { toQueueEvent } from './queue-event.ts';

const minuteMs = 60_000;
const { signal } = new AbortController();

interface Rig {
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly queues: MemoryQueues;
  readonly function: ScriptedInvoke;
  readonly handling: MessageHandling;
  /** Queues that were said to have something to offer. */
  readonly changed: string[];
  texts(queue: string): readonly string[] | undefined;
  /** How many messages somebody else could take now. */
  visible(): Promise<number>;
}

interface Setup {
  readonly answer?: ((call: number) => InvocationOutcome) | undefined;
  /** How often the message was received before. */
  readonly dequeueCount?: number;
  readonly poison?: boolean;
  readonly visibilityTimeout?: string;
  readonly fault?: (operation: QueueOperation, queue: string) => Promise<void> | undefined;
}

/** The handling of the one message of a queue, just received. */
async function rigOf(setup: Setup = {}): Promise<Rig> {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const queues = new MemoryQueues(clock);
  queues.put(memoryConnection, 'orders', 'aGk=', setup.dequeueCount ?? 0);
  const client = queues.open(memoryConnection, 'orders');
  const received = await client.receive(1, 10 * minuteMs, signal);
  const message: QueueMessage | undefined = received.kind === 'messages' ? received.messages[0] : undefined;
  if (message === undefined) throw new Error('no message');
  if (setup.fault !== undefined) queues.fault = setup.fault;
  const { answer } = setup;
  const scripted = createScriptedInvoke(answer === undefined ? undefined : (_event, call) => answer(call));
  const context = { ...createContext({ clock, log, random: createSeededRandom(1) }), invoke: scripted.invoke };
  const { queues: options } = createScope({
    extensions: { queues: { visibilityTimeout: setup.visibilityTimeout ?? '00:00:00' } },
  }).extensions;
  const changed: string[] = [];
  const poison = setup.poison === false ? undefined : queues.open(memoryConnection, 'orders-poison');
  const deps = { context, client, poison, changed: (name: string) => changed.push(name) };
  const handling = new MessageHandling(deps, options, message, () =>
    toQueueEvent(message, 'orders', 'base64', { dataType: undefined, isDeferred: false }),
  );
  return {
    clock,
    log,
    queues,
    function: scripted,
    handling,
    changed,
    texts: (queue) => queues.texts(memoryConnection, queue),
    visible: async () => {
      const seen = await client.receive(32, minuteMs, signal);
      return seen.kind === 'messages' ? seen.messages.length : 0;
    },
  };
}

describe('MessageHandling', () => {
  it('deletes a message whose function succeeded', async () => {
    const rig = await rigOf({ answer: succeeded });
    await rig.handling.ended;
    expect(rig.texts('orders')).toEqual([]);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('shows a failed message again after the visibility timeout', async () => {
    const rig = await rigOf({ answer: failed, visibilityTimeout: '00:00:30' });
    await rig.handling.ended;
    await rig.clock.advance(29_999);
    expect(await rig.visible()).toBe(0);
    await rig.clock.advance(1);
    expect(await rig.visible()).toBe(1);
    expect(rig.changed).toEqual([]);
  });

  it('wakes its listener when a failed message is visible at once', async () => {
    const rig = await rigOf({ answer: failed });
    await rig.handling.ended;
    expect(rig.changed).toEqual(['orders']);
    expect(await rig.visible()).toBe(1);
  });

  it('moves a message to the poison queue at its last failure, as it was written', async () => {
    const rig = await rigOf({ answer: failed, dequeueCount: 4 });
    await rig.handling.ended;
    expect([rig.texts('orders'), rig.texts('orders-poison')]).toEqual([[], ['aGk=']]);
    expect(rig.changed).toEqual(['orders-poison']);
    const [line] = rig.log.withMessage('A queue message was tried too often and was moved to the poison queue');
    expect(line).toMatchObject({ level: 'warning', fields: { queue: 'orders', poisonQueue: 'orders-poison' } });
  });

  it('leaves a failed message invisible where there is no poison queue', async () => {
    const rig = await rigOf({ answer: failed, dequeueCount: 9, poison: false });
    await rig.handling.ended;
    expect(rig.function.calls).toHaveLength(0);
    expect(await rig.visible()).toBe(0);
    await rig.clock.advance(10 * minuteMs);
    expect(await rig.visible()).toBe(1);
  });

  it('keeps a message invisible for as long as its function runs', async () => {
    const rig = await rigOf();
    await rig.clock.advance(60 * minuteMs);
    expect(await rig.visible()).toBe(0);
    rig.function.calls[0]?.answer.resolve(succeeded());
    await rig.handling.ended;
    expect(rig.texts('orders')).toEqual([]);
  });

  it('is content when the message is gone by the time it would be deleted', async () => {
    const rig = await rigOf();
    rig.queues.remove(memoryConnection, 'orders');
    rig.function.calls[0]?.answer.resolve(succeeded());
    await rig.handling.ended;
    expect(rig.log.records.map((record) => record.level)).toEqual(['debug']);
  });
});

describe('the invariants of MessageHandling', () => {
  it('I1: a message is deleted only after its copy is safe', async () => {
    let down = true;
    const fault = (_operation: QueueOperation, queue: string): Promise<void> | undefined =>
      down && queue === 'orders-poison' ? Promise.reject(new Error('down')) : undefined;
    const rig = await rigOf({ answer: failed, dequeueCount: 4, fault });
    await rig.clock.advance(1_000);
    expect(rig.texts('orders')).toEqual(['aGk=']);
    down = false;
    await rig.clock.runUntil(rig.handling.ended);
    expect([rig.texts('orders'), rig.texts('orders-poison')]).toEqual([[], ['aGk=']]);
  });

  it('I1, I5: whatever fails, no message is ever lost', async () => {
    const outcome = fc.constantFrom<() => InvocationOutcome>(succeeded, failed, () => lost('worker-lost'));
    const faults = fc.array(fc.boolean(), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(outcome, fc.integer({ min: 0, max: 6 }), faults, async (answer, dequeueCount, script) => {
        const pending = [...script];
        const fault = (): Promise<void> | undefined =>
          pending.shift() ? Promise.reject(new Error('down')) : undefined;
        const rig = await rigOf({ answer, dequeueCount, fault });
        await rig.clock.runUntil(rig.handling.ended);
        const kept = [...(rig.texts('orders') ?? []), ...(rig.texts('orders-poison') ?? [])];
        const wasHandled = answer === succeeded && rig.function.calls.length > 0;
        expect(wasHandled || kept.length > 0).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('I2: a message received too often is not run', async () => {
    const rig = await rigOf({ dequeueCount: 5 });
    await rig.handling.ended;
    expect(rig.function.calls).toHaveLength(0);
    expect([rig.texts('orders'), rig.texts('orders-poison')]).toEqual([[], ['aGk=']]);
  });

  it('I3: a function that did not begin is tried again without a new dequeue', async () => {
    const rig = await rigOf({ answer: (call) => (call < 4 ? lost('no-worker') : succeeded()) });
    await rig.clock.runUntil(rig.handling.ended);
    expect(rig.function.calls).toHaveLength(4);
    expect(rig.queues.count('receive', 'orders')).toBe(1);
    expect(rig.texts('orders')).toEqual([]);
  });

  it('I3: a message that nobody can run goes back in the end, and not at once', async () => {
    const rig = await rigOf({ answer: () => lost('overloaded') });
    await rig.clock.runUntil(rig.handling.ended);
    expect(await rig.visible()).toBe(0);
    await rig.clock.advance(30_000);
    expect(await rig.visible()).toBe(1);
  });

  it('I3: a message that waits to begin goes back when the listener drains', async () => {
    const rig = await rigOf({ answer: () => lost('no-worker') });
    await rig.clock.settle();
    rig.handling.drain();
    await rig.handling.ended;
    expect(await rig.visible()).toBe(1);
    expect(rig.function.calls).toHaveLength(1);
  });

  it('I3: a function that runs may end when the listener drains', async () => {
    const rig = await rigOf();
    rig.handling.drain();
    await rig.clock.advance(minuteMs);
    rig.function.calls[0]?.answer.resolve(succeeded());
    await rig.handling.ended;
    expect(rig.texts('orders')).toEqual([]);
  });

  it.each([succeeded(), failed(), lost('worker-lost')])(
    'I4: an abandoned message is visible at once, whatever its function does later: $kind',
    async (outcome) => {
      const rig = await rigOf();
      rig.handling.abandon();
      await rig.handling.ended;
      expect(await rig.visible()).toBe(1);
      rig.function.calls[0]?.answer.resolve(outcome);
      await rig.clock.settle();
      expect(rig.texts('orders')).toEqual(['aGk=']);
    },
  );

  it('I5: a service that stays down costs an error in the log, and the message comes back by itself', async () => {
    const rig = await rigOf({ answer: succeeded, fault: () => Promise.reject(new Error('down')) });
    await rig.clock.runUntil(rig.handling.ended);
    const [line] = rig.log.withMessage('A queue message could not be settled; it will be delivered again');
    expect(line).toMatchObject({ level: 'error', fields: { error: 'down' } });
    rig.queues.fault = () => undefined;
    await rig.clock.advance(10 * minuteMs);
    expect(await rig.visible()).toBe(1);
  });
});
