/**
 * The event bus as a port: topics that fan out to filtered subscriptions, each with locks, retries, order by key and
 * dead letters. The adapters are `sqlite`, `service-bus` and `nats`; one contract suite (testing/bus-contract.ts) runs on
 * all. Delivery is at least once: whoever handles an event writes its id into the inbox of the store together with what
 * it changes.
 *
 * What every adapter keeps (the suite's tests name them B1...):
 *
 * B1 A published event reaches every subscription whose filter it passes, once per lock, until it is settled.
 * B2 The same eventId published again within the topic's duplicate window reaches nobody.
 * B3 A lock that ends unsettled, an abandon and a retry deliver again, with a higher `deliveryCount`.
 * B4 A settlement after the lock was lost changes nothing and says so.
 * B5 An event that used up its deliveries, or was refused, is a dead letter: the whole envelope, the reason, the history.
 * B6 On an ordered subscription at most one event of a key is out, and a later one waits until the earlier is settled,
 *    its retries included. Others may go on.
 * B7 A replayed dead letter is delivered again to its subscription alone, with the same eventId, its inbox row cleared,
 *    also within the duplicate window.
 */
import type { BackoffOptions } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';

/** Which events a subscription gets. The lists are joined by "and", their entries by "or"; a list left out lets all pass. */
export interface EventFilter {
  readonly eventTypes?: readonly string[];
  readonly tenantIds?: readonly string[];
  readonly environmentIds?: readonly string[];
}

/** A subscription and how it delivers. */
export interface SubscriptionSpec {
  readonly topic: string;
  /** Unique within the topic: letters, digits and `-`, at most 50. */
  readonly name: string;
  readonly filter?: EventFilter;
  /** B6. Events without an ordering key are never held back. */
  readonly ordered?: boolean;
  /** How often an event is delivered before it is a dead letter. */
  readonly maxDeliveries?: number;
  readonly lockMs?: number;
  /** The waits of `retry`. */
  readonly backoff?: BackoffOptions;
}

/** A subscription with everything decided; see `resolveSubscription`. */
export type Subscription = Required<SubscriptionSpec>;

/** An event on its way to a topic. */
export interface Publication {
  readonly envelope: EventEnvelope;
  /** Events with the same key keep their order on ordered subscriptions. */
  readonly orderingKey?: string;
  /** Milliseconds since the epoch; before it nobody gets the event. */
  readonly notBeforeMs?: number;
}

/**
 * `accepted`: durable, and every subscription will get it. `duplicate`: it was accepted before. An engine that drops
 * duplicates silently says `accepted` of both.
 */
export type PublishOutcome = 'accepted' | 'duplicate';

/** `lockLost`: another delivery has the event by now, or it is settled; nothing changed. */
export type Settlement = 'settled' | 'lockLost';

/** What became of a retry. */
export type RetryOutcome =
  | { readonly kind: 'scheduled'; readonly dueMs: number }
  | { readonly kind: 'deadLettered' }
  | { readonly kind: 'lockLost' };

/** Why an event was put off or refused. */
export interface FailureNote {
  /** A code in upper case, for example TENANT_MISMATCH. */
  readonly reason: string;
  /** A sentence for people. Never a secret. */
  readonly description: string;
}

/** An event that a receiver holds under a lock. Settle it once. */
export interface Delivery {
  readonly topic: string;
  readonly subscription: string;
  readonly envelope: EventEnvelope;
  readonly orderingKey?: string;
  /** From 1. */
  readonly deliveryCount: number;
  /** The dead letter that this event was, when it is replayed. */
  readonly replayOf?: string;
  /** When the lock ends, as far as this process knows. `renew` moves it. */
  readonly lockedUntilMs: number;
  /** Holds the event for another `lockMs`. */
  renew(): Promise<Settlement>;
  /** Done: the event leaves the subscription. */
  complete(): Promise<Settlement>;
  /** Gives the event back at once, for this or another receiver. */
  abandon(note?: FailureNote): Promise<Settlement>;
  /** Gives it back after the back-off, or after `afterMs` (a Retry-After); the last delivery makes it a dead letter. */
  retry(note: FailureNote, options?: { readonly afterMs?: number }): Promise<RetryOutcome>;
  /** Makes it a dead letter now. */
  deadLetter(note: FailureNote): Promise<Settlement>;
}

