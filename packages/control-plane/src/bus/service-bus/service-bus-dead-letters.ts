/**
 * The dead letters of the subscriptions that this process has, in their `$DeadLetterQueue`s. The broker tells them by
 * sequence numbers and gives them out in its own order, so one of them is taken by locking until it comes, and the others
 * go back.
 */
import type {
  ServiceBusClient,
  ServiceBusReceivedMessage,
  ServiceBusReceiver,
  ServiceBusSender,
} from '@azure/service-bus';
import type { Clock } from '@switchyard/kernel';
import type {
  DeadLetter,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetters,
  InboxEraser,
  ReplayOutcome,
  Subscription,
} from '../contract.ts';
import { matchesDeadLetter } from '../dead-letter-query.ts';
import { busReasons } from '../failure-history.ts';
import { busLimits } from '../limits.ts';
import { toBusError } from './service-bus-error.ts';
import { readMessage, toCopy } from './service-bus-message.ts';

export interface ServiceBusDeadLettersDeps {
  readonly clock: Clock;
  readonly client: ServiceBusClient;
  readonly inbox: InboxEraser;
  /** In the order of their names. */
  subscriptions(): readonly Subscription[];
  senderOf(topic: string): ServiceBusSender;
}

/** Messages of one look. */
const peekBatch = 100;

/** How long a look waits before it believes that there are no more. */
const lookMs = 1_000;

interface Place {
  readonly topic: string;
  readonly name: string;
  readonly sequence: number;
}

export class ServiceBusDeadLetters implements DeadLetters {
  readonly #deps: ServiceBusDeadLettersDeps;

  constructor(deps: ServiceBusDeadLettersDeps) {
    this.#deps = deps;
  }

  async list(
    query: DeadLetterQuery = {},
    { after, limit = 100 }: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<DeadLetterPage> {
    const most = Math.max(1, Math.min(limit, busLimits.deadLetterPage));
    const items: DeadLetter[] = [];
    for await (const letter of this.#walk(query, after === undefined ? undefined : toPlace(after))) {
      const last = items.at(-1);
      if (items.length === most && last !== undefined) return { items, next: last.deadLetterId };
      items.push(letter);
    }
    return { items };
  }

  async get(deadLetterId: string): Promise<DeadLetter | undefined> {
    const place = toPlace(deadLetterId);
    const spec = this.#specOf(place);
    if (place === undefined || spec === undefined) return undefined;
    for await (const letter of this.#walkOne(spec, place.sequence))
      return letter.deadLetterId === deadLetterId ? letter : undefined;
    return undefined;
  }

  async count(query: DeadLetterQuery = {}): Promise<number> {
    let count = 0;
    for await (const _ of this.#walk(query, undefined)) count += 1;
    return count;
  }

  async replay(deadLetterId: string): Promise<ReplayOutcome> {
    const letter = await this.get(deadLetterId);
    if (letter === undefined) return { kind: 'unknown' };
    if (letter.envelope === undefined) return { kind: 'unreadable' };
    const moved = await this.#takeOut([letter], (message) => this.#resend(letter, message));
    return moved === 0 ? { kind: 'unknown' } : { kind: 'replayed', eventId: letter.envelope.eventId };
  }

  async replayAll(query: DeadLetterQuery = {}): Promise<number> {
    const letters = new Map<string, DeadLetter>();
    for await (const letter of this.#walk(query, undefined))
      if (letter.envelope !== undefined) letters.set(letter.deadLetterId, letter);
    return this.#takeOut([...letters.values()], async (message, deadLetterId) => {
      const letter = letters.get(deadLetterId);
      if (letter !== undefined) await this.#resend(letter, message);
    });
  }

  async remove(deadLetterId: string): Promise<boolean> {
    const letter = await this.get(deadLetterId);
    if (letter === undefined) return false;
    return (await this.#takeOut([letter], async () => {})) > 0;
  }

  /** The inbox first: a crash after it leaves a dead letter that can be replayed again, never one that nobody handles. */
  async #resend(
    { deadLetterId, topic, subscription, envelope, orderingKey }: DeadLetter,
    message: Message,
  ): Promise<void> {
    if (envelope === undefined) return;
    await this.#deps.inbox.forget(subscription, [envelope.eventId]);
    const copy = toCopy({
      envelope,
      orderingKey,
      target: subscription,
      // The same dead letter, sent again after a crash, is a duplicate; its next death has another number.
      copyId: `${envelope.eventId}#${subscription}#replay#${String(message.sequenceNumber)}`,
      attempts: 0,
      history: [],
      replayOf: deadLetterId,
      dueMs: undefined,
    });
    await this.#deps.senderOf(topic).sendMessages(copy);
  }

  /** Locks until all of the letters came, works on each and takes it out; the others go back. */
  async #takeOut(
    letters: readonly DeadLetter[],
    work: (message: Message, deadLetterId: string) => Promise<void>,
  ): Promise<number> {
    let done = 0;
    for (const spec of this.#deps.subscriptions()) {
      const wanted = new Set(letters.filter((letter) => isOf(letter, spec)).map(({ deadLetterId }) => deadLetterId));
      if (wanted.size === 0) continue;
      await this.#withReceiver(spec, async (receiver) => {
        const others: Message[] = [];
        while (wanted.size > 0) {
          const messages = await receiver.receiveMessages(peekBatch, { maxWaitTimeInMs: lookMs });
          if (messages.length === 0) break;
          for (const message of messages) {
            const deadLetterId = toId(spec, message);
            if (!wanted.delete(deadLetterId)) {
              others.push(message);
              continue;
            }
            await work(message, deadLetterId);
            await receiver.completeMessage(message);
            done += 1;
          }
        }
        for (const message of others) await receiver.abandonMessage(message);
      });
    }
    return done;
  }

  async *#walk(query: DeadLetterQuery, after: Place | undefined): AsyncGenerator<DeadLetter> {
    for (const spec of this.#deps.subscriptions()) {
      if (after !== undefined && compare(spec, after) < 0) continue;
      const isSame = after !== undefined && compare(spec, after) === 0;
      const from = isSame ? after.sequence + 1 : 0;
      for await (const letter of this.#walkOne(spec, from)) if (matchesDeadLetter(query, letter)) yield letter;
    }
  }

  async *#walkOne(spec: Subscription, from: number): AsyncGenerator<DeadLetter> {
    const receiver = this.#open(spec);
    try {
      let next = from;
      for (;;) {
        const messages = await receiver.peekMessages(peekBatch, { fromSequenceNumber: toLong(next) });
        if (messages.length === 0) return;
        for (const message of messages) yield toDeadLetter(spec, message, this.#deps.clock.now());
        next = Number(messages.at(-1)?.sequenceNumber ?? next) + 1;
      }
    } catch (thrown) {
      throw toBusError(thrown);
    } finally {
      await receiver.close();
    }
  }

  async #withReceiver(spec: Subscription, work: (receiver: ServiceBusReceiver) => Promise<void>): Promise<void> {
    const receiver = this.#open(spec);
    try {
      await work(receiver);
    } catch (thrown) {
      throw toBusError(thrown);
    } finally {
      await receiver.close();
    }
  }

  #open({ topic, name }: Subscription): ServiceBusReceiver {
    return this.#deps.client.createReceiver(topic, name, {
      subQueueType: 'deadLetter',
      receiveMode: 'peekLock',
      maxAutoLockRenewalDurationInMs: 300_000,
    });
  }

  #specOf(place: Place | undefined): Subscription | undefined {
    if (place === undefined) return undefined;
    return this.#deps.subscriptions().find((spec) => compare(spec, place) === 0);
  }
}

