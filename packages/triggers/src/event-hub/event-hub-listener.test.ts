import { createDeferred } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { namespaceWithKey } from '../testing/namespace.ts';
import { createContext, createScope } from '../testing/scope.ts';
import { createScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import type {
  EventHubReader,
  EventHubService,
  PartitionCheckpoint,
  PartitionSink,
  PartitionStore,
  ReceivedEvent,
  StartPosition,
} from './event-hub-client.ts';
import { EventHubListener } from './event-hub-listener.ts';

const { signal } = new AbortController();

const event = (sequenceNumber: number): ReceivedEvent => ({
  body: Buffer.from(String(sequenceNumber)),
  sequenceNumber,
  offset: String(sequenceNumber * 10),
  enqueuedMs: 0,
  partitionKey: undefined,
  properties: {},
  systemProperties: {},
  encode: () => new Uint8Array(),
});

/** A hub whose events the test hands out, and which tells what it was asked for. */
class Hub implements EventHubService, PartitionStore {
  readonly heard: string[] = [];
  /** What a reader waits for before it is there. */
  opening: Promise<void> = Promise.resolve();
  sink: PartitionSink | undefined;
  refuses = false;
  extents = new Map([['0', { first: 0, last: 7 }]]);
  stored: readonly PartitionCheckpoint[] = [{ partitionId: '0', offset: '10', sequenceNumber: 1 }];

  async read(...[, , , sink]: Parameters<EventHubService['read']>): Promise<EventHubReader> {
    this.sink = sink;
    await this.opening;
    return {
      extents: async () => this.extents,
      close: async () => void this.heard.push('close'),
    };
  }

  async send(): Promise<void> {}
  async ownerships(): Promise<readonly []> {
    return [];
  }
  async claim(): Promise<boolean> {
    return true;
  }
  async checkpoints(): Promise<readonly PartitionCheckpoint[]> {
    return this.stored;
  }
  async advance({ partitionId, sequenceNumber }: PartitionCheckpoint): Promise<void> {
    if (this.refuses) throw new Error('the storage is away');
    this.heard.push(`checkpoint ${partitionId} ${sequenceNumber}`);
  }
}

function createRun(start: StartPosition = { kind: 'start' }, eventHubs: object = {}) {
  const clock = new VirtualClock(0);
  const log = createMemoryLog(clock);
  const hub = new Hub();
  const scripted = createScriptedInvoke();
  const listener = new EventHubListener(
    { service: hub, store: hub },
    {
      place: {
        connection: namespaceWithKey('x', 'shop'),
        hub: 'orders',
        consumerGroup: '$Default',
      },
      dataType: undefined,
      isDeferred: false,
      isBatch: false,
      start,
      limits: createScope({ extensions: { eventHubs } }).extensions.eventHubs,
    },
    { ...createContext({ clock, log, random: createSeededRandom(1) }), invoke: scripted.invoke },
  );
  const answer = async (call: number): Promise<void> => {
    scripted.calls[call]?.answer.resolve(succeeded());
    await clock.settle();
  };
  const texts = (): unknown[] => scripted.calls.map(({ event: { data } }) => data.data?.value);
  return { clock, log, hub, listener, answer, texts };
}

/** One that listens. */
async function rig(start?: StartPosition, eventHubs?: object) {
  const run = createRun(start, eventHubs);
  await run.listener.start(signal);
  const { sink } = run.hub;
  if (sink === undefined) throw new Error('nobody reads');
  return { ...run, sink };
}

describe('EventHubListener', () => {
  it('leaves no reader behind that came when it was closed already', async () => {
    const { hub, listener } = createRun();
    const opening = createDeferred<void>();
    hub.opening = opening.promise;
    const started = listener.start(signal);
    await listener.drain(signal);
    opening.resolve();
    await started;
    expect(hub.heard).toEqual(['close']);
  });

  it('I1: each partition has its own work, which ends when somebody else reads it', async () => {
    const { clock, hub, sink, answer, texts } = await rig();
    void sink.receive('0', [event(1), event(2)]);
    void sink.receive('1', [event(5)]);
    await clock.settle();
    expect(texts()).toEqual(['1', '5']);
    sink.closed('0');
    await answer(0);
    await answer(1);
    expect(texts()).toEqual(['1', '5']);
    expect(hub.heard).toEqual(['checkpoint 1 5']);
    void sink.receive('0', [event(2)]);
    await clock.settle();
    expect(texts()).toEqual(['1', '5', '2']);
  });

  it('I2: an outage is one warning and one line at its end, and a checkpoint that fails is told', async () => {
    const { clock, log, hub, sink, answer } = await rig();
    sink.failed(new Error('no route'));
    sink.failed(new Error('no route'));
    sink.succeeded();
    const told = () => log.records.filter(({ level }) => level !== 'debug').map(({ message }) => message);
    expect(told()).toEqual([
      'Events of an event hub cannot be read; the host tries again',
      'Events of an event hub can be read again',
    ]);
    hub.refuses = true;
    void sink.receive('0', [event(1)]);
    await clock.settle();
    await answer(0);
    expect(told()[2]).toContain("did not take the checkpoint of partition '0' of 'orders': the storage is away");
  });

  it('I3: a drain waits for what runs, then checkpoints, then gives the partitions up', async () => {
    const { clock, hub, sink, listener, answer, texts } = await rig();
    void sink.receive('0', [event(1), event(2)]);
    await clock.settle();
    const drained = listener.drain(signal);
    await clock.settle();
    expect(hub.heard).toEqual([]);
    await sink.receive('0', [event(3)]);
    await answer(0);
    await clock.runUntil(drained);
    expect(hub.heard).toEqual(['checkpoint 0 1', 'close']);
    expect(texts()).toEqual(['1']);
  });

  it('I3: a close gives them up at once, without a checkpoint for what runs', async () => {
    const { clock, hub, sink, listener, answer } = await rig();
    void sink.receive('0', [event(1)]);
    await clock.settle();
    await clock.runUntil(listener.close());
    await answer(0);
    expect(hub.heard).toEqual(['close']);
  });

  it('tells what waits behind the checkpoints, and behind what is done or runs', async () => {
    const { clock, sink, listener, answer } = await rig();
    expect(await listener.backlog()).toEqual({ messageCount: 6, oldestMs: undefined });
    void sink.receive('0', [event(2), event(3)]);
    await clock.settle();
    await answer(0);
    expect(await listener.backlog()).toEqual({ messageCount: 4, oldestMs: undefined });
    await answer(1);
    expect(await listener.backlog()).toEqual({ messageCount: 4, oldestMs: undefined });
  });

  it('tells what waits in a partition without a checkpoint: what it still has, where reading begins with that', async () => {
    const { hub, listener } = await rig();
    hub.stored = [];
    hub.extents = new Map([['0', { first: 900, last: 1_000 }]]);
    expect(await listener.backlog()).toMatchObject({ messageCount: 101 });
    // Nothing is left of what the checkpoint has not seen.
    hub.stored = [{ partitionId: '0', offset: '10', sequenceNumber: 1 }];
    hub.extents = new Map([['0', { first: 1_001, last: 1_000 }]]);
    expect(await listener.backlog()).toMatchObject({ messageCount: 0 });
  });

  it('old events do not wait where reading begins behind them', async () => {
    const { hub, listener } = await rig({ kind: 'end' });
    hub.stored = [];
    expect(await listener.backlog()).toMatchObject({ messageCount: 0 });
    hub.extents = new Map([['0', { first: 0, last: 9 }]]);
    expect(await listener.backlog()).toMatchObject({ messageCount: 2 });
  });

  it('says how many may wait for each worker, where host.json does', async () => {
    const { listener } = await rig(undefined, { targetUnprocessedEventThreshold: 500 });
    expect(await listener.backlog()).toEqual({ messageCount: 6, oldestMs: undefined, targetPerWorker: 500 });
  });
});
