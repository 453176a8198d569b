/** What the trigger and the output need of RabbitMQ. */
import type { Secret } from '@switchyard/kernel';

/** A broker, and who connects to it. */
export interface RabbitMqConnection {
  /** An `amqp` or `amqps` URI. */
  readonly address: Secret;
  readonly verifiesCertificate: boolean;
}

/** Properties of a message by their names in AMQP 0-9-1; those that are missing are undefined. */
export interface RabbitMqProperties {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly deliveryMode?: number | undefined;
  readonly priority?: number | undefined;
  readonly correlationId?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly expiration?: string | undefined;
  readonly messageId?: string | undefined;
  /** Seconds since the Unix epoch. */
  readonly timestamp?: number | undefined;
  readonly type?: string | undefined;
  readonly userId?: string | undefined;
  readonly appId?: string | undefined;
  readonly clusterId?: string | undefined;
}

/** A message that the broker keeps until it is settled. */
export interface RabbitMqMessage {
  readonly body: Uint8Array;
  readonly consumerTag: string;
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: RabbitMqProperties;
}

/** Takes the messages of one queue. When the line breaks, all that is not settled goes back to the queue. */
export interface RabbitMqConsumer {
  /** Resolves with the reason when no more messages will come. */
  readonly ended: Promise<Error>;
  /** The message is done with. */
  acknowledge(message: RabbitMqMessage): void;
  /** The message becomes a dead letter where the queue has an exchange for them, and is gone otherwise. */
  reject(message: RabbitMqMessage): void;
  /** The message comes again, here or at another host. */
  giveBack(message: RabbitMqMessage): void;
  /** Puts a copy with these headers at the end of the queue; resolves when the broker has it. */
  republish(message: RabbitMqMessage, headers: Readonly<Record<string, unknown>>): Promise<void>;
  /** Messages that wait in the queue. */
  countWaiting(): Promise<number>;
  /** Takes at most so many unsettled messages from now on. */
  resize(prefetchCount: number): Promise<void>;
  /** Takes no new messages; those that were taken can still be settled. */
  cancel(): Promise<void>;
  /** Ends the connection. */
  close(): Promise<void>;
}

export interface RabbitMqService {
  /**
   * Takes messages of a queue that exists, at most `prefetchCount` of them unsettled. Rejects when the broker cannot be
   * reached or refuses.
   */
  consume(
    connection: RabbitMqConnection,
    queue: string,
    prefetchCount: number,
    onMessage: (message: RabbitMqMessage) => void,
  ): Promise<RabbitMqConsumer>;
  /** To a queue that exists. Resolves when the broker has all of them. */
  send(connection: RabbitMqConnection, queue: string, bodies: readonly Uint8Array[]): Promise<void>;
}
