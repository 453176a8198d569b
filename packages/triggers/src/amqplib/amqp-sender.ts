import type { ChannelModel } from 'amqplib';
import { rabbitMqErrors } from '../rabbitmq/errors.ts';

/** Sends to queues of one broker, over one channel. */
export interface Sender {
  /** Resolves when the broker has confirmed every message; rejects when it could not put one into a queue. */
  send(queue: string, bodies: readonly Uint8Array[]): Promise<void>;
}

/** `closed` is called when the connection is over; then another sender is needed. */
export async function createSender(model: ChannelModel, closed: () => void): Promise<Sender> {
  const channel = await model.createConfirmChannel();
  /** How many messages came back for want of a queue; a return comes before the confirmation of the same message. */
  const returns = new Map<string, number>();
  let sending = 0;
  channel.on('return', ({ fields }) => returns.set(fields.routingKey, (returns.get(fields.routingKey) ?? 0) + 1));
  channel.on('error', () => {});
  channel.on('close', () => {
    closed();
    void model.close().catch(() => {});
  });
  model.on('close', closed);
  const publish = (queue: string, body: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      const content = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      const options = { mandatory: true, persistent: true };
      channel.publish('', queue, content, options, (thrown) => (thrown ? reject(thrown) : resolve()));
    });
  return {
    async send(queue, bodies) {
      const before = returns.get(queue) ?? 0;
      sending += 1;
      try {
        await Promise.all(bodies.map((body) => publish(queue, body)));
        if ((returns.get(queue) ?? 0) !== before) throw rabbitMqErrors.create('RABBITMQ_QUEUE_MISSING', { queue });
      } finally {
        sending -= 1;
        if (sending === 0) returns.clear();
      }
    },
  };
}
