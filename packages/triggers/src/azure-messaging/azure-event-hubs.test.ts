/** The Event Hubs trigger and output, through the official library, on a local AMQP broker and the storage emulator. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createDeferred, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import { createMemoryLog, requirePart } from '@switchyard/testkit';
import { type AmqpEventHub, type AmqpPeer, openAmqpPeer } from '@switchyard/testkit/amqp';
import rhea from 'rhea';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAzureBlobService } from '../azure-storage/azure-blob-service.ts';
import type { InvocationOutcome, ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';
import { createEventHubOutput } from '../event-hub/event-hub-output.ts';
import { createEventHubTrigger } from '../event-hub/event-hub-trigger.ts';
import { type Azurite, azuriteHint, findAzurite, startAzurite } from '../testing/azurite.ts';
import { namespaceWithKey } from '../testing/namespace.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import { failed, lost, succeeded } from '../testing/scripted-invoke.ts';
import { toTypedData } from '../typed-data.ts';
import { createAzureEventHubs } from './azure-event-hubs.ts';

const entry = findAzurite();
const part = requirePart('Azurite', entry !== undefined, azuriteHint);

const service = createAzureEventHubs();
const blobs = createAzureBlobService();
const { signal } = new AbortController();
const waiting = { timeout: 60_000 };

const context = {
  applicationId: 'shop',
  hostId: 'host',
  functionName: 'Hello',
  settings: createSettingsView([]),
  clock: systemClock,
  random: systemRandom,
  log: createMemoryLog(),
  meter: silentMeter,
};

describe.skipIf(part.skip)('Event Hubs', { timeout: 120_000 }, () => {
  let azurite: Azurite;
  let peer: AmqpPeer;
  let listeners: TriggerListener[];
  beforeAll(async () => {
    azurite = await startAzurite(entry ?? '');
  });
  afterAll(() => azurite.stop());
  beforeEach(async () => {
    peer = await openAmqpPeer();
    listeners = [];
  });
  afterEach(async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await peer.close();
  });

  const settings = () => ({ Hub: peer.connectionString, AzureWebJobsStorage: azurite.connectionString });
  const folder = () => `127.0.0.1:${peer.port}/orders/$default`;
  const container = () => blobs.open(azurite.connection, 'azure-webjobs-eventhub');

  /** Starts a function on the broker, and keeps what it gets. */
  async function listen(
    raw: Record<string, unknown> = {},
    answer: (event: TriggerEvent, call: number) => InvocationOutcome | Promise<InvocationOutcome> = succeeded,
    eventHubs: Record<string, unknown> = {},
    properties: Record<string, string> = {},
    given: Record<string, string> = settings(),
  ) {
    const pace = { loadBalancingUpdateInterval: '00:00:01', partitionOwnershipExpirationInterval: '00:00:05' };
    const scope = createScope({ settings: given, extensions: { eventHubs: { ...pace, ...eventHubs } } });
    const kind = createEventHubTrigger({ service, blobs });
    const binding = createBinding({
      type: 'eventHubTrigger',
      name: 'event',
      connection: 'Hub',
      eventHubName: 'orders',
      ...raw,
    });
    const parsed = kind.parse({ ...binding, properties }, scope);
    const events: TriggerEvent[] = [];
    const invoke = async (event: TriggerEvent): Promise<InvocationOutcome> => {
      events.push(event);
      return answer(event, events.length);
    };
    const listener = kind.listen(parsed, { ...context, invoke } satisfies ListenerContext);
    listeners.push(listener);
    await listener.start(signal);
    return { events, listener };
  }

  const put = (hub: AmqpEventHub, partitionId: string, ...texts: string[]): void => {
    for (const text of texts) hub.append({ body: Buffer.from(text) }, partitionId);
  };

  /** What the storage says of a partition; undefined when there is no such blob. */
  async function stored(kind: 'ownership' | 'checkpoint', partitionId: string): Promise<unknown> {
    const found = await container().properties(`${folder()}/${kind}/${partitionId}`, signal);
    return found.kind === 'found' ? Object.fromEntries(found.properties.metadata) : undefined;
  }

  it('gives events to the function, with the official metadata', async () => {
    peer.declareEventHub('orders', 2);
    const { events } = await listen();
    await service.send(namespaceWithKey(peer.connectionString), 'orders', [
      { body: Buffer.from('{"color":"red"}'), contentType: 'application/json' },
    ]);
    await expect.poll(() => events.map(textOf), waiting).toEqual(['{"color":"red"}']);
    const { metadata, details } = events[0] as TriggerEvent;
    expect([...metadata.keys()]).toEqual([
      'PartitionContext',
      'PartitionKey',
      'Offset',
      'SequenceNumber',
      'EnqueuedTimeUtc',
      'Properties',
      'SystemProperties',
      'color',
    ]);
    expect(jsonOf(metadata, 'PartitionContext')).toEqual({
      IsCheckpointingAfterInvocation: true,
      FullyQualifiedNamespace: `127.0.0.1:${peer.port}`,
      EventHubName: 'orders',
      ConsumerGroup: '$Default',
      PartitionId: expect.stringMatching(/^[01]$/),
    });
    expect(jsonOf(metadata, 'SystemProperties')).toMatchObject({
      'content-type': 'application/json',
      'x-opt-sequence-number': 0,
      SequenceNumber: 0,
      Offset: '0',
    });
    expect(details).toMatchObject({ SequenceNumber: '0', Offset: '0', Count: '1' });
  });

  it('gives batches to a function that takes many, the metadata as lists', async () => {
    const hub = peer.declareEventHub('orders', 1);
    put(hub, '0', 'a', 'b', 'c');
    const { events } = await listen({ cardinality: 'many' });
    await expect.poll(() => events.length, waiting).toBe(1);
    const { data, metadata, details } = events[0] as TriggerEvent;
    expect(data.data).toEqual({ $case: 'collectionString', value: { string: ['a', 'b', 'c'] } });
    expect([...metadata.keys()]).toEqual([
      'PartitionContext',
      'PartitionKeyArray',
      'OffsetArray',
      'SequenceNumberArray',
      'EnqueuedTimeUtcArray',
      'PropertiesArray',
      'SystemPropertiesArray',
    ]);
    expect(jsonOf(metadata, 'OffsetArray')).toEqual(['0', '64', '128']);
    expect(details).toMatchObject({ PartionId: '0', Offset: '0-128', SequenceNumber: '0-2', Count: '3' });
    await expect.poll(() => stored('checkpoint', '0'), waiting).toMatchObject({ offset: '128', sequencenumber: '2' });
  });

  it('gives bytes where the function wants them, and whole messages to a worker that reads them itself', async () => {
    const hub = peer.declareEventHub('orders', 1);
    put(hub, '0', 'raw');
    const binary = await listen({ dataType: 'binary', cardinality: 'many', consumerGroup: 'one' });
    await expect.poll(() => binary.events.length, waiting).toBe(1);
    expect(binary.events[0]?.data.data).toMatchObject({ $case: 'collectionBytes' });
    const whole = await listen({ consumerGroup: 'two' }, succeeded, {}, { supportsDeferredBinding: 'True' });
    await expect.poll(() => whole.events.length, waiting).toBe(1);
    const data = whole.events[0]?.data.data;
    if (data?.$case !== 'modelBindingData') throw new Error(`it is ${data?.$case}`);
    const { content, ...form } = data.value;
    expect(form).toEqual({
      version: '1.0',
      source: 'AzureEventHubsEventData',
      contentType: 'application/octet-stream',
    });
    expect(decodeMessage(content)).toMatchObject({ body: 'raw', annotations: { 'x-opt-offset': '0' } });
  });

  it('goes on where the official host stopped, and leaves its checkpoints to it', async () => {
    const hub = peer.declareEventHub('orders', 1);
    put(hub, '0', 'old', 'done', 'new');
    await container().create(signal);
    const metadata = new Map([
      ['offset', '64'],
      ['sequencenumber', '1'],
    ]);
    await container().write(`${folder()}/checkpoint/0`, new Uint8Array(), { metadata }, signal);
    const { events, listener } = await listen();
    await expect.poll(() => events.map(textOf), waiting).toEqual(['new']);
    await expect.poll(() => stored('checkpoint', '0'), waiting).toEqual({ offset: '128', sequencenumber: '2' });
    expect(await stored('ownership', '0')).toEqual({ ownerid: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    await listener.drain(signal);
    const { ownerid = '' } = (await stored('ownership', '0')) as { ownerid?: string };
    expect(ownerid).toBe('');
  });

  it('runs again what was lost, in order, and moves on after what failed', async () => {
    const hub = peer.declareEventHub('orders', 1);
    put(hub, '0', 'lost', 'failed', 'fine');
    const outcomes = [lost('worker-lost'), succeeded(), failed(), succeeded()];
    const seen: unknown[] = [];
    const { events } = await listen({}, async (_event, call) => {
      seen.push(await stored('checkpoint', '0'));
      return outcomes[call - 1] ?? succeeded();
    });
    await expect.poll(() => events.map(textOf), waiting).toEqual(['lost', 'lost', 'failed', 'fine']);
    await expect.poll(() => stored('checkpoint', '0'), waiting).toMatchObject({ sequencenumber: '2' });
    expect(seen).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('two hosts share the partitions, and one that drains hands its own over at once', async () => {
    const hub = peer.declareEventHub('orders', 4);
    const one = await listen();
    for (const id of hub.partitionIds) put(hub, id, `${id} first`);
    await expect.poll(() => one.events.length, waiting).toBe(4);
    const two = await listen();
    await expect.poll(async () => (await owners(hub)).map(([, count]) => count), waiting).toEqual([2, 2]);
    const seen = () => new Set([...one.events, ...two.events].map(textOf));
    for (const id of hub.partitionIds) put(hub, id, `${id} second`);
    await expect.poll(() => seen().size, waiting).toBe(8);
    await one.listener.drain(signal);
    const before = one.events.length;
    for (const id of hub.partitionIds) put(hub, id, `${id} third`);
    await expect.poll(() => two.events.map(textOf).filter((text) => text.endsWith('third')).length, waiting).toBe(4);
    expect(seen().size).toBe(12);
    expect(one.events).toHaveLength(before);
  });

  it('a host that is killed loses nothing: another one goes on at its checkpoints', async () => {
    const hub = peer.declareEventHub('orders', 4);
    for (const id of hub.partitionIds) put(hub, id, ...['a', 'b', 'c', 'd', 'e'].map((text) => `${id}${text}`));
    const started = new Set<string>();
    const finished = new Set<string>();
    const child = fork(new URL('../testing/event-hub-process.ts', import.meta.url), [], {
      execArgv: ['--conditions=switchyard-source', '--no-warnings'],
    });
    child.on('message', (message: { started?: string; finished?: string }) => {
      if (message.started !== undefined) started.add(message.started);
      if (message.finished !== undefined) finished.add(message.finished);
    });
    child.send({ settings: settings() });
    // It dies while four functions run: each partition has one that ended, and one that never will.
    await expect.poll(() => started.size, waiting).toBe(8);
    expect(finished.size).toBe(4);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { events } = await listen();
    await expect.poll(() => new Set([...finished, ...events.map(textOf)]).size, waiting).toBe(20);
    const again = events.map(textOf).filter((text) => finished.has(text));
    expect(again).toEqual([]);
    expect(events).toHaveLength(16);
  });

  it('reads on after the line was cut', async () => {
    const hub = peer.declareEventHub('orders', 2);
    const { events } = await listen({}, succeeded, { partitionOwnershipExpirationInterval: '00:05:00' });
    put(hub, '0', 'before');
    await expect.poll(() => events.map(textOf), waiting).toEqual(['before']);
    peer.cut();
    put(hub, '0', 'after');
    put(hub, '1', 'elsewhere');
    await expect.poll(() => events.map(textOf).sort(), waiting).toEqual(['after', 'before', 'elsewhere']);
  });

  it('takes up again what a cut ended while it began', async () => {
    const hub = peer.declareEventHub('orders', 8);
    for (const id of hub.partitionIds) put(hub, id, `${id} first`);
    const { events } = await listen(
      {},
      (_event, call) => {
        if (call === 2) peer.cut();
        return succeeded();
      },
      { partitionOwnershipExpirationInterval: '00:05:00' },
    );
    await expect.poll(() => new Set(events.map(textOf)).size, waiting).toBe(8);
  });

  it('tells how many events wait', async () => {
    const hub = peer.declareEventHub('orders', 2);
    const gate = createDeferred<InvocationOutcome>();
    put(hub, '0', 'a', 'b', 'c');
    const { events, listener } = await listen({}, () => gate.promise);
    await expect.poll(() => events.length, waiting).toBe(1);
    expect(await listener.backlog?.(signal)).toEqual({ messageCount: 2, oldestMs: undefined });
    gate.resolve(succeeded());
    await expect.poll(async () => (await listener.backlog?.(signal))?.messageCount, waiting).toBe(0);
  });

  it('begins where host.json says', async () => {
    const hub = peer.declareEventHub('orders', 1);
    put(hub, '0', 'old');
    const { events } = await listen({}, succeeded, { initialOffsetOptions: { type: 'fromEnd' } });
    await expect.poll(() => stored('ownership', '0'), waiting).toBeDefined();
    await expect
      .poll(() => {
        put(hub, '0', 'new');
        return events.length;
      }, waiting)
      .toBeGreaterThan(0);
    expect(events.map(textOf)).not.toContain('old');
  });

  it('sends what a function gives: objects, texts, bytes and lists', async () => {
    const hub = peer.declareEventHub('out-a', 1);
    const kind = createEventHubOutput(service);
    const binding = { type: 'eventHub', name: 'out', direction: 'out', connection: 'Hub', eventHubName: 'out-{kind}' };
    const options = kind.parse(createBinding(binding), createScope({ settings: settings() }));
    const data = new Map([['kind', toTypedData('a')]]);
    for (const value of [{ a: 1 }, 'text', Buffer.from('bytes'), [{ b: 2 }, 'c'], null]) {
      await kind.write(options, toTypedData(value), data, context);
    }
    const bodies = hub.events('0').map(({ message }) => String(message.body.content ?? message.body));
    expect(bodies).toEqual(['{"a":1}', 'text', 'bytes', '{"b":2}', 'c']);
  });

  it('a hub that is not there fails the output, and says which', async () => {
    const kind = createEventHubOutput(service);
    const binding = { type: 'eventHub', name: 'out', direction: 'out', connection: 'Hub', eventHubName: 'none' };
    const options = kind.parse(createBinding(binding), createScope({ settings: settings() }));
    await expect(kind.write(options, toTypedData('x'), new Map(), context)).rejects.toThrow("event hub 'none' did not");
  });

  it('the name in a connection string overrules that of the binding', async () => {
    const hub = peer.declareEventHub('other', 1);
    put(hub, '0', 'here');
    const named = { ...settings(), Hub: `${peer.connectionString};EntityPath=other` };
    const { events } = await listen({}, succeeded, {}, {}, named);
    await expect.poll(() => events.map(textOf), waiting).toEqual(['here']);
  });

  it.each([
    [{ connection: 'Hub' }, {}, 'it names no event hub'],
    [{ connection: 'Hub', eventHubName: 5 }, {}, '"eventHubName" is 5'],
    [{ connection: 'Hub', eventHubName: 'h', cardinality: 'few' }, {}, '"cardinality" is "few"'],
    [{ connection: 'None', eventHubName: 'h' }, {}, "the app setting 'None' is missing"],
    [{ connection: 'Odd', eventHubName: 'h' }, {}, "'Odd' is no connection string"],
    [{ connection: 'Who', eventHubName: 'h' }, {}, 'names no host such as'],
    [
      { connection: 'Hub', eventHubName: 'h', cardinality: 'many' },
      { minEventBatchSize: 200 },
      'at least 200 and at most 100',
    ],
    [
      { connection: 'Hub', eventHubName: 'h' },
      { initialOffsetOptions: { type: 'fromEnqueuedTime', enqueuedTimeUtc: 'noon' } },
      "which is 'noon'",
    ],
  ])('refuses %j and says why', (raw, eventHubs, problem) => {
    const given = { ...settings(), Odd: 'x', Who__clientId: 'c' };
    const binding = createBinding({ type: 'eventHubTrigger', name: 'event', ...raw });
    const scope = createScope({ settings: given, extensions: { eventHubs } });
    expect(() => createEventHubTrigger({ service, blobs }).parse(binding, scope)).toThrow(problem);
  });

  it('needs the storage of the app', () => {
    const binding = createBinding({ type: 'eventHubTrigger', name: 'event', connection: 'Hub', eventHubName: 'h' });
    const scope = createScope({ settings: { Hub: peer.connectionString } });
    expect(() => createEventHubTrigger({ service, blobs }).parse(binding, scope)).toThrow('AzureWebJobsStorage');
  });

  /** Who owns how many partitions. */
  async function owners(hub: AmqpEventHub): Promise<readonly (readonly [owner: string, count: number])[]> {
    const all = await Promise.all(hub.partitionIds.map((id) => stored('ownership', id)));
    const names = all.map((one) => (one as { ownerid: string }).ownerid);
    return [...new Set(names)].map((name) => [name, names.filter((other) => other === name).length]);
  }
});

function textOf({ data }: TriggerEvent): string {
  return data.data?.$case === 'string' ? data.data.value : '';
}

function jsonOf(metadata: TriggerEvent['metadata'], name: string): unknown {
  const data = metadata.get(name)?.data;
  return data?.$case === 'json' ? JSON.parse(data.value) : undefined;
}

function decodeMessage(content: Uint8Array): { readonly body: string; readonly annotations: unknown } {
  const message = rhea.message.decode(Buffer.from(content));
  return { body: String(message.body.content), annotations: message.message_annotations };
}
