/** The dead letters of all subscriptions, in one stream. */

import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { headers as createHeaders } from '@nats-io/transport-node';
import { encodeEventEnvelope } from '@switchyard/protocol';
import type {
  DeadLetter,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetters,
  InboxEraser,
  ReplayOutcome,
} from '../contract.ts';
import { matchesDeadLetter } from '../dead-letter-query.ts';
import { busLimits } from '../limits.ts';
import { readDeadLetter } from './nats-dead-letter.ts';
import { deadLetterStream, deadLetterSubject, subjectOf, targetOf } from './nats-names.ts';
import { natsHeaders } from './nats-receiver.ts';

export interface NatsDeadLettersDeps {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly inbox: InboxEraser;
}

export class NatsDeadLetters implements DeadLetters {
  readonly #deps: NatsDeadLettersDeps;

  constructor(deps: NatsDeadLettersDeps) {
    this.#deps = deps;
  }

  async list(
    query: DeadLetterQuery = {},
    { after, limit = 100 }: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<DeadLetterPage> {
    const most = Math.max(1, Math.min(limit, busLimits.deadLetterPage));
    const items: DeadLetter[] = [];
    for await (const letter of this.#walk(query, toSequence(after ?? '0') + 1)) {
      const last = items.at(-1);
      if (items.length === most && last !== undefined) return { items, next: last.deadLetterId };
      items.push(letter);
    }
    return { items };
  }

  async get(deadLetterId: string): Promise<DeadLetter | undefined> {
    const sequence = toSequence(deadLetterId);
    if (sequence === 0) return undefined;
    const message = await this.#deps.manager.streams.getMessage(deadLetterStream, { seq: sequence });
    return message === null ? undefined : readDeadLetter(sequence, message.string());
  }

  async count(query: DeadLetterQuery = {}): Promise<number> {
    let count = 0;
    for await (const _ of this.#walk(query, 1)) count += 1;
    return count;
  }

  async replay(deadLetterId: string): Promise<ReplayOutcome> {
    const letter = await this.get(deadLetterId);
    if (letter === undefined) return { kind: 'unknown' };
    if (letter.envelope === undefined) return { kind: 'unreadable' };
    await this.#resend(letter);
    return { kind: 'replayed', eventId: letter.envelope.eventId };
  }

  async replayAll(query: DeadLetterQuery = {}): Promise<number> {
    const { state } = await this.#deps.manager.streams.info(deadLetterStream);
    let moved = 0;
    for await (const letter of this.#walk(query, 1)) {
      if (Number(letter.deadLetterId) > state.last_seq) break;
      if (letter.envelope === undefined) continue;
      await this.#resend(letter);
      moved += 1;
    }
    return moved;
  }

  async remove(deadLetterId: string): Promise<boolean> {
    if ((await this.get(deadLetterId)) === undefined) return false;
    return this.#deps.manager.streams.deleteMessage(deadLetterStream, toSequence(deadLetterId), false);
  }

  /** The inbox first: a crash after it leaves a dead letter that can be replayed again, never one that nobody handles. */
  async #resend({ deadLetterId, topic, subscription, envelope, orderingKey }: DeadLetter): Promise<void> {
    if (envelope === undefined) return;
    const { client, inbox, manager } = this.#deps;
    await inbox.forget(subscription, [envelope.eventId]);
    const headers = createHeaders();
    headers.set(natsHeaders.replayOf, deadLetterId);
    headers.set(natsHeaders.target, targetOf(subscription));
    if (orderingKey !== undefined) headers.set(natsHeaders.orderingKey, encodeURIComponent(orderingKey));
    const subject = subjectOf(topic, targetOf(subscription), orderingKey);
    // The same dead letter, sent again after a crash, is a duplicate; its next death has another number.
    const msgID = `${encodeURIComponent(envelope.eventId)}#replay#${deadLetterId}`;
    await client.publish(subject, encodeEventEnvelope(envelope), { msgID, headers });
    await manager.streams.deleteMessage(deadLetterStream, toSequence(deadLetterId), false);
  }

  async *#walk(query: DeadLetterQuery, from: number): AsyncGenerator<DeadLetter> {
    const subject = deadLetterSubject(query.topic ?? '*', query.subscription ?? '*');
    for (let next = from; ; ) {
      const options = { seq: next, next_by_subj: subject };
      const message = await this.#deps.manager.direct.getMessage(deadLetterStream, options);
      if (message === null) return;
      const letter = readDeadLetter(message.seq, message.string());
      if (letter !== undefined && matchesDeadLetter(query, letter)) yield letter;
      next = message.seq + 1;
    }
  }
}

/** 0 for what is no id. */
function toSequence(deadLetterId: string): number {
  return /^[1-9]\d{0,14}$/.test(deadLetterId) ? Number(deadLetterId) : 0;
}
