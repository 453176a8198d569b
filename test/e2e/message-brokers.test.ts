/** The example app `message-brokers`, on real servers, through the Node.js worker. */
import { openRabbitMq, rabbitMqPart, type TestRabbitMq } from '@switchyard/testkit/rabbitmq';
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
