/** A message that a receiver of Service Bus holds. */
import type { ServiceBusReceivedMessage, ServiceBusReceiver, ServiceBusSender } from '@azure/service-bus';
import { backoffMs, type Clock, type Random } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { Delivery, FailedDelivery, FailureNote, RetryOutcome, Settlement, Subscription } from '../contract.ts';
import { appendFailure, busReasons, clipNote } from '../failure-history.ts';
import { isLockLost, toBusError } from './service-bus-error.ts';
import { messageProperties, type ReceivedEvent, toCopy } from './service-bus-message.ts';

export interface ServiceBusDeliveryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly receiver: ServiceBusReceiver;
  readonly sender: ServiceBusSender;
  /** Of an ordered subscription: holds the session until a time, then runs the last step and lets go. */
  readonly session?: {
    renew(): Promise<Date>;
    holdUntil(dueMs: number, then: () => Promise<void>): void;
    release(): Promise<void>;
  };
}

const givenBack: FailureNote = { reason: busReasons.abandoned, description: 'The receiver gave it back.' };

export class ServiceBusDelivery implements Delivery {
  readonly #deps: ServiceBusDeliveryDeps;
  readonly #spec: Subscription;
  readonly #message: ServiceBusReceivedMessage;
  readonly #event: ReceivedEvent;
  readonly envelope: EventEnvelope;
  readonly orderingKey?: string;
  readonly replayOf?: string;
  lockedUntilMs: number;
  #isSettled = false;

  constructor(
    deps: ServiceBusDeliveryDeps,
    spec: Subscription,
    message: ServiceBusReceivedMessage,
    event: ReceivedEvent,
    envelope: EventEnvelope,
  ) {
    this.#deps = deps;
    this.#spec = spec;
    this.#message = message;
    this.#event = event;
    this.envelope = envelope;
    if (event.orderingKey !== undefined) this.orderingKey = event.orderingKey;
    if (event.replayOf !== undefined) this.replayOf = event.replayOf;
    this.lockedUntilMs = message.lockedUntilUtc?.getTime() ?? deps.clock.now() + spec.lockMs;
  }

  get topic(): string {
    return this.#spec.topic;
  }

  get subscription(): string {
    return this.#spec.name;
  }

  get deliveryCount(): number {
    return this.#event.deliveryCount;
  }

  async renew(): Promise<Settlement> {
    const { receiver, session } = this.#deps;
    return this.#unlessLost(async () => {
      const until = await (session?.renew() ?? receiver.renewMessageLock(this.#message));
      this.lockedUntilMs = until.getTime();
    });
  }

  complete(): Promise<Settlement> {
    return this.#settle(() => this.#deps.receiver.completeMessage(this.#message));
  }

  async abandon(note: FailureNote = givenBack): Promise<Settlement> {
    if (this.#isLast) return this.deadLetter(note);
    const history = this.#historyWith(note, 'abandoned');
    return this.#settle(() => this.#deps.receiver.abandonMessage(this.#message, history));
  }

  async retry(note: FailureNote, { afterMs }: { readonly afterMs?: number } = {}): Promise<RetryOutcome> {
    const { clock, random } = this.#deps;
    if (this.#isLast) {
      const settlement = await this.deadLetter(note);
      return { kind: settlement === 'settled' ? 'deadLettered' : 'lockLost' };
    }
    // Nothing may be put back for a message that somebody else has by now.
    if ((await this.renew()) === 'lockLost') return { kind: 'lockLost' };
    const dueMs = clock.now() + (afterMs ?? backoffMs(this.#spec.backoff, this.deliveryCount - 1, random));
    const settlement = this.#deps.session === undefined ? await this.#reschedule(note, dueMs) : this.#hold(note, dueMs);
    return settlement === 'settled' ? { kind: 'scheduled', dueMs } : { kind: 'lockLost' };
  }

  deadLetter(note: FailureNote): Promise<Settlement> {
    const { reason, description } = clipNote(note);
    return this.#settle(() =>
      this.#deps.receiver.deadLetterMessage(this.#message, {
        deadLetterReason: reason,
        deadLetterErrorDescription: description,
        ...this.#historyWith(note, 'deadLettered'),
      }),
    );
  }

  get #isLast(): boolean {
    return this.deliveryCount >= this.#spec.maxDeliveries;
  }

  /**
   * A copy that is due later, then the end of this one. A crash in between leaves both; the copy has an id of its own, so
   * this one, failing again, makes no second copy.
   */
  #reschedule(note: FailureNote, dueMs: number): Promise<Settlement> {
    const { receiver, sender } = this.#deps;
    return this.#settle(async () => {
      await sender.sendMessages(
        toCopy({
          envelope: this.envelope,
          orderingKey: this.orderingKey,
          target: this.subscription,
          copyId: `${this.envelope.eventId}#${this.subscription}#${this.replayOf ?? ''}#${this.deliveryCount}`,
          attempts: this.deliveryCount,
          history: this.#failed(note, 'retried'),
          replayOf: this.replayOf,
          dueMs,
        }),
      );
      await receiver.completeMessage(this.#message);
    });
  }

  /** A copy would stand behind the later ones of its key; so the session is held, and given back when it is time. */
  #hold(note: FailureNote, dueMs: number): Settlement {
    if (this.#isSettled) return 'lockLost';
    this.#isSettled = true;
    const { receiver, session } = this.#deps;
    const history = this.#historyWith(note, 'retried');
    session?.holdUntil(dueMs, () => receiver.abandonMessage(this.#message, history));
    return 'settled';
  }

  #failed(note: FailureNote, outcome: FailedDelivery['outcome']): readonly FailedDelivery[] {
    const { deliveryCount } = this;
    return appendFailure(this.#event.history, { ...note, deliveryCount, atMs: this.#deps.clock.now(), outcome });
  }

  #historyWith(note: FailureNote, outcome: FailedDelivery['outcome']): Record<string, string> {
    return { [messageProperties.history]: JSON.stringify(this.#failed(note, outcome)) };
  }

  async #settle(settle: () => Promise<void>): Promise<Settlement> {
    const settlement = await this.#unlessLost(settle);
    this.#isSettled = true;
    await this.#deps.session?.release();
    return settlement;
  }

  async #unlessLost(work: () => Promise<void>): Promise<Settlement> {
    if (this.#isSettled) return 'lockLost';
    try {
      await work();
      return 'settled';
    } catch (thrown) {
      if (isLockLost(thrown)) return 'lockLost';
      throw toBusError(thrown);
    }
  }
}
