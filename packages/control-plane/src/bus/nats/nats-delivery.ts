/** An event that a receiver holds on NATS. */
import type { JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { backoffMs, type Clock, messageOf, type Random } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { Delivery, FailedDelivery, FailureNote, RetryOutcome, Settlement, Subscription } from '../contract.ts';
import { busErrors } from '../errors.ts';
import { appendFailure, busReasons } from '../failure-history.ts';
import { buryOnNats } from './nats-dead-letter.ts';
import type { DeliveryRecord, NatsHistory } from './nats-history.ts';
import { historySubject } from './nats-names.ts';
import { acknowledge, type PulledMessage } from './nats-pull.ts';

export interface NatsDeliveryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly history: NatsHistory;
}

const givenBack: FailureNote = { reason: busReasons.abandoned, description: 'The receiver gave it back.' };

/** What an event is when it is given out. */
export interface NatsEvent {
  readonly envelope: EventEnvelope;
  readonly orderingKey: string | undefined;
  readonly replayOf: string | undefined;
  /** Without those that were none. */
  readonly deliveryCount: number;
  readonly record: DeliveryRecord;
  /** When the pull was asked for: the server's lock begins later, so ours never ends after it. */
  readonly askedAtMs: number;
}

export class NatsDelivery implements Delivery {
  readonly #deps: NatsDeliveryDeps;
  readonly #spec: Subscription;
  readonly #message: PulledMessage;
  readonly #event: NatsEvent;
  readonly orderingKey?: string;
  readonly replayOf?: string;
  lockedUntilMs: number;
  #isSettled = false;

  constructor(deps: NatsDeliveryDeps, spec: Subscription, message: PulledMessage, event: NatsEvent) {
    this.#deps = deps;
    this.#spec = spec;
    this.#message = message;
    this.#event = event;
    if (event.orderingKey !== undefined) this.orderingKey = event.orderingKey;
    if (event.replayOf !== undefined) this.replayOf = event.replayOf;
    this.lockedUntilMs = event.askedAtMs + spec.lockMs;
  }

  get topic(): string {
    return this.#spec.topic;
  }

  get subscription(): string {
    return this.#spec.name;
  }

  get envelope(): EventEnvelope {
    return this.#event.envelope;
  }

  get deliveryCount(): number {
    return this.#event.deliveryCount;
  }

  renew(): Promise<Settlement> {
    return this.#whileHeld(async () => {
      const askedAtMs = this.#deps.clock.now();
      await acknowledge(this.#deps.connection, this.#message.reply, { kind: 'working' });
      this.lockedUntilMs = askedAtMs + this.#spec.lockMs;
    });
  }

  complete(): Promise<Settlement> {
    return this.#settle(async () => {
      await acknowledge(this.#deps.connection, this.#message.reply, { kind: 'done' });
      if (this.deliveryCount > 1) await this.#deps.history.forget(this.#subject);
    });
  }

  async abandon(note: FailureNote = givenBack): Promise<Settlement> {
    if (this.#isLast) return this.deadLetter(note);
    return this.#settle(async () => {
      await this.#note(note, 'abandoned');
      await acknowledge(this.#deps.connection, this.#message.reply, { kind: 'again' });
    });
  }

  async retry(note: FailureNote, { afterMs }: { readonly afterMs?: number } = {}): Promise<RetryOutcome> {
    if (this.#isLast) {
      const settlement = await this.deadLetter(note);
      return { kind: settlement === 'settled' ? 'deadLettered' : 'lockLost' };
    }
    const { clock, connection, random } = this.#deps;
    const delayMs = Math.round(afterMs ?? backoffMs(this.#spec.backoff, this.deliveryCount - 1, random));
    let dueMs = 0;
    const settlement = await this.#settle(async () => {
      await this.#note(note, 'retried');
      dueMs = clock.now() + delayMs;
      await acknowledge(connection, this.#message.reply, { kind: 'later', delayMs });
    });
    return settlement === 'settled' ? { kind: 'scheduled', dueMs } : { kind: 'lockLost' };
  }

  deadLetter(note: FailureNote): Promise<Settlement> {
    return this.#settle(async () => {
      await buryOnNats(this.#deps.client, this.#spec, this.#message.sequence, {
        body: new TextDecoder().decode(this.#message.data),
        orderingKey: this.orderingKey,
        history: this.#failed(note, 'deadLettered'),
      });
      await acknowledge(this.#deps.connection, this.#message.reply, { kind: 'done' });
      await this.#deps.history.forget(this.#subject);
    });
  }

  get #isLast(): boolean {
    return this.deliveryCount >= this.#spec.maxDeliveries;
  }

  get #subject(): string {
    return historySubject(this.topic, this.subscription, this.#message.sequence);
  }

  #failed(note: FailureNote, outcome: FailedDelivery['outcome']): readonly FailedDelivery[] {
    const { deliveryCount } = this;
    const failure = { ...note, deliveryCount, atMs: this.#deps.clock.now(), outcome };
    return appendFailure(this.#event.record.failures, failure);
  }

  #note(note: FailureNote, outcome: FailedDelivery['outcome']): Promise<void> {
    const { postponed } = this.#event.record;
    return this.#deps.history.write(this.#subject, { failures: this.#failed(note, outcome), postponed });
  }

  async #settle(work: () => Promise<void>): Promise<Settlement> {
    const settlement = await this.#whileHeld(work);
    this.#isSettled = true;
    return settlement;
  }

  /** The server takes any acknowledgement of a message, so a late one is held back here. */
  async #whileHeld(work: () => Promise<void>): Promise<Settlement> {
    if (this.#isSettled || this.#deps.clock.now() >= this.lockedUntilMs) return 'lockLost';
    try {
      await work();
      return 'settled';
    } catch (thrown) {
      throw busErrors.create('BUS_UNAVAILABLE', { where: 'on NATS', reason: messageOf(thrown) }, thrown);
    }
  }
}