type Message = ServiceBusReceivedMessage;

/** A number as the client takes it: what it uses of the class of the package `long`, which is none of ours. */
function toLong(value: number): SequenceNumber {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return { __isLong__: true, toBytesBE: () => [...bytes] } as unknown as SequenceNumber;
}

type SequenceNumber = NonNullable<Message['sequenceNumber']>;

function toPlace(deadLetterId: string): Place | undefined {
  const [, topic, name, digits] = /^([^/]+)\/([^/]+)\/(\d{1,15})$/.exec(deadLetterId) ?? [];
  return topic === undefined || name === undefined ? undefined : { topic, name, sequence: Number(digits) };
}

function toId({ topic, name }: Subscription, { sequenceNumber }: Message): string {
  return `${topic}/${name}/${String(sequenceNumber)}`;
}

function isOf({ topic, subscription }: DeadLetter, spec: Subscription): boolean {
  return topic === spec.topic && subscription === spec.name;
}

function compare(left: Pick<Place, 'topic' | 'name'>, right: Pick<Place, 'topic' | 'name'>): number {
  const [one, other] = [`${left.topic}/${left.name}`, `${right.topic}/${right.name}`];
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** What Service Bus itself says of a message whose last lock ended. */
const exhausted = 'MaxDeliveryCountExceeded';

function toDeadLetter(spec: Subscription, message: Message, nowMs: number): DeadLetter {
  const event = readMessage(message, nowMs);
  const isExhausted = message.deadLetterReason === exhausted;
  const reason = isExhausted ? busReasons.lockExpired : (message.deadLetterReason ?? busReasons.abandoned);
  const description = message.deadLetterErrorDescription ?? '';
  // Nobody holds it, so the delivery that a receiver would make of it is not one yet.
  const deliveryCount = Math.max(1, event.history.at(-1)?.deliveryCount ?? event.deliveryCount - 1);
  const history = event.history;
  const envelope = event.parsing.kind === 'envelope' ? event.parsing.envelope : undefined;
  return {
    deadLetterId: toId(spec, message),
    topic: spec.topic,
    subscription: spec.name,
    envelope,
    ...(envelope === undefined ? { body: JSON.stringify(message.body) } : {}),
    ...(event.orderingKey === undefined ? {} : { orderingKey: event.orderingKey }),
    reason,
    description,
    deliveryCount,
    deadLetteredAtMs: history.at(-1)?.atMs ?? message.enqueuedTimeUtc?.getTime() ?? nowMs,
    history,
  };
}
