/**
 * What a queue or a subscription of a Service Bus shaped broker keeps: messages with locks, waits, sessions and dead
 * letters. It knows nothing of links; the peer gives out what `take` locks.
 *
 * I1 A message is locked by at most one lock; when the lock ends it is ready again, or a dead letter after its last one.
 * I2 A scheduled message is given to nobody before its time.
 * I3 A session is held by one receiver at a time, and its messages are given to that one alone, in their order.
 */
import type { Clock, Random, Timer } from '@switchyard/kernel';
import type { Message } from 'rhea';

export interface AmqpQueueOptions {
  readonly lockMs: number;
  readonly maxDeliveryCount: number;
  readonly requiresSession: boolean;
}

/** A message in its queue. */
export interface QueuedMessage {
  /** Grows by one for each message of the queue. */
  readonly sequence: number;
  readonly message: Message;
  readonly enqueuedAtMs: number;
  /** 0 until it was given out once. */
  deliveryCount: number;
  dueMs: number;
  lock: { readonly token: string; untilMs: number } | undefined;
  readonly sessionId: string | undefined;
  /** Set aside by its receiver: given out by its sequence number alone. */
  isDeferred: boolean;
}

interface Session {
  owner: object | undefined;
  untilMs: number;
  state: Buffer | undefined;
}

/** How a receiver settled a message. */
export type AmqpOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'abandoned' | 'deferred'; readonly properties?: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'deadLettered';
      readonly reason: string | undefined;
      readonly description: string | undefined;
      readonly properties?: Readonly<Record<string, unknown>>;
    };

export class AmqpQueue {
  readonly name: string;
  readonly options: AmqpQueueOptions;
  readonly deadLetters: AmqpQueue | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #messages: QueuedMessage[] = [];
  readonly #sessions = new Map<string, Session>();
  readonly #observers = new Set<() => void>();
  #sequence = 0;
  #timer: Timer | undefined;

  constructor(deps: { readonly clock: Clock; readonly random: Random }, name: string, options: AmqpQueueOptions) {
    this.name = name;
    this.options = options;
    this.#clock = deps.clock;
    this.#random = deps.random;
    const isDeadLetterQueue = name.endsWith(deadLetterSuffix);
    // Dead letters have no sessions and never die again.
    const afterwards = { ...options, requiresSession: false, maxDeliveryCount: Number.POSITIVE_INFINITY };
    this.deadLetters = isDeadLetterQueue ? undefined : new AmqpQueue(deps, `${name}${deadLetterSuffix}`, afterwards);
  }

  get messages(): readonly QueuedMessage[] {
    return this.#messages;
  }

  /** Calls back whenever something may be ready. */
  watch(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  put(message: Message, dueMs = 0, deliveryCount = 0): number {
    this.#sequence += 1;
    const sessionId = this.options.requiresSession ? message.group_id : undefined;
    this.#messages.push({
      sequence: this.#sequence,
      message,
      enqueuedAtMs: Math.max(this.#clock.now(), dueMs),
      deliveryCount,
      dueMs,
      lock: undefined,
      sessionId,
      isDeferred: false,
    });
    this.#changed();
    return this.#sequence;
  }

  /** Locks the first message that is ready, of the session when the queue has some. */
  take(sessionId?: string): QueuedMessage | undefined {
    this.#reclaim();
    const nowMs = this.#clock.now();
    const found = this.#messages.find(
      ({ lock, dueMs, isDeferred, sessionId: own }) =>
        lock === undefined && !isDeferred && dueMs <= nowMs && own === sessionId,
    );
    if (found === undefined) return undefined;
    found.lock = { token: this.#random.uuid(), untilMs: nowMs + this.options.lockMs };
    this.#plan();
    return found;
  }

  /** False when the lock is lost. */
  settle(token: string, outcome: AmqpOutcome): boolean {
    this.#reclaim();
    const found = this.#messages.find(({ lock }) => lock?.token === token);
    if (found === undefined) return false;
    found.lock = undefined;
    if (outcome.kind === 'accepted') this.#remove(found);
    else if (outcome.kind === 'deadLettered') {
      modify(found.message, outcome.properties);
      this.#bury(found, outcome.reason, outcome.description);
    } else {
      modify(found.message, outcome.properties);
      found.deliveryCount += 1;
      if (outcome.kind === 'deferred') found.isDeferred = true;
      else this.#buryExhausted(found);
    }
    this.#changed();
    return true;
  }

  /** When the renewed lock ends, or undefined when it is lost. */
  renew(token: string): number | undefined {
    this.#reclaim();
    const found = this.#messages.find(({ lock }) => lock?.token === token);
    if (found?.lock === undefined) return undefined;
    found.lock.untilMs = this.#clock.now() + this.options.lockMs;
    return found.lock.untilMs;
  }

