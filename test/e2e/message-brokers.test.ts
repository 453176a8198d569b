/** The example app `message-brokers`, on real servers, through the Node.js worker. */
import { createClient } from '@redis/client';
import { openRabbitMq, rabbitMqPart, type TestRabbitMq } from '@switchyard/testkit/rabbitmq';
import { openRedis, redisPart, type TestRedis } from '@switchyard/testkit/redis';
import { type ChannelModel, connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';

/** Servers on a busy machine take their time. */
const patience = { timeout: 60_000 };

describe.skipIf(rabbitMqPart.skip)('parcels of RabbitMQ', patience, () => {
  let broker: TestRabbitMq;
  let model: ChannelModel;
  let dev: DevProcess;
  beforeAll(async () => {
    broker = await openRabbitMq();
    model = await connect(broker.address);
    model.on('error', () => {});
    const channel = await model.createChannel();
    const letters = { deadLetterExchange: '', deadLetterRoutingKey: 'lost-parcels' };
    await channel.assertQueue('parcels', { durable: true, ...letters });
    for (const queue of ['packed', 'lost-parcels']) await channel.assertQueue(queue, { durable: true });
    dev = await startDevProcess({
      apps: [exampleApp('message-brokers')],
      flags: ['--no-azurite'],
      environment: { RabbitMQConnection: broker.address, 'AzureWebJobs.packParcel.Disabled': '0' },
    });
  }, patience.timeout);
  afterAll(async () => {
    await dev.close();
    await model.close();
    await broker.close();
  }, patience.timeout);

  /** Takes messages off a queue until the one of this parcel is there: others may have come twice. */
  const take = async (queue: string, id: string): Promise<unknown> => {
    const channel = await model.createChannel();
    const read = async (): Promise<{ id?: string }> => {
      const message = await channel.get(queue, { noAck: true });
      return message === false ? {} : JSON.parse(message.content.toString());
    };
    let found: { id?: string } = {};
    const next = async (): Promise<string | undefined> => {
      found = await read();
      return found.id;
    };
    await expect.poll(next, patience).toBe(id);
    await channel.close();
    return found;
  };

  it('come from HTTP, are packed and sent on', async () => {
    const answer = await dev.request('/api/parcels', { body: '{"id": "p-1", "weight": 3}' });
    expect(answer).toMatchObject({ status: 202, text: '{"id":"p-1"}' });
    expect(await take('packed', 'p-1')).toEqual({ id: 'p-1', boxes: 2 });
    await dev.line(/Parcel p-1, delivery 1, after 0 tries/);
  });

  it('that fail are tried five times, and become dead letters', async () => {
    await dev.request('/api/parcels', { body: '{"id": "p-2", "weight": 0}' });
    expect(await take('lost-parcels', 'p-2')).toEqual({ id: 'p-2', weight: 0 });
    const tries = await dev.matching(/Parcel p-2, delivery \d+, after \d tries/, 5);
    expect(tries.map((line) => /after (\d)/.exec(line)?.[1])).toEqual(['0', '1', '2', '3', '4']);
  });

  it('wait where the broker is away, and are packed when it is back', async () => {
    await broker.restart();
    await dev.line(/Messages of RabbitMQ cannot be received/);
    model = await connect(broker.address);
    model.on('error', () => {});
    expect(await dev.request('/api/parcels', { body: '{"id": "p-3", "weight": 1}' })).toMatchObject({ status: 202 });
    expect(await take('packed', 'p-3')).toEqual({ id: 'p-3', boxes: 1 });
  });
});

describe.skipIf(redisPart.skip)('labels of Redis', patience, () => {
  let server: TestRedis;
  let client: ReturnType<typeof connectTo>;
  let dev: DevProcess;
  const connectTo = (port: number) => createClient({ url: `redis://:of-a-test@127.0.0.1:${port}` });
  beforeAll(async () => {
    server = await openRedis();
    client = connectTo(server.port);
    client.on('error', () => {});
    await client.connect();
    const enabled = ['printLabel', 'followScans', 'hearDepots'].map((name) => [`AzureWebJobs.${name}.Disabled`, '0']);
    dev = await startDevProcess({
      apps: [exampleApp('message-brokers')],
      flags: ['--no-azurite'],
      environment: { RedisConnection: server.connectionString, ...Object.fromEntries(enabled) },
    });
  }, patience.timeout);
  afterAll(async () => {
    await dev.close();
    client.destroy();
    await server.close();
  }, patience.timeout);

  const label = async (id: string): Promise<string> => (await dev.request(`/api/labels/${id}`)).text;

  it('come from HTTP through a list, and are read as an input', async () => {
    expect((await dev.request('/api/labels/p-1')).status).toBe(404);
    expect(await dev.request('/api/labels', { body: '{"id": "p-1", "to": "Ada"}' })).toMatchObject({ status: 202 });
    await expect.poll(() => label('p-1'), patience).toBe('To Ada');
    expect(await client.lLen('labels')).toBe(0);
  });

  it('entries of a stream run once, and are acknowledged', async () => {
    const id = await client.xAdd('scans', '*', { parcel: 'p-1' });
    await dev.line(new RegExp(`Scan ${id} of p-1`));
    const pending = async (): Promise<number> => (await client.xPending('scans', 'Host.Functions.followScans')).pending;
    await expect.poll(pending, patience).toBe(0);
  });

  it('messages of a channel are heard', async () => {
    await expect.poll(() => client.publish('depots.north', 'snow'), patience).toBe(1);
    await dev.line(/depots\.north: snow/);
  });

  it('are printed again when the server was away', async () => {
    await server.restart();
    await dev.line(/Entries of Redis cannot be taken/);
    await expect
      .poll(async () => (await dev.request('/api/labels', { body: '{"id": "p-2", "to": "Grace"}' })).status, patience)
      .toBe(202);
    await expect.poll(() => label('p-2'), patience).toBe('To Grace');
  });
});