export interface ReceiveOptions {
  /** At most so many, from 1 to `busLimits.receiveBatch`. */
  readonly max: number;
  /** How long to wait for the first; 0 asks once. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

/** One taker of a subscription's events. Several may take from the same subscription, in any number of processes. */
export interface Receiver {
  /** What is there, oldest first; empty when the wait is over, the signal fired or the receiver closed. */
  receive(options: ReceiveOptions): Promise<readonly Delivery[]>;
  /** Ends waiting receives. What is held stays held until its locks end. */
  close(): Promise<void>;
}

/** One delivery that failed. */
export interface FailedDelivery extends FailureNote {
  /** From 1. */
  readonly deliveryCount: number;
  readonly atMs: number;
  readonly outcome: 'retried' | 'abandoned' | 'lockExpired' | 'deadLettered';
}

/** An event that a subscription gave up on. */
export interface DeadLetter extends FailureNote {
  readonly deadLetterId: string;
  readonly topic: string;
  readonly subscription: string;
  /** Undefined when what came was no envelope; then `body` is all there is. */
  readonly envelope: EventEnvelope | undefined;
  /** What came, when it was no envelope. */
  readonly body?: string;
  readonly orderingKey?: string;
  readonly deliveryCount: number;
  readonly deadLetteredAtMs: number;
  /** Oldest first, at most `busLimits.history`; the last one is why it is here. */
  readonly history: readonly FailedDelivery[];
}

export interface DeadLetterQuery {
  readonly topic?: string;
  readonly subscription?: string;
  readonly tenantId?: string;
  readonly eventType?: string;
  readonly reason?: string;
  readonly correlationId?: string;
}

export interface DeadLetterPage {
  /** Oldest first. */
  readonly items: readonly DeadLetter[];
  /** Hand it to `list` for the next page; undefined at the end. */
  readonly next?: string;
}

/** What became of a replay. */
export type ReplayOutcome =
  | { readonly kind: 'replayed'; readonly eventId: string }
  /** There is no such dead letter (any more). */
  | { readonly kind: 'unknown' }
  /** It was no envelope, so nobody could read it again either. */
  | { readonly kind: 'unreadable' };

/** The dead letters of all subscriptions. They stay until somebody replays or removes them. */
export interface DeadLetters {
  list(query?: DeadLetterQuery, page?: { readonly after?: string; readonly limit?: number }): Promise<DeadLetterPage>;
  get(deadLetterId: string): Promise<DeadLetter | undefined>;
  /** How many there are. */
  count(query?: DeadLetterQuery): Promise<number>;
  /** B7. */
  replay(deadLetterId: string): Promise<ReplayOutcome>;
  /** Replays all that match and were dead letters when it began; answers how many. */
  replayAll(query?: DeadLetterQuery): Promise<number>;
  /** False when there is no such dead letter. */
  remove(deadLetterId: string): Promise<boolean>;
}

/** How much a subscription holds. */
export interface SubscriptionDepth {
  readonly topic: string;
  readonly subscription: string;
  /** Ready, waiting and locked together. */
  readonly queued: number;
  readonly deadLetters: number;
}

/** What replay clears, so that the handler does not take the event for one it had. */
export interface InboxEraser {
  forget(subscription: string, eventIds: readonly string[]): Promise<void>;
}

export interface Bus {
  /** Makes the topic and the subscription, or changes the subscription to this. What is queued stays. */
  ensureSubscription(spec: SubscriptionSpec): Promise<void>;
  /** Removes a subscription with what it holds, its dead letters included; nothing when there is none. */
  removeSubscription(topic: string, name: string): Promise<void>;
  /**
   * Takes the events, in this order; all or, when it throws, an unknown part of them: publish again, the window drops
   * what was taken. A topic without subscriptions takes events too, and nobody gets them.
   * @throws PlatformError BUS_FULL, BUS_EVENT_TOO_LARGE, BUS_INPUT_INVALID, BUS_UNAVAILABLE, BUS_CLOSED; of the
   *   embedded bus also STORE_FILE_DAMAGED, STORE_UNAVAILABLE
   */
  publish(topic: string, publications: readonly Publication[]): Promise<readonly PublishOutcome[]>;
  /** @throws PlatformError BUS_SUBSCRIPTION_UNKNOWN when `receive` finds none */
  openReceiver(topic: string, name: string): Receiver;
  readonly deadLetters: DeadLetters;
  depths(): Promise<readonly SubscriptionDepth[]>;
  /** Closes receivers and connections. Nothing that was accepted is lost. */
  close(): Promise<void>;
}

/** What a handler makes of an event. Throwing is `retry` with the reason HANDLER_FAILED. */
export type HandlerVerdict =
  | { readonly kind: 'done' }
  | ({ readonly kind: 'retry'; readonly afterMs?: number } & FailureNote)
  | ({ readonly kind: 'refuse' } & FailureNote);

/** Handles one event. `signal` fires when the lock is lost or the consumer stops: what it does then nobody may see. */
export type EventHandler = (delivery: Delivery, signal: AbortSignal) => Promise<HandlerVerdict>;

/** A consumer's loop; see `createConsumer`. */
export interface Consumer {
  /** Takes no more, waits for what runs at most `deadlineMs`, then gives the rest back. */
  stop(deadlineMs: number): Promise<void>;
}
