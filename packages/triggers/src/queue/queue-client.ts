/**
 * The operations on a storage queue that triggers and outputs need. The adapter of the storage library and the queues in
 * memory pass one contract suite.
 *
 * What a queue may well answer is a return value; a call rejects only when the service did not do its part, and then
 * with a PlatformError whose message holds no key and no signature.
 */
import type { StorageConnection } from '../storage/storage-connection.ts';

/** Proof that a message is ours for now. Every change of its visibility gives a new one. */
export interface MessageReceipt {
  readonly id: string;
  readonly popReceipt: string;
}

/** A message as it lies in the queue; times in milliseconds since the Unix epoch. */
export interface QueueMessage extends MessageReceipt {
  /** The text on the wire, still encoded. */
  readonly text: string;
  /** How often it was received, this time included. */
  readonly dequeueCount: number;
  readonly insertedMs: number;
  readonly expiresMs: number;
  readonly nextVisibleMs: number;
}

export type ReceiveResult =
  | { readonly kind: 'messages'; readonly messages: readonly QueueMessage[] }
  /** There is no such queue. */
  | { readonly kind: 'missing' };

/** `gone`: deleted, or somebody else's by now, or the queue is no more. */
export type ChangeResult = { readonly kind: 'changed'; readonly receipt: MessageReceipt } | { readonly kind: 'gone' };

export type QueueMeasure =
  | {
      readonly kind: 'measured';
      /** 0 when nobody would receive anything now; else about how many there are, those that are hidden included. */
      readonly messageCount: number;
      /** Age of the oldest message that could be received. */
      readonly oldestMs: number | undefined;
    }
  | { readonly kind: 'missing' };

/** One queue. */
export interface QueueClient {
  readonly name: string;
  /** Looks how much waits, and takes nothing. */
  measure(signal: AbortSignal): Promise<QueueMeasure>;
  /** Takes up to `count` messages (at most 32), which nobody else sees for `visibilityMs`. */
  receive(count: number, visibilityMs: number, signal: AbortSignal): Promise<ReceiveResult>;
  /** Lets the message reappear after `visibilityMs` from now; 0 is at once. */
  setVisibility(receipt: MessageReceipt, visibilityMs: number, signal: AbortSignal): Promise<ChangeResult>;
  delete(receipt: MessageReceipt, signal: AbortSignal): Promise<'deleted' | 'gone'>;
  send(text: string, signal: AbortSignal): Promise<'sent' | 'missing'>;
  /** Creates the queue; one that exists already is fine. */
  create(signal: AbortSignal): Promise<void>;
}

/** Opens queues. Opening is cheap and does no I/O. */
export interface QueueService {
  open(connection: StorageConnection, queueName: string): QueueClient;
}