  /** Holds a session: the named one, or any that has messages and no holder. */
  acceptSession(owner: object, sessionId?: string): { sessionId: string; untilMs: number } | undefined {
    this.#reclaim();
    const nowMs = this.#clock.now();
    const isFree = (id: string): boolean => this.#sessions.get(id)?.owner === undefined;
    const ready = this.#messages.find(
      (each) => each.sessionId !== undefined && each.dueMs <= nowMs && isFree(each.sessionId),
    );
    const chosen = sessionId ?? ready?.sessionId;
    if (chosen === undefined || !isFree(chosen)) return undefined;
    const untilMs = nowMs + this.options.lockMs;
    this.#sessions.set(chosen, { owner, untilMs, state: this.#sessions.get(chosen)?.state });
    this.#plan();
    return { sessionId: chosen, untilMs };
  }

  /** When the renewed hold ends, or undefined when it is lost. */
  renewSession(sessionId: string): number | undefined {
    this.#reclaim();
    const session = this.#sessions.get(sessionId);
    if (session?.owner === undefined) return undefined;
    session.untilMs = this.#clock.now() + this.options.lockMs;
    for (const { lock, sessionId: own } of this.#messages)
      if (lock !== undefined && own === sessionId) lock.untilMs = session.untilMs;
    return session.untilMs;
  }

  holdsSession(owner: object, sessionId: string): boolean {
    this.#reclaim();
    return this.#sessions.get(sessionId)?.owner === owner;
  }

  releaseSession(owner: object, sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (session?.owner !== owner) return;
    session.owner = undefined;
    for (const each of this.#messages) if (each.sessionId === sessionId) each.lock = undefined;
    this.#changed();
  }

  sessionState(sessionId: string): Buffer | undefined {
    return this.#sessions.get(sessionId)?.state;
  }

  setSessionState(sessionId: string, state: Buffer | undefined): void {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) session.state = state;
  }

  /** Those from a sequence number on, whatever their state. */
  peek(fromSequence: number, count: number): readonly QueuedMessage[] {
    this.#reclaim();
    return this.#messages.filter(({ sequence }) => sequence >= fromSequence).slice(0, count);
  }

  /** Takes a scheduled message back; false when it is not there. */
  cancel(sequence: number): boolean {
    const found = this.#messages.find((each) => each.sequence === sequence && each.dueMs > this.#clock.now());
    if (found !== undefined) this.#remove(found);
    return found !== undefined;
  }

  close(): void {
    this.#timer?.cancel();
    this.deadLetters?.close();
  }

  #reclaim(): void {
    const nowMs = this.#clock.now();
    for (const [sessionId, session] of this.#sessions) {
      if (session.owner === undefined || session.untilMs > nowMs) continue;
      session.owner = undefined;
      // Nobody holds the messages of a session that nobody holds.
      for (const { lock, sessionId: own } of this.#messages)
        if (lock !== undefined && own === sessionId) lock.untilMs = Math.min(lock.untilMs, nowMs);
    }
    for (const each of [...this.#messages]) {
      if (each.lock === undefined || each.lock.untilMs > nowMs) continue;
      each.lock = undefined;
      each.deliveryCount += 1;
      this.#buryExhausted(each);
    }
  }

  #buryExhausted(message: QueuedMessage): void {
    if (message.deliveryCount < this.options.maxDeliveryCount) return;
    const description = `Message could not be consumed after ${this.options.maxDeliveryCount} delivery attempts.`;
    this.#bury(message, 'MaxDeliveryCountExceeded', description);
  }

  #bury(queued: QueuedMessage, reason: string | undefined, description: string | undefined): void {
    this.#remove(queued);
    if (this.deadLetters === undefined) return;
    const { message } = queued;
    const properties = {
      ...message.application_properties,
      ...(reason === undefined ? {} : { DeadLetterReason: reason }),
      ...(description === undefined ? {} : { DeadLetterErrorDescription: description }),
    };
    this.deadLetters.put({ ...message, application_properties: properties }, 0, queued.deliveryCount);
  }

  #remove(message: QueuedMessage): void {
    const at = this.#messages.indexOf(message);
    if (at >= 0) this.#messages.splice(at, 1);
  }

  #changed(): void {
    this.#plan();
    for (const observer of [...this.#observers]) observer();
  }

  /** Wakes the watchers when a wait or a lock ends. */
  #plan(): void {
    this.#timer?.cancel();
    const nowMs = this.#clock.now();
    const times = [
      ...this.#messages.map(({ lock, dueMs }) => lock?.untilMs ?? dueMs),
      ...[...this.#sessions.values()].filter(({ owner }) => owner !== undefined).map(({ untilMs }) => untilMs),
    ].filter((timeMs) => timeMs > nowMs);
    if (times.length === 0) return;
    this.#timer = this.#clock.schedule(Math.min(...times) - nowMs, () => {
      this.#reclaim();
      this.#changed();
    });
  }
}

/** What the address of a queue of dead letters ends with. */
export const deadLetterSuffix = '/$DeadLetterQueue';

function modify(message: Message, properties: Readonly<Record<string, unknown>> | undefined): void {
  if (properties === undefined) return;
  message.application_properties = { ...message.application_properties, ...properties };
}
