import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import type { InvocationOutcome, TriggerListener } from '@switchyard/triggers';
import { describe, expect, test } from 'vitest';
import { ConcurrencyControl } from '../concurrency/concurrency-control.ts';
import type { FunctionEntry, ListenerWay } from './function-entry.ts';
import { ListenerSet } from './listener-set.ts';

function createSet() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const outcome: InvocationOutcome = { kind: 'cancelled', invocationId: 'x' };
  const set = new ListenerSet({ clock, log, workerCount: () => 3, invoke: async () => outcome });
  return { clock, log, set };
}

function entryOf(name: string, listen: (way: ListenerWay) => TriggerListener, isDisabled = false): FunctionEntry {
  const trigger = { kind: 'listener' as const, listen };
  return { metadata: { name, trigger: { type: 'queueTrigger' } }, isDisabled, trigger } as unknown as FunctionEntry;
}

class Listener implements TriggerListener {
  readonly heard: string[] = [];
  readonly #start: () => Promise<void>;
  readonly #drain: () => Promise<void>;

  constructor(onStart: () => Promise<void> = async () => {}, onDrain: () => Promise<void> = async () => {}) {
    this.#start = onStart;
    this.#drain = onDrain;
  }

  start(): Promise<void> {
    this.heard.push('start');
    return this.#start();
  }

  drain(): Promise<void> {
    this.heard.push('drain');
    return this.#drain();
  }

  async close(): Promise<void> {
    this.heard.push('close');
  }
}

describe('ListenerSet', () => {
  test('I1: starts every listener once, and none of a disabled function', () => {
    const { set } = createSet();
    const [one, off] = [new Listener(), new Listener()];
    const entries = [entryOf('one', () => one), entryOf('off', () => off, true)];
    set.start(entries);
    set.start(entries);
    expect([one.heard, off.heard]).toEqual([['start'], []]);
  });

  test('I2: a listener that cannot start, or not even be made, is reported and harms no other', async () => {
    const { clock, log, set } = createSet();
    const good = new Listener();
    set.start([
      entryOf('bad', () => new Listener(() => Promise.reject(new Error('no such queue')))),
      entryOf('worse', () => {
        throw new Error('no connection');
      }),
      entryOf('good', () => good),
    ]);
    await clock.settle();
    expect(good.heard).toEqual(['start']);
    expect([...set.problems.keys()].sort()).toEqual(['bad', 'worse']);
    expect(log.records.map(({ level }) => level)).toEqual(['error', 'error']);
    expect(set.problems.get('bad')).toContain("'bad': its queueTrigger cannot be watched: no such queue");
  });

  test('asks what waits, and leaves out who does not know', async () => {
    const { set } = createSet();
    const [silent, broken, full] = [new Listener(), new Listener(), new Listener()];
    let workers = 0;
    const { signal } = new AbortController();
    const entries = [
      entryOf('silent', () => silent),
      entryOf('broken', () => Object.assign(broken, { backlog: () => Promise.reject(new Error('away')) })),
      entryOf('full', (way) => {
        workers = way.workerCount?.() ?? 0;
        return Object.assign(full, { backlog: async () => ({ messageCount: 7, oldestMs: 20 }) });
      }),
    ];
    expect(await set.backlogs(signal)).toEqual([]);
    set.start(entries);
    expect(await set.backlogs(signal)).toEqual([{ functionName: 'full', messageCount: 7, oldestMs: 20 }]);
    expect(workers).toBe(3);
    await set.drain();
    expect(await set.backlogs(signal)).toEqual([]);
  });

  test('I3: drains and then closes, in that order', async () => {
    const { set } = createSet();
    const listener = new Listener();
    set.start([entryOf('one', () => listener)]);
    await set.drain(1_000);
    expect(listener.heard).toEqual(['start', 'drain', 'close']);
    await set.drain(1_000);
    set.start([entryOf('one', () => listener)]);
    expect(listener.heard).toHaveLength(3);
  });

  test('I3: a listener that does not drain in time is closed', async () => {
    const { clock, set } = createSet();
    const listener = new Listener(undefined, () => new Promise(() => {}));
    set.start([entryOf('one', () => listener)]);
    const drained = set.drain(1_000);
    await clock.advance(999);
    expect(listener.heard).toEqual(['start', 'drain']);
    await clock.advance(1);
    await drained;
    expect(listener.heard.at(-1)).toBe('close');
  });

  test('I4: every drain waits for the end, and the shortest deadline holds', async () => {
    const { clock, set } = createSet();
    const listener = new Listener(undefined, () => new Promise(() => {}));
    set.start([entryOf('one', () => listener)]);
    const ended: string[] = [];
    const drains = [
      set.drain().then(() => ended.push('patient')),
      set.drain(10_000).then(() => ended.push('long')),
      set.drain(1_000).then(() => ended.push('short')),
    ];
    await clock.advance(999);
    expect([ended, listener.heard]).toEqual([[], ['start', 'drain']]);
    await clock.advance(1);
    await Promise.all(drains);
    expect(ended.sort()).toEqual(['long', 'patient', 'short']);
    expect(listener.heard).toEqual(['start', 'drain', 'close']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a set that never started has nothing to drain', async () => {
    const { set } = createSet();
    await set.drain(1_000);
    const listener = new Listener();
    set.start([entryOf('one', () => listener)]);
    expect(listener.heard).toEqual([]);
  });

  test('I1: listeners get the dynamic limit of their function, and what they bring counts as in work', async () => {
    const clock = new VirtualClock();
    const log = createMemoryLog(clock);
    const host = { dynamicConcurrencyEnabled: true, snapshotPersistenceEnabled: true };
    const settings = {
      ...host,
      maximumFunctionConcurrency: 10,
      cpuThreshold: 0.8,
      totalAvailableMemoryBytes: undefined,
      memoryThreshold: 0.8,
    };
    const concurrency = new ConcurrencyControl({ clock, log, health: undefined, snapshots: undefined }, settings);
    const invoke = () => new Promise<InvocationOutcome>(() => {});
    const set = new ListenerSet({ clock, log, workerCount: () => 1, invoke, concurrency });
    let way: ListenerWay | undefined;
    const listen = (given: ListenerWay): TriggerListener => {
      way = given;
      return new Listener();
    };
    set.start([entryOf('f', listen)]);
    expect(way?.concurrency?.current).toBe(1);
    void way?.invoke({ reason: '', data: { data: undefined }, metadata: new Map() });
    await clock.advance(1_000);
    expect(way?.concurrency?.current).toBe(2);
    await clock.runUntil(set.drain(0));
    expect(clock.pendingTimers).toBe(0);
  });
});
