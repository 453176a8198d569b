/**
 * Takes the events of one subscription on NATS.
 *
 * Ownership: the bus makes it and closes it with itself.
 */
import { createDeferred, type Deferred, messageOf } from '@switchyard/kernel';
import { decodeEventEnvelope } from '@switchyard/protocol';
import type { Delivery, FailedDelivery, ReceiveOptions, Receiver, Subscription } from '../contract.ts';
import { busErrors } from '../errors.ts';
import { passesFilter } from '../event-filter.ts';
import { appendFailure, busReasons, withLostLocks } from '../failure-history.ts';
import { busLimits } from '../limits.ts';
import { buryOnNats } from './nats-dead-letter.ts';
import { NatsDelivery, type NatsDeliveryDeps } from './nats-delivery.ts';
import type { DeliveryRecord } from './nats-history.ts';
import { allSubjectsOf, type ConsumerName, consumersOf, historySubject, streamOf, targetOf } from './nats-names.ts';
import { acknowledge, type PulledMessage, pullOne } from './nats-pull.ts';

/** Headers of ours. */
export const natsHeaders = {
  orderingKey: 'Sy-Ordering-Key',
  notBefore: 'Sy-Not-Before',
  replayOf: 'Sy-Replay-Of',
  /** The one subscription that a copy is for. */
  target: 'Sy-Target',
} as const;

export interface NatsReceiverDeps extends NatsDeliveryDeps {
  /** The subscription as it is now, or undefined. */
  specOf(): Subscription | undefined;
}

/** How often to look for what nobody announces: waits and locks that ended. */
const pollMs = 100;

/** Pulls that are asked for at once. */
const pullsAtOnce = 32;

export class NatsReceiver implements Receiver {
  readonly #deps: NatsReceiverDeps;
  readonly #topic: string;
  readonly #name: string;
  readonly #closed: Deferred<void> = createDeferred();
  #isOpen = true;
  /** Where the next look begins, so that no partition is served before the others each time. */
  #turn = 0;

  constructor(deps: NatsReceiverDeps, topic: string, name: string) {
    this.#deps = deps;
    this.#topic = topic;
    this.#name = name;
  }

