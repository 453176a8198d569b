/**
 * RabbitMQ through amqplib, which is loaded when it is first used.
 *
 * Ownership: a connection for each consumer, ended with it; and one to send on for each broker, for as long as it holds.
 */

import { messageOf } from '@switchyard/kernel';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import { triggerErrors } from '../errors.ts';
import { rabbitMqErrors } from '../rabbitmq/errors.ts';
import type {
  RabbitMqConnection,
  RabbitMqConsumer,
  RabbitMqMessage,
  RabbitMqProperties,
  RabbitMqService,
} from '../rabbitmq/rabbitmq-client.ts';
import { createSender, type Sender } from './amqp-sender.ts';

type Sdk = Pick<typeof import('amqplib'), 'connect'>;

const packageName = 'amqplib';
const connectMs = 10_000;

/** What the broker says of a queue that it does not have. */
const notFound = 404;

export function createRabbitMq(load: () => Promise<Sdk> = () => import('amqplib')): RabbitMqService {
  const senders = new Map<string, Promise<Sender>>();
  let loading: Promise<Sdk> | undefined;
  const connect = async ({ address, verifiesCertificate }: RabbitMqConnection): Promise<ChannelModel> => {
    loading ??= load().catch((thrown) => {
      loading = undefined;
      throw triggerErrors.create('STORAGE_SDK_MISSING', { package: packageName, reason: messageOf(thrown) }, thrown);
    });
    const sdk = await loading;
    const clientProperties = { connection_name: 'switchyard' };
    const options = { timeout: connectMs, keepAlive: true, rejectUnauthorized: verifiesCertificate, clientProperties };
    const model = await sdk.connect(address.reveal(), options);
    // Whoever uses the connection learns of its end by `close`.
    model.on('error', () => {});
    return model;
  };
  const senderOf = (connection: RabbitMqConnection): Promise<Sender> => {
    const key = `${connection.verifiesCertificate} ${connection.address.reveal()}`;
    const known = senders.get(key);
    if (known !== undefined) return known;
    const forget = (): void => void (senders.get(key) === opening && senders.delete(key));
    const opening = connect(connection).then((model) => createSender(model, forget));
    opening.catch(forget);
    senders.set(key, opening);
    return opening;
  };
  return {
    async consume(connection, queue, prefetchCount, onMessage) {
      const model = await connect(connection);
      try {
        return await openConsumer(model, queue, prefetchCount, onMessage);
      } catch (thrown) {
        await model.close().catch(() => {});
        if (hasCode(thrown, notFound)) throw rabbitMqErrors.create('RABBITMQ_QUEUE_MISSING', { queue }, thrown);
        throw thrown;
      }
    },
    async send(connection, queue, bodies) {
      const sender = await senderOf(connection);
      await sender.send(queue, bodies);
    },
  };
}

async function openConsumer(
  model: ChannelModel,
  queue: string,
  prefetchCount: number,
  onMessage: (message: RabbitMqMessage) => void,
): Promise<RabbitMqConsumer> {
  const channel = await model.createConfirmChannel();
  const held = new WeakMap<RabbitMqMessage, ConsumeMessage>();
  let end = (_: Error): void => {};
  const ended = new Promise<Error>((resolve) => {
    end = resolve;
  });
  const lost = (reason: string): void => end(rabbitMqErrors.create('RABBITMQ_LINE_LOST', { queue, reason }));
  channel.on('error', (thrown) => lost(thrown.message));
  channel.on('close', () => lost('the channel is closed'));
  model.on('close', (thrown) => lost(thrown?.message ?? 'the connection is closed'));
  const take = (received: ConsumeMessage | null): void => {
    if (received === null) {
      lost('the queue was deleted, or moved away');
      return;
    }
    const message = toMessage(received);
    held.set(message, received);
    onMessage(message);
  };
  const subscribe = async (count: number): Promise<string> => {
    await channel.prefetch(count);
    return (await channel.consume(queue, take)).consumerTag;
  };
  let consumerTag = await subscribe(prefetchCount);
  const settle = (message: RabbitMqMessage, how: (received: ConsumeMessage) => void): void => {
    const received = held.get(message);
    if (received === undefined) return;
    held.delete(message);
    how(received);
  };
  const countWaiting = createCounter(model, queue);
  return {
    ended,
    acknowledge: (message) => settle(message, (received) => channel.ack(received)),
    reject: (message) => settle(message, (received) => channel.reject(received, false)),
    giveBack: (message) => settle(message, (received) => channel.nack(received, false, true)),
    republish: (message, headers) => republish(channel, queue, held.get(message), headers),
    countWaiting,
    async resize(count) {
      // A count holds for the consumers that come after it.
      await channel.cancel(consumerTag);
      consumerTag = await subscribe(count);
    },
    async cancel() {
      await channel.cancel(consumerTag);
    },
    close: () => model.close().catch(() => {}),
  };
}

/** Counts on a channel of its own: a question about a queue that is gone ends the channel that asks. */
function createCounter(model: ChannelModel, queue: string): () => Promise<number> {
  let opening: Promise<Channel> | undefined;
  return async () => {
    opening ??= model.createChannel().then((channel) => channel.on('error', () => {}));
    try {
      const channel = await opening;
      const { messageCount } = await channel.checkQueue(queue);
      return messageCount;
    } catch (thrown) {
      opening = undefined;
      throw thrown;
    }
  };
}

/** To the end of the same queue, with all of its properties. */
function republish(
  channel: ConfirmChannel,
  queue: string,
  received: ConsumeMessage | undefined,
  headers: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (received === undefined) return Promise.resolve();
  const { properties, content } = received;
  return new Promise((resolve, reject) => {
    channel.publish('', queue, content, { ...properties, headers }, (thrown) => (thrown ? reject(thrown) : resolve()));
  });
}

function toMessage({ content, fields, properties }: ConsumeMessage): RabbitMqMessage {
  const { consumerTag, deliveryTag, redelivered, exchange, routingKey } = fields;
  const headers = properties.headers ?? {};
  return {
    body: content,
    consumerTag,
    deliveryTag,
    redelivered,
    exchange,
    routingKey,
    properties: { ...properties, headers } as RabbitMqProperties,
  };
}

function hasCode(thrown: unknown, code: number): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
