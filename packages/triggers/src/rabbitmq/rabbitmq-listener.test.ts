/** The RabbitMQ trigger and output, through amqplib, on a real broker. */
import { Secret, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import { createMemoryLog } from '@switchyard/testkit';
import { openRabbitMq, rabbitMqPart, type TestRabbitMq } from '@switchyard/testkit/rabbitmq';
import { type ChannelModel, connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createRabbitMq } from '../amqplib/amqp-broker.ts';
import type { InvocationOutcome, ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import { failed, lost, succeeded } from '../testing/scripted-invoke.ts';
import { toTypedData } from '../typed-data.ts';
import { createRabbitMqOutput } from './rabbitmq-output.ts';
import { createRabbitMqTrigger } from './rabbitmq-trigger.ts';

const service = createRabbitMq();
const { signal } = new AbortController();

/** A node of Erlang takes its time on a busy machine. */
const patience = { timeout: 60_000 };

let broker: TestRabbitMq;
let model: ChannelModel;
let listeners: TriggerListener[] = [];

const textOf = ({ data }: TriggerEvent): string => (data.data?.$case === 'string' ? data.data.value : '');
const jsonOf = (event: TriggerEvent | undefined, name: string): unknown => {
  const data = event?.metadata.get(name)?.data;
  return data?.$case === 'json' ? JSON.parse(data.value) : undefined;
};

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

async function reconnect(): Promise<void> {
  model = await connect(broker.address);
  model.on('error', () => {});
}

/** A queue with dead letters beside it; durable, so that a restart of the broker keeps it. */
async function declare(queue: string): Promise<void> {
  const channel = await model.createChannel();
  await channel.assertQueue(`${queue}-dead`, { durable: true });
  await channel.assertQueue(queue, { durable: true, deadLetterExchange: '', deadLetterRoutingKey: `${queue}-dead` });
  await channel.close();
}

async function publish(queue: string, body: string, properties: Record<string, unknown> = {}): Promise<void> {
  const channel = await model.createConfirmChannel();
  channel.sendToQueue(queue, Buffer.from(body), { persistent: true, ...properties });
  await channel.waitForConfirms();
  await channel.close();
}

/** Messages that wait; those that a consumer has taken and not settled are not among them. */
async function count(queue: string): Promise<number> {
  const channel = await model.createChannel();
  const { messageCount } = await channel.checkQueue(queue);
  await channel.close();
  return messageCount;
}

const settings = () => ({ Broker: broker.address });

/** Starts a function on the broker, and keeps what it gets. */
async function listen(
  raw: Record<string, unknown>,
  answer: (event: TriggerEvent, call: number) => InvocationOutcome | Promise<InvocationOutcome> = succeeded,
  rabbitMQ: Record<string, unknown> = {},
  ports: Partial<ListenerContext> = {},
) {
  const kind = createRabbitMqTrigger(service);
  const binding = createBinding({
    type: 'rabbitMQTrigger',
    name: 'message',
    connectionStringSetting: 'Broker',
    ...raw,
  });
  const options = kind.parse(binding, createScope({ settings: settings(), extensions: { rabbitMQ } }));
  const events: TriggerEvent[] = [];
  const invoke = async (event: TriggerEvent): Promise<InvocationOutcome> => {
    events.push(event);
    return answer(event, events.length);
  };
  const listener = kind.listen(options, { ...context, ...ports, invoke } satisfies ListenerContext);
  listeners.push(listener);
  await listener.start(signal);
  return { events, listener };
}

describe.skipIf(rabbitMqPart.skip)('RabbitMQ', patience, () => {
  beforeAll(async () => {
    broker = await openRabbitMq();
    await reconnect();
  }, patience.timeout);
  afterEach(async () => {
    for (const listener of listeners) await listener.close();
    listeners = [];
  });
  afterAll(async () => {
    await model.close();
    await broker.close();
  }, patience.timeout);

  it('gives messages to the function, with the official metadata, and acknowledges them', async () => {
    await declare('orders');
    const { events, listener } = await listen({ queueName: 'orders' });
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', count: 3 };
    await publish('orders', '{"color":"red"}', { headers, messageId: 'm-1', contentType: 'application/json' });
    await expect.poll(() => events.map(textOf), patience).toEqual(['{"color":"red"}']);
    const [event] = events;
    const names = ['ConsumerTag', 'DeliveryTag', 'Redelivered', 'Exchange', 'RoutingKey', 'BasicProperties', 'Body'];
    expect([...(event?.metadata.keys() ?? [])]).toEqual(names);
    expect(event?.metadata.get('RoutingKey')).toEqual(toTypedData('orders'));
    expect(event?.metadata.get('Body')).toEqual(toTypedData(Buffer.from('{"color":"red"}')));
    expect([jsonOf(event, 'DeliveryTag'), jsonOf(event, 'Redelivered')]).toEqual([1, false]);
    expect(jsonOf(event, 'BasicProperties')).toMatchObject({
      ContentType: 'application/json',
      DeliveryMode: 2,
      Headers: { traceparent: Buffer.from(headers.traceparent).toString('base64'), count: 3 },
      MessageId: 'm-1',
      Persistent: true,
      Timestamp: { UnixTime: 0 },
    });
    expect(event).toMatchObject({ traceParent: headers.traceparent });
    expect(event?.reason).toMatch(/^RabbitMQ message detected from queue: orders at /);
    await listener.drain(signal);
    expect(await count('orders')).toBe(0);
  });

  it('I3: counts failures in the header of the message, and rejects it after the fifth', async () => {
    await declare('failing');
    const { events } = await listen({ queueName: 'failing' }, failed);
    await publish('failing', 'never', { headers: { kept: 'yes' }, correlationId: 'c' });
    await expect.poll(() => count('failing-dead'), patience).toBe(1);
    const counts = events.map((event) => {
      const properties = jsonOf(event, 'BasicProperties') as {
        Headers: Record<string, unknown>;
        CorrelationId: string;
      };
      return [properties.Headers['x-ms-rabbitmq-requeuecount'], properties.CorrelationId];
    });
    expect(counts).toEqual([
      [undefined, 'c'],
      [1, 'c'],
      [2, 'c'],
      [3, 'c'],
      [4, 'c'],
    ]);
    expect(await count('failing')).toBe(0);
  });

  it('I3: gives back what nobody could run, and counts no try', async () => {
    await declare('patient');
    const { events } = await listen({ queueName: 'patient' }, (_event, call) =>
      call === 1 ? lost('no-worker') : succeeded(),
    );
    await publish('patient', 'once');
    await expect.poll(() => events.length, patience).toBe(2);
    expect(events.map((event) => jsonOf(event, 'Redelivered'))).toEqual([false, true]);
    expect(jsonOf(events[1], 'BasicProperties')).toMatchObject({ Headers: null });
  });

  it('I2: runs no more at once than it may', async () => {
    await declare('many');
    let [running, most] = [0, 0];
    const answer = async (): Promise<InvocationOutcome> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return succeeded();
    };
    for (let n = 0; n < 20; n += 1) await publish('many', String(n));
    const { events } = await listen({ queueName: 'many' }, answer, { prefetchCount: 3 });
    await expect.poll(() => events.length, patience).toBe(20);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('I5: finishes what runs when it drains, and leaves the rest to others', async () => {
    await declare('drained');
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { events, listener } = await listen({ queueName: 'drained' }, () => gate.then(succeeded), {
      prefetchCount: 1,
    });
    await publish('drained', 'first');
    await publish('drained', 'second');
    await expect.poll(() => events.length, patience).toBe(1);
    const drained = listener.drain(signal);
    release();
    await drained;
    expect(events.map(textOf)).toEqual(['first']);
    await expect.poll(() => count('drained'), patience).toBe(1);
  });

  it('I5: what runs when it closes comes again to somebody else', async () => {
    await declare('closed');
    const first = await listen({ queueName: 'closed' }, () => new Promise(() => {}));
    await publish('closed', 'twice');
    await expect.poll(() => first.events.length, patience).toBe(1);
    await first.listener.close();
    const second = await listen({ queueName: 'closed' });
    await expect.poll(() => second.events.map(textOf), patience).toEqual(['twice']);
    expect(jsonOf(second.events[0], 'Redelivered')).toBe(true);
  });

  it('I4: waits for a queue that is not there yet, with one warning', async () => {
    const log = createMemoryLog();
    const { events } = await listen({ queueName: 'later' }, succeeded, {}, { log });
    await expect.poll(() => log.records.length, patience).toBe(1);
    await declare('later');
    await publish('later', 'here');
    await expect.poll(() => events.map(textOf), patience).toEqual(['here']);
    expect(log.records.map(({ message }) => message)).toEqual([
      'Messages of RabbitMQ cannot be received; the host tries again',
      'Messages of RabbitMQ can be received again',
    ]);
  });

  it('I2: tells what waits, and takes more once there are more workers', async () => {
    await declare('waiting');
    for (const text of ['a', 'b', 'c', 'd']) await publish('waiting', text);
    let workers = 1;
    const never = () => new Promise<InvocationOutcome>(() => {});
    const ports = { workerCount: () => workers };
    const { events, listener } = await listen({ queueName: 'waiting' }, never, { prefetchCount: 1 }, ports);
    await expect.poll(() => events.length, patience).toBe(1);
    expect(await listener.backlog?.(signal)).toEqual({ messageCount: 3, oldestMs: undefined });
    workers = 3;
    await listener.backlog?.(signal);
    await expect.poll(() => events.length, patience).toBe(4);
    expect(await listener.backlog?.(signal)).toEqual({ messageCount: 0, oldestMs: undefined });
  });

  it('sends what a function gives: objects, texts, bytes and lists', async () => {
    await declare('out-a');
    const kind = createRabbitMqOutput(service);
    const binding = { type: 'rabbitMQ', name: 'out', direction: 'out', connectionStringSetting: 'Broker' };
    const options = kind.parse(
      createBinding({ ...binding, queueName: 'out-{kind}' }),
      createScope({ settings: settings() }),
    );
    const { events } = await listen({ queueName: 'out-a' });
    const data = new Map([['kind', toTypedData('a')]]);
    for (const value of [{ a: 1 }, 'text', Buffer.from('bytes'), [{ b: 2 }, 'c']]) {
      await kind.write(options, toTypedData(value), data, context);
    }
    await expect.poll(() => events.map(textOf).sort(), patience).toEqual(['bytes', 'c', 'text', '{"a":1}', '{"b":2}']);
    const missing = kind.write(options, toTypedData('x'), new Map([['kind', toTypedData('none')]]), context);
    await expect(missing).rejects.toMatchObject({ code: 'RABBITMQ_SEND_FAILED' });
  });

  it('I1, I4: loses nothing when the broker dies and comes back: what ran comes again, and sending goes on', async () => {
    await declare('crash');
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const answer = (_event: TriggerEvent, call: number) => (call === 1 ? gate.then(succeeded) : succeeded());
    const log = createMemoryLog();
    const { events } = await listen({ queueName: 'crash' }, answer, {}, { log });
    const connection = { address: new Secret(broker.address), verifiesCertificate: true };
    await service.send(connection, 'crash', [Buffer.from('kept')]);
    await expect.poll(() => events.length, patience).toBe(1);
    await broker.restart();
    release();
    await reconnect();
    await expect.poll(() => events.map(textOf), patience).toEqual(['kept', 'kept']);
    await service.send(connection, 'crash', [Buffer.from('after')]);
    await expect.poll(() => events.map(textOf), patience).toEqual(['kept', 'kept', 'after']);
    expect(log.records.map(({ message }) => message)).toContain('A message could not be settled; it will come again');
  });
});

describe('a RabbitMQ binding', () => {
  const addresses = { Broker: 'amqp://broker', Odd: 'http://broker', Who__clientId: 'me' };
  it.each([
    [{ connectionStringSetting: 'Broker' }, 'it names no queue'],
    [{ connectionStringSetting: 'Broker', queueName: 5 }, '"queueName" is 5'],
    [{ connectionStringSetting: 'Broker', queueName: 'q', disableCertificateValidation: 'x' }, 'must be true or false'],
    [{ queueName: 'q' }, 'it names no "connectionStringSetting"'],
    [{ connectionStringSetting: 'None', queueName: 'q' }, "the app setting 'None' is missing"],
    [{ connectionStringSetting: 'Odd', queueName: 'q' }, "'Odd' is no address of a broker"],
    [{ connectionStringSetting: 'Who', queueName: 'q' }, 'is an identity'],
  ])('refuses %j and says why', (raw, problem) => {
    const binding = createBinding({ type: 'rabbitMQTrigger', name: 'message', ...raw });
    expect(() => createRabbitMqTrigger(service).parse(binding, createScope({ settings: addresses }))).toThrow(problem);
  });

  it('takes queue, address and certificates from host.json where it names none', () => {
    const rabbitMQ = {
      queueName: 'all',
      connectionString: '%Broker%',
      disableCertificateValidation: true,
      prefetchCount: 0,
    };
    const scope = createScope({ settings: addresses, extensions: { rabbitMQ } });
    const options = createRabbitMqTrigger(service).parse(createBinding({ type: 'rabbitMQTrigger', name: 'm' }), scope);
    expect(options).toMatchObject({ queue: 'all', prefetchCount: 1_000, connection: { verifiesCertificate: false } });
    expect(options.connection.address.reveal()).toBe('amqp://broker');
  });
});
