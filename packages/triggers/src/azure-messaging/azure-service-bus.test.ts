/** The Service Bus trigger and output, through the official library, on a local AMQP broker. */
import { createDeferred, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import type { CollectionModelBindingData, ModelBindingData } from '@switchyard/protocol';
import { createMemoryLog } from '@switchyard/testkit';
import { type AmqpPeer, openAmqpPeer } from '@switchyard/testkit/amqp';
import rhea from 'rhea';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InvocationOutcome, ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';
import { createServiceBusOutput } from '../service-bus/service-bus-output.ts';
import { createServiceBusTrigger } from '../service-bus/service-bus-trigger.ts';
import { namespaceWithKey } from '../testing/namespace.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import { failed, lost, succeeded } from '../testing/scripted-invoke.ts';
import { toTypedData } from '../typed-data.ts';
import { createAzureServiceBus } from './azure-service-bus.ts';

const service = createAzureServiceBus();
const { signal } = new AbortController();

let peer: AmqpPeer;
let listeners: TriggerListener[];
beforeEach(async () => {
  peer = await openAmqpPeer();
  listeners = [];
});
afterEach(async () => {
  for (const listener of listeners) await listener.close();
  await peer.close();
});

/** A call that was under way when the line was cut waits for its answer for 5 s, and up to four times. */
const afterCut = { timeout: 40_000 };

const connection = () => namespaceWithKey(peer.connectionString);
const textOf = ({ data }: TriggerEvent): string => (data.data?.$case === 'string' ? data.data.value : '');

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

/** Starts a function on the broker, and keeps what it gets. */
async function listen(
  raw: Record<string, unknown>,
  answer: (event: TriggerEvent, call: number) => InvocationOutcome | Promise<InvocationOutcome> = succeeded,
  serviceBus: Record<string, unknown> = {},
  properties: Record<string, string> = {},
) {
  const scope = createScope({ settings: { Bus: peer.connectionString }, extensions: { serviceBus } });
  const kind = createServiceBusTrigger(service);
  const binding = createBinding({ type: 'serviceBusTrigger', name: 'message', connection: 'Bus', ...raw });
  const events: TriggerEvent[] = [];
  const invoke = async (event: TriggerEvent): Promise<InvocationOutcome> => {
    events.push(event);
    return answer(event, events.length);
  };
  const listener = kind.listen(kind.parse({ ...binding, properties }, scope), {
    ...context,
    invoke,
  } satisfies ListenerContext);
  listeners.push(listener);
  await listener.start(signal);
  return { events, listener };
}

const send = (entity: string, ...texts: string[]): Promise<void> =>
  service.send(
    connection(),
    entity,
    texts.map((text) => ({ body: Buffer.from(text), contentType: 'text/plain', messageId: systemRandom.uuid() })),
  );

describe('Service Bus', () => {
  it('gives messages to the function, with the official metadata, and completes them', async () => {
    const queue = peer.declareQueue('orders');
    const { events } = await listen({ queueName: 'orders' });
    await send('orders', '{"color":"red"}');
    await expect.poll(() => events.map(textOf)).toEqual(['{"color":"red"}']);
    const names = [...(events[0]?.metadata.keys() ?? [])];
    expect(names).toEqual(
      expect.arrayContaining([
        'DeliveryCount',
        'LockToken',
        'MessageId',
        'EnqueuedTimeUtc',
        'SequenceNumber',
        'Subject',
      ]),
    );
    expect(events[0]?.metadata.get('color')).toEqual({ data: { $case: 'string', value: 'red' } });
    await expect.poll(() => queue.messages.length).toBe(0);
  });

  it('abandons what failed, and the broker counts', async () => {
    peer.declareQueue('orders', { maxDeliveryCount: 3 });
    const { events } = await listen({ queueName: 'orders' }, (_event, call) => (call < 3 ? failed() : succeeded()));
    await send('orders', 'again');
    await expect.poll(() => events.length).toBe(3);
    expect(events.map(({ details }) => Number(details?.DeliveryCount))).toEqual([0, 1, 2]);
  });

  it('gives lost messages back', async () => {
    peer.declareQueue('orders');
    const { events } = await listen({ queueName: 'orders' }, (_event, call) =>
      call === 1 ? lost('worker-lost') : succeeded(),
    );
    await send('orders', 'lost once');
    await expect.poll(() => events.map(textOf)).toEqual(['lost once', 'lost once']);
  });

  it('takes from a subscription of a topic', async () => {
    peer.declareTopic('news');
    peer.declareSubscription('news', 'mine');
    const { events } = await listen({ topicName: 'news', subscriptionName: 'mine' });
    await send('news', 'one', 'two');
    await expect.poll(() => events.map(textOf).sort()).toEqual(['one', 'two']);
  });

  it('tells what waits beside what it has in hand, again and again', async () => {
    peer.declareQueue('orders');
    const never = new Promise<InvocationOutcome>(() => {});
    const { events, listener } = await listen({ queueName: 'orders' }, () => never, { maxConcurrentCalls: 2 });
    expect(await listener.backlog?.(signal)).toEqual({ messageCount: 0, oldestMs: undefined });
    await send('orders', 'one', 'two', 'three', 'four', 'five');
    await expect.poll(() => events.length).toBe(2);
    const three = { messageCount: 3, oldestMs: expect.any(Number) };
    expect(await listener.backlog?.(signal)).toEqual(three);
    expect(await listener.backlog?.(signal)).toEqual(three);
  });

  it('runs no more at once than it may', async () => {
    peer.declareQueue('orders');
    let running = 0;
    let most = 0;
    const { events } = await listen(
      { queueName: 'orders' },
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return succeeded();
      },
      { maxConcurrentCalls: 2 },
    );
    await send('orders', ...Array.from({ length: 12 }, (_, n) => String(n)));
    await expect.poll(() => events.length).toBe(12);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('gives batches to a function that takes many', async () => {
    const queue = peer.declareQueue('orders');
    await send('orders', 'a', 'b', 'c');
    const { events } = await listen({ queueName: 'orders', cardinality: 'many' }, succeeded, {
      minMessageBatchSize: 3,
    });
    await expect.poll(() => events.length).toBe(1);
    expect(events[0]?.data.data).toMatchObject({ $case: 'collectionString', value: { string: ['a', 'b', 'c'] } });
    const counts = events[0]?.metadata.get('DeliveryCountArray')?.data;
    expect(counts?.$case === 'json' ? JSON.parse(counts.value) : []).toHaveLength(3);
    await expect.poll(() => queue.messages.length).toBe(0);
  });

  it.each([
    ['one', 'modelBindingData'],
    ['many', 'collectionModelBindingData'],
  ])('gives whole messages, the lock first, to a worker that reads them itself (%s)', async (cardinality, form) => {
    peer.declareQueue('orders');
    const properties = { supportsDeferredBinding: 'True' };
    const { events } = await listen({ queueName: 'orders', cardinality }, succeeded, {}, properties);
    await send('orders', 'whole');
    await expect.poll(() => events.length).toBe(1);
    const { data, metadata } = events[0] as TriggerEvent;
    expect(data.data?.$case).toBe(form);
    const value = data.data?.value as ModelBindingData | CollectionModelBindingData;
    const [one] = 'modelBindingData' in value ? value.modelBindingData : [value];
    expect(one).toMatchObject({
      version: '1.0',
      source: 'AzureServiceBusReceivedMessage',
      contentType: 'application/octet-stream',
    });
    const content = Buffer.from(one?.content ?? []);
    const [a, b, c] = [content.readUInt32LE(0), content.readUInt16LE(4), content.readUInt16LE(6)];
    const token = [a.toString(16).padStart(8, '0'), b.toString(16).padStart(4, '0'), c.toString(16).padStart(4, '0')];
    expect(JSON.stringify([...metadata].map(([, each]) => each))).toContain(token.join('-'));
    expect(String(rhea.message.decode(content.subarray(16)).body.content)).toBe('whole');
    // The official library of Node.js reads the message from behind the name of the lock's annotation on.
    const lockName = Buffer.from('x-opt-lock-token');
    const behind = content.subarray(content.indexOf(lockName) + lockName.length);
    expect(behind.subarray(1, 17).toString('hex')).toBe(token.join('') + content.subarray(8, 16).toString('hex'));
    expect(String(rhea.message.decode(behind).body.content)).toBe('whole');
  });

  it('leaves it to the function to settle, when the app wants that', async () => {
    const queue = peer.declareQueue('orders');
    const { events } = await listen({ queueName: 'orders', autoCompleteMessages: false });
    await send('orders', 'mine');
    await expect.poll(() => events.length).toBe(1);
    expect(queue.messages).toHaveLength(1);
  });

  it('takes and sends messages again after the line was cut, and completes what ran meanwhile', {
    timeout: 120_000,
  }, async () => {
    const queue = peer.declareQueue('orders', { lockMs: 300_000 });
    const gate = createDeferred<InvocationOutcome>();
    const { events } = await listen({ queueName: 'orders' }, (_event, call) =>
      call === 1 ? gate.promise : succeeded(),
    );
    await send('orders', 'running');
    await expect.poll(() => events.length).toBe(1);
    peer.cut();
    gate.resolve(succeeded());
    await send('orders', 'after');
    await expect.poll(() => events.map(textOf), afterCut).toEqual(['running', 'after']);
    await expect.poll(() => queue.messages.length, afterCut).toBe(0);
  });

  it('takes sessions again after the line was cut', { timeout: 120_000 }, async () => {
    const queue = peer.declareQueue('orders', { requiresSession: true, lockMs: 5_000 });
    const { events } = await listen({ queueName: 'orders', isSessionsEnabled: true }, succeeded, {
      maxConcurrentSessions: 1,
    });
    queue.put({ body: Buffer.from('one'), group_id: 's' });
    await expect.poll(() => events.map(textOf)).toEqual(['one']);
    await expect.poll(() => queue.messages.length).toBe(0);
    peer.cut();
    queue.put({ body: Buffer.from('two'), group_id: 's' });
    await expect.poll(() => events.map(textOf), afterCut).toEqual(['one', 'two']);
  });

  it('finishes what runs when it drains, and takes nothing new', async () => {
    const queue = peer.declareQueue('orders');
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { events, listener } = await listen({ queueName: 'orders' }, () => gate.then(() => succeeded()));
    await send('orders', 'first');
    await expect.poll(() => events.length).toBe(1);
    const drained = listener.drain(signal);
    await send('orders', 'second');
    release();
    await drained;
    expect(events.map(textOf)).toEqual(['first']);
    await expect.poll(() => queue.messages.length).toBe(1);
  });

  it('sends what a function gives: objects, texts, bytes and lists', async () => {
    peer.declareQueue('out-a');
    const kind = createServiceBusOutput(service);
    const scope = createScope({ settings: { Bus: peer.connectionString } });
    const binding = { type: 'serviceBus', name: 'out', direction: 'out', connection: 'Bus', queueName: 'out-{kind}' };
    const options = kind.parse(createBinding(binding), scope);
    const { events } = await listen({ queueName: 'out-a' });
    const data = new Map([['kind', toTypedData('a')]]);
    for (const value of [{ a: 1 }, 'text', Buffer.from('bytes'), [{ b: 2 }, 'c']]) {
      await kind.write(options, toTypedData(value), data, context);
    }
    await expect.poll(() => events.map(textOf).sort()).toEqual(['bytes', 'c', 'text', '{"a":1}', '{"b":2}']);
  });

  it.each([
    [{ connection: 'Bus' }, 'neither a queue nor a subscription'],
    [{ connection: 'Bus', topicName: 't' }, 'neither a queue nor a subscription'],
    [{ connection: 'Bus', queueName: 5 }, '"queueName" is 5'],
    [{ connection: 'Bus', queueName: 'q', isSessionsEnabled: 'perhaps' }, 'must be true or false'],
    [{ connection: 'None', queueName: 'q' }, "the app setting 'None' is missing"],
    [{ connection: 'Odd', queueName: 'q' }, "'Odd' is no connection string"],
    [{ connection: 'Who', queueName: 'q' }, 'names no host such as'],
  ])('refuses %j and says why', (raw, problem) => {
    const settings = { Bus: peer.connectionString, Odd: 'x', Who__clientId: 'c' };
    const binding = createBinding({ type: 'serviceBusTrigger', name: 'message', ...raw });
    expect(() => createServiceBusTrigger(service).parse(binding, createScope({ settings }))).toThrow(problem);
  });
});
