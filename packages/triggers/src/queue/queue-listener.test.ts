import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { DynamicLimit, InvocationOutcome, TriggerEvent } from '../contract.ts';
import { MemoryQueues } from '../testing/memory-queues.ts';
import { createContext, createScope } from '../testing/scope.ts';
import { createScriptedInvoke, failed, lost, type ScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import { memoryConnection } from '../testing/storage.ts';
import { QueueListener } from './queue-listener.ts';
import { QueueSignals } from './queue-signals.ts';

const minuteMs = 60_000;
const { signal } = new AbortController();

interface Rig {
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly queues: MemoryQueues;
  readonly signals: QueueSignals;
  readonly function: ScriptedInvoke;
  readonly listener: QueueListener;
  put(text: string): void;
  texts(queue: string): readonly string[] | undefined;
  /** When the queue was asked, in milliseconds after the start. */
  readonly polls: number[];
}

interface Setup {
  /** Workers of the app; 1 when left out. */
  readonly workerCount?: () => number;
  readonly concurrency?: DynamicLimit;
  readonly answer?: ((event: TriggerEvent, call: number) => InvocationOutcome) | undefined;
  readonly queues?: Record<string, unknown>;
}

/** A listener of the queue `orders`, not yet started; its function succeeds at once, but for what the test says. */
function rigOf(setup: Setup = {}): Rig {
  const clock = new VirtualClock();
  const startMs = clock.now();
  const log = createMemoryLog(clock);
  const queues = new MemoryQueues(clock);
  const signals = new QueueSignals();
  const polls: number[] = [];
  queues.fault = (operation) => {
    if (operation === 'receive') polls.push(clock.now() - startMs);
    return undefined;
  };
  const scripted = createScriptedInvoke('answer' in setup ? setup.answer : succeeded);
  const { workerCount, concurrency } = setup;
  const base = createContext({ clock, log, random: createSeededRandom(7) });
  const context = {
    ...base,
    invoke: scripted.invoke,
    ...(workerCount && { workerCount }),
    ...(concurrency && { concurrency }),
  };
  const options = {
    queueName: 'orders',
    connection: memoryConnection,
    ...{ dataType: undefined, isDeferred: false },
    queues: createScope({ extensions: { queues: { messageEncoding: 'none', ...setup.queues } } }).extensions.queues,
  };
  return {
    clock,
    log,
    queues,
    signals,
    function: scripted,
    listener: new QueueListener({ context, service: queues, signals }, options),
    put: (text) => queues.put(memoryConnection, 'orders', text),
    texts: (queue) => queues.texts(memoryConnection, queue),
    polls,
  };
}

function textsOf(scripted: ScriptedInvoke): unknown[] {
  return scripted.calls.map(({ event }) => event.data.data?.value);
}

describe('QueueListener', () => {
  it('runs the function for every message and empties the queue', async () => {
    const rig = rigOf();
    for (let index = 0; index < 100; index += 1) rig.put(`m${index}`);
    await rig.listener.start(signal);
    await rig.clock.advance(0);
    expect(new Set(textsOf(rig.function)).size).toBe(100);
    expect(rig.texts('orders')).toEqual([]);
  });

  it('takes a failing message to the poison queue after the allowed number of tries', async () => {
    const rig = rigOf({ answer: failed, queues: { maxDequeueCount: 3 } });
    rig.put('bad');
    await rig.listener.start(signal);
    await rig.clock.advance(minuteMs);
    expect(rig.function.calls).toHaveLength(3);
    expect([rig.texts('orders'), rig.texts('orders-poison')]).toEqual([[], ['bad']]);
    expect(rig.function.calls.map(({ event }) => event.metadata.get('DequeueCount')?.data?.value)).toEqual([
      '1',
      '2',
      '3',
    ]);
  });

  it('runs a message again whose worker was lost, and loses none', async () => {
    const rig = rigOf({ answer: (_event, call) => (call === 1 ? lost('worker-lost') : succeeded()) });
    rig.put('a');
    await rig.listener.start(signal);
    await rig.clock.advance(minuteMs);
    expect(textsOf(rig.function)).toEqual(['a', 'a']);
    expect([rig.texts('orders'), rig.texts('orders-poison')]).toEqual([[], undefined]);
  });

  it('takes a message that kills every worker to the poison queue, unrun at the end', async () => {
    const rig = rigOf({ answer: () => lost('worker-lost'), queues: { maxDequeueCount: 2 } });
    rig.put('killer');
    await rig.listener.start(signal);
    await rig.clock.advance(minuteMs);
    expect(rig.function.calls).toHaveLength(2);
    expect([rig.texts('orders'), rig.texts('orders-poison')]).toEqual([[], ['killer']]);
  });

  it('keeps messages while there is no worker, without counting tries', async () => {
    const rig = rigOf({ answer: (_event, call) => (call <= 8 ? lost('no-worker') : succeeded()) });
    rig.put('a');
    await rig.listener.start(signal);
    await rig.clock.advance(2 * minuteMs);
    expect(rig.function.calls).toHaveLength(9);
    expect(rig.queues.count('receive', 'orders')).toBeGreaterThan(1);
    expect([rig.texts('orders'), rig.texts('orders-poison')]).toEqual([[], undefined]);
  });

  it('does not start when the signal has aborted', async () => {
    const rig = rigOf();
    await expect(rig.listener.start(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await rig.clock.advance(minuteMs);
    expect(rig.polls).toEqual([]);
  });
});

describe('the invariants of QueueListener', () => {
  it('I1: asks for more only while few enough messages are in work', async () => {
    const rig = rigOf({ answer: undefined, queues: { batchSize: 4, newBatchThreshold: 2 } });
    for (let index = 0; index < 20; index += 1) rig.put(`m${index}`);
    await rig.listener.start(signal);
    await rig.clock.advance(minuteMs);
    expect(rig.function.calls).toHaveLength(4);
    rig.function.calls[0]?.answer.resolve(succeeded());
    await rig.clock.settle();
    expect(rig.function.calls).toHaveLength(4);
    rig.function.calls[1]?.answer.resolve(succeeded());
    await rig.clock.settle();
    expect(rig.function.calls).toHaveLength(8);
    expect(rig.polls).toHaveLength(2);
    await rig.listener.close();
  });

  it('I1: has no more in work than a dynamic limit, whatever host.json says', async () => {
    const limit = { current: 1 };
    const rig = rigOf({ answer: undefined, queues: { batchSize: 16 }, concurrency: limit, workerCount: () => 5 });
    for (let index = 0; index < 60; index += 1) rig.put(`m${index}`);
    await rig.listener.start(signal);
    await rig.clock.advance(10_000);
    expect(rig.function.calls).toHaveLength(1);
    limit.current = 3;
    await rig.clock.advance(1_000);
    expect(rig.function.calls).toHaveLength(3);
    limit.current = 50;
    await rig.clock.advance(1_000);
    expect(rig.function.calls).toHaveLength(50);
    limit.current = 2;
    for (const { answer } of rig.function.calls.slice(0, 48)) answer.resolve(succeeded());
    await rig.clock.advance(10_000);
    expect(rig.function.calls).toHaveLength(50);
    rig.function.calls[48]?.answer.resolve(succeeded());
    await rig.clock.advance(1_000);
    expect(rig.function.calls).toHaveLength(51);
    await rig.listener.close();
  });

  it('I1: has room for as many again for each worker that comes, while nothing ends', async () => {
    let workers = 1;
    const rig = rigOf({
      answer: undefined,
      queues: { batchSize: 4, newBatchThreshold: 2 },
      workerCount: () => workers,
    });
    for (let index = 0; index < 40; index += 1) rig.put(`m${index}`);
    await rig.listener.start(signal);
    await rig.clock.advance(minuteMs);
    expect(rig.function.calls).toHaveLength(4);
    workers = 3;
    await rig.clock.advance(1_000);
    // 2 * (4 + 2) more than the first worker's, in batches of 4.
    expect(rig.function.calls).toHaveLength(16);
    workers = 0;
    await rig.clock.advance(minuteMs);
    expect(rig.function.calls).toHaveLength(16);
    await rig.listener.close();
  });

  it('tells what waits beside what it handles, and since when', async () => {
    const rig = rigOf({ answer: undefined, queues: { batchSize: 4, newBatchThreshold: 2 } });
    expect(await rig.listener.backlog(signal)).toEqual({ messageCount: 0, oldestMs: undefined });
    for (let index = 0; index < 20; index += 1) rig.put(`m${index}`);
    await rig.listener.start(signal);
    await rig.clock.advance(5_000);
    expect(await rig.listener.backlog(signal)).toEqual({ messageCount: 16, oldestMs: 5_000 });
    rig.queues.fault = () => Promise.reject(new Error('the queue is away'));
    await expect(rig.listener.backlog(signal)).rejects.toThrow('the queue is away');
    rig.queues.fault = () => undefined;
    await rig.listener.close();
  });

  it('I2: waits longer and longer at an empty queue, up to the limit, give or take a fifth', async () => {
    const rig = rigOf({ queues: { maxPollingInterval: '00:00:10' } });
    rig.put('first');
    await rig.listener.start(signal);
    await rig.clock.advance(2 * minuteMs);
    const waits = rig.polls.slice(2).map((at, index) => at - (rig.polls[index + 1] ?? 0));
    for (const [index, wait] of waits.entries()) {
      const grown = Math.min(10_000, 100 * 2 ** index);
      expect(wait).toBeGreaterThanOrEqual(grown * 0.8 - 1);
      expect(wait).toBeLessThanOrEqual(Math.min(10_000, grown * 1.2 + 1));
    }
    expect(waits.length).toBeGreaterThan(10);
  });

  it('I2: a message resets the waits', async () => {
    const rig = rigOf();
    rig.queues.create(memoryConnection, 'orders');
    await rig.listener.start(signal);
    await rig.clock.advance(10 * minuteMs);
    rig.put('late');
    await rig.clock.advance(minuteMs);
    expect(rig.function.calls).toHaveLength(1);
    const found = rig.polls.findIndex((at) => at >= 10 * minuteMs);
    const [first = 0, second = 0, third = 0] = rig.polls.slice(found);
    expect(second - first).toBe(0);
    expect(third - second).toBeLessThanOrEqual(121);
  });

  it('I2: a write by this process ends a wait', async () => {
    const rig = rigOf();
    await rig.listener.start(signal);
    await rig.clock.advance(10 * minuteMs);
    const polls = rig.polls.length;
    rig.put('now');
    rig.signals.notify(memoryConnection.queueEndpoint, 'orders');
    await rig.clock.settle();
    expect(rig.function.calls).toHaveLength(1);
    expect(rig.polls.length).toBeGreaterThan(polls);
  });

  it('I2: messages that end do not shorten the waits', async () => {
    const rig = rigOf({ answer: undefined });
    for (let index = 0; index < 4; index += 1) rig.put(`m${index}`);
    await rig.listener.start(signal);
    await rig.clock.advance(10 * minuteMs);
    const polls = rig.polls.length;
    for (const call of rig.function.calls) call.answer.resolve(succeeded());
    await rig.clock.settle();
    expect(rig.polls).toHaveLength(polls);
    expect(rig.texts('orders')).toEqual([]);
    await rig.listener.close();
  });

  it('I3: waits for a queue that does not exist without a word, and finds it when it does', async () => {
    const rig = rigOf();
    await rig.listener.start(signal);
    await rig.clock.advance(5 * minuteMs);
    rig.put('finally');
    await rig.clock.advance(2 * minuteMs);
    expect(textsOf(rig.function)).toEqual(['finally']);
    expect(rig.log.records).toEqual([]);
  });

  it('I4: an outage costs one warning and one line when it is over', async () => {
    const rig = rigOf();
    const asIs = rig.queues.fault;
    rig.queues.fault = () => Promise.reject(new Error('down'));
    await rig.listener.start(signal);
    await rig.clock.advance(5 * minuteMs);
    expect(rig.log.records).toMatchObject([{ level: 'warning', fields: { error: 'down', queue: 'orders' } }]);
    rig.queues.fault = asIs;
    rig.put('a');
    await rig.clock.advance(2 * minuteMs);
    expect(textsOf(rig.function)).toEqual(['a']);
    expect(rig.log.records.map((record) => record.level)).toEqual(['warning', 'information']);
  });

  it('I4: a service that never answers counts as an outage', async () => {
    const rig = rigOf();
    rig.queues.fault = () => new Promise(() => {});
    await rig.listener.start(signal);
    await rig.clock.advance(minuteMs);
    expect(rig.log.records).toMatchObject([
      { level: 'warning', fields: { error: expect.stringContaining('35000 ms') } },
    ]);
    const closed = rig.listener.close();
    await rig.clock.runUntil(closed);
  });

  it('I5: drain waits for what runs and takes nothing new', async () => {
    const rig = rigOf({ answer: undefined });
    rig.put('a');
    await rig.listener.start(signal);
    await rig.clock.settle();
    const drained = rig.listener.drain(signal);
    rig.put('b');
    rig.signals.notify(memoryConnection.queueEndpoint, 'orders');
    await rig.clock.advance(minuteMs);
    rig.function.calls[0]?.answer.resolve(succeeded());
    await rig.clock.runUntil(drained);
    expect(textsOf(rig.function)).toEqual(['a']);
    expect(rig.texts('orders')).toEqual(['b']);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('I5: a batch that arrives after drain began is given back unrun', async () => {
    const rig = rigOf();
    rig.put('a');
    let release: () => void = () => {};
    rig.queues.fault = (operation) =>
      operation === 'receive'
        ? new Promise((resolve) => {
            release = resolve;
          })
        : undefined;
    await rig.listener.start(signal);
    await rig.clock.settle();
    const drained = rig.listener.drain(signal);
    release();
    await rig.clock.runUntil(drained);
    expect(rig.function.calls).toHaveLength(0);
    rig.queues.fault = () => undefined;
    const next = await rig.queues.open(memoryConnection, 'orders').receive(1, minuteMs, signal);
    expect(next).toMatchObject({ messages: [{ text: 'a' }] });
  });

  it('I6: drain gives messages back when its signal aborts', async () => {
    const rig = rigOf({ answer: undefined });
    rig.put('a');
    await rig.listener.start(signal);
    await rig.clock.settle();
    await rig.clock.runUntil(rig.listener.drain(AbortSignal.abort()));
    expect(await rig.queues.open(memoryConnection, 'orders').receive(1, minuteMs, signal)).toMatchObject({
      messages: [{ text: 'a', dequeueCount: 2 }],
    });
  });

  it('I6: close gives back everything at once, also twice and before the start', async () => {
    const rig = rigOf({ answer: undefined });
    for (let index = 0; index < 5; index += 1) rig.put(`m${index}`);
    await rig.listener.start(signal);
    await rig.clock.settle();
    await Promise.all([rig.listener.close(), rig.listener.close()]);
    const back = await rig.queues.open(memoryConnection, 'orders').receive(32, minuteMs, signal);
    expect(back.kind === 'messages' && back.messages).toHaveLength(5);
    expect(rig.clock.pendingTimers).toBe(0);
    const unstarted = rigOf();
    await unstarted.listener.close();
    await unstarted.listener.drain(signal);
    expect(unstarted.polls).toEqual([]);
  });

  it('I6: close ends within its deadline even when the service does not answer', async () => {
    const rig = rigOf({ answer: undefined });
    rig.put('a');
    await rig.listener.start(signal);
    await rig.clock.settle();
    rig.queues.fault = () => new Promise(() => {});
    const beforeMs = rig.clock.now();
    await rig.clock.runUntil(rig.listener.close());
    expect(rig.clock.now() - beforeMs).toBeLessThanOrEqual(5_000);
  });
});