  async receive({ max, waitMs, signal }: ReceiveOptions): Promise<readonly Delivery[]> {
    const { clock, connection } = this.#deps;
    const endMs = clock.monotonic() + waitMs;
    const limit = Math.max(1, Math.min(max, busLimits.receiveBatch));
    let woken = createDeferred<void>();
    // Publications are heard as they pass; the look that follows finds them in the stream.
    const heard = connection.subscribe(allSubjectsOf(this.#topic), { callback: () => woken.resolve() });
    try {
      while (this.#isOpen && signal?.aborted !== true) {
        woken = createDeferred<void>();
        const deliveries = await this.#take(limit);
        if (deliveries.length > 0) return deliveries;
        const leftMs = endMs - clock.monotonic();
        if (leftMs <= 0) break;
        await this.#pause(Math.min(leftMs, pollMs), woken, signal);
      }
      return [];
    } catch (thrown) {
      throw toNatsError(thrown);
    } finally {
      if (!connection.isClosed()) heard.unsubscribe();
    }
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#closed.resolve();
  }

  async #take(max: number): Promise<readonly Delivery[]> {
    const spec = this.#deps.specOf();
    if (spec === undefined) throw this.#unknown();
    const consumers = consumersOf(spec);
    this.#turn += 1;
    const deliveries: Delivery[] = [];
    for (let index = 0; index < consumers.length && deliveries.length < max && this.#isOpen; index += 1) {
      const consumer = consumers[(index + this.#turn) % consumers.length];
      if (consumer === undefined) continue;
      const many = consumer.isSerial ? 1 : Math.min(pullsAtOnce, max - deliveries.length);
      deliveries.push(...(await this.#pull(spec, consumer, many)));
    }
    return deliveries;
  }

  /** Asks until something is for this subscription, or nothing is left. */
  async #pull(spec: Subscription, { name, isSerial }: ConsumerName, many: number): Promise<readonly Delivery[]> {
    const { clock, connection } = this.#deps;
    for (;;) {
      const askedAtMs = clock.now();
      const first = await pullOne(connection, streamOf(spec.topic), name, isSerial);
      if (first === 'unknown') throw this.#unknown();
      if (first === undefined) return [];
      const pulls = Array.from({ length: many - 1 }, () => pullOne(connection, streamOf(spec.topic), name));
      const rest = (await Promise.all(pulls)).filter((each) => each !== undefined && each !== 'unknown');
      const found = await Promise.all([first, ...rest].map((message) => this.#toDelivery(spec, message, askedAtMs)));
      const deliveries = found.filter((each) => each !== undefined);
      if (deliveries.length > 0) return deliveries;
    }
  }

  /** Undefined for what is not for this subscription, not due, no envelope, or was delivered too often. */
  async #toDelivery(spec: Subscription, message: PulledMessage, askedAtMs: number): Promise<Delivery | undefined> {
    const { clock, connection, history } = this.#deps;
    const target = message.headers.get(natsHeaders.target);
    const text = new TextDecoder().decode(message.data);
    const parsing = decodeEventEnvelope(text);
    const isOurs = target === undefined || target === targetOf(spec.name);
    if (!isOurs || (parsing.kind === 'envelope' && !passesFilter(spec.filter, parsing.envelope))) {
      await acknowledge(connection, message.reply, { kind: 'done' });
      return undefined;
    }
    const subject = historySubject(spec.topic, spec.name, message.sequence);
    // Nothing can have been written of an event that is given out for the first time.
    const record: DeliveryRecord = message.delivered > 1 ? await history.read(subject) : { failures: [], postponed: 0 };
    const notBeforeMs = Number(message.headers.get(natsHeaders.notBefore) ?? 0);
    if (notBeforeMs > clock.now()) {
      await history.write(subject, { ...record, postponed: record.postponed + 1 });
      await acknowledge(connection, message.reply, { kind: 'later', delayMs: notBeforeMs - clock.now() });
      return undefined;
    }
    const deliveryCount = message.delivered - record.postponed;
    const failures = withLostLocks(record.failures, deliveryCount, clock.now());
    const key = message.headers.get(natsHeaders.orderingKey);
    const orderingKey = key === undefined ? undefined : decodeURIComponent(key);
    const isExhausted = deliveryCount > spec.maxDeliveries;
    if (parsing.kind === 'invalid' || isExhausted) {
      const last: FailedDelivery = {
        deliveryCount: Math.min(deliveryCount, spec.maxDeliveries),
        atMs: clock.now(),
        outcome: 'deadLettered',
        reason: isExhausted ? busReasons.lockExpired : busReasons.schemaInvalid,
        description: parsing.kind === 'invalid' ? parsing.message : 'The lock of the last delivery ended unsettled.',
      };
      const earlier = failures.filter((failure) => failure.deliveryCount < last.deliveryCount);
      const buried = { body: text, orderingKey, history: appendFailure(earlier, last) };
      await buryOnNats(this.#deps.client, spec, message.sequence, buried);
      await acknowledge(connection, message.reply, { kind: 'done' });
      return undefined;
    }
    return new NatsDelivery(this.#deps, spec, message, {
      envelope: parsing.envelope,
      orderingKey,
      replayOf: message.headers.get(natsHeaders.replayOf),
      deliveryCount,
      record: { ...record, failures },
      askedAtMs,
    });
  }

  async #pause(waitMs: number, woken: Deferred<void>, signal: AbortSignal | undefined): Promise<void> {
    const onAbort = (): void => woken.resolve();
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = this.#deps.clock.schedule(waitMs, onAbort);
    await Promise.race([woken.promise, this.#closed.promise]);
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }

  #unknown(): Error {
    return busErrors.create('BUS_SUBSCRIPTION_UNKNOWN', { topic: this.#topic, subscription: this.#name });
  }
}

/** A failure of the connection as the platform's error. */
export function toNatsError(thrown: unknown): Error {
  if (thrown instanceof Error && thrown.name === 'PlatformError') return thrown;
  return busErrors.create('BUS_UNAVAILABLE', { where: 'on NATS', reason: messageOf(thrown) }, thrown);
}
