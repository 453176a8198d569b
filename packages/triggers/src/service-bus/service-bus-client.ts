/** What the triggers and outputs need of Service Bus. */
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';

/** A queue, or a subscription of a topic. */
export type ServiceBusEntity =
  | { readonly kind: 'queue'; readonly queue: string }
  | { readonly kind: 'subscription'; readonly topic: string; readonly subscription: string };

/** A message that is locked for whoever received it. Times are milliseconds since the Unix epoch. */
export interface ServiceBusMessage {
  readonly body: Uint8Array;
  readonly messageId: string;
  readonly lockToken: string;
  readonly deliveryCount: number;
  readonly sequenceNumber: string;
  readonly enqueuedMs: number;
  readonly expiresMs: number;
  /** Until when nobody else gets it, unless the lock is renewed. */
  readonly lockedUntilMs: number;
  readonly contentType?: string;
  readonly correlationId?: string;
  readonly subject?: string;
  readonly to?: string;
  readonly replyTo?: string;
  readonly replyToSessionId?: string;
  readonly sessionId?: string;
  readonly partitionKey?: string;
  readonly deadLetterSource?: string;
  readonly applicationProperties: Readonly<Record<string, unknown>>;
  /** The whole message in the binary form of AMQP. */
  encode(): Uint8Array;
}

type Properties = Readonly<Record<string, unknown>>;

/** What becomes of a message; properties are written over its own. */
export type MessageSettling =
  | { readonly kind: 'complete' }
  | { readonly kind: 'abandon' | 'defer'; readonly properties: Properties }
  | {
      readonly kind: 'deadLetter';
      readonly reason: string | undefined;
      readonly description: string | undefined;
      readonly properties: Properties;
    };

/** Reads a map in the binary form of AMQP; empty bytes are an empty map. */
export type AmqpMapReader = (bytes: Uint8Array) => Promise<Properties>;

/** A session that somebody holds. */
export interface SessionControl {
  /** Empty where there is none. */
  state(): Promise<Uint8Array>;
  /** Empty bytes take the state away. */
  setState(state: Uint8Array): Promise<void>;
  /** Resolves with the time until which it is held. */
  renew(): Promise<number>;
  /** It is given up once its functions have ended. */
  release(): void;
}

/** Receives under locks, which whoever received renews. */
export interface ServiceBusReceiver {
  /** Up to `maximum` messages, as soon as there is one; empty after `waitMs`, or when the signal aborts. */
  receive(maximum: number, waitMs: number, signal: AbortSignal): Promise<readonly ServiceBusMessage[]>;
  /** The message is done with. Resolves too when the lock was lost: then it comes again. */
  complete(message: ServiceBusMessage): Promise<void>;
  /** The message comes again at once, counted. */
  abandon(message: ServiceBusMessage): Promise<void>;
  /** Like these two, and the other ways; rejects when the lock was lost. */
  settle(message: ServiceBusMessage, how: MessageSettling): Promise<void>;
  /** Where it receives from a session. */
  readonly session?: SessionControl;
  /** True once its session was released. */
  readonly isReleased: boolean;
  /** Renews the lock of the message, or of its session; resolves with the time until which it holds. */
  renew(message: ServiceBusMessage): Promise<number>;
  close(): Promise<void>;
}

/** A message that is sent. */
export interface OutgoingServiceBusMessage {
  readonly messageId: string;
  readonly body: Uint8Array;
  readonly contentType: string;
}

/** What a look sees. */
export interface PeekedMessages {
  /** When each of those came that wait, locked ones included. */
  readonly waiting: readonly { readonly enqueuedMs: number }[];
  /** There are perhaps more behind them. */
  readonly isFull: boolean;
}

export interface ServiceBusService {
  /** Rejects when the namespace cannot be reached. */
  open(connection: NamespaceConnection, entity: ServiceBusEntity): Promise<ServiceBusReceiver>;
  /** The receiver of a session that nobody else has; undefined when none has messages for a while. */
  openSession(
    connection: NamespaceConnection,
    entity: ServiceBusEntity,
    signal: AbortSignal,
  ): Promise<ServiceBusReceiver | undefined>;
  /** Looks at the first messages that lie there, no more than `maximum`. Takes nothing. */
  peek(
    connection: NamespaceConnection,
    entity: ServiceBusEntity,
    maximum: number,
    signal: AbortSignal,
  ): Promise<PeekedMessages>;
  /** How many messages wait, locked ones included. Rejects where whoever connects may not manage the namespace. */
  count(connection: NamespaceConnection, entity: ServiceBusEntity, signal: AbortSignal): Promise<number>;
  /** To a queue or a topic. Resolves when all are safe. */
  send(connection: NamespaceConnection, entity: string, messages: readonly OutgoingServiceBusMessage[]): Promise<void>;
}
