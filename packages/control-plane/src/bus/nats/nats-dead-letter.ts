/** Dead letters as messages of their stream. */
import type { JetStreamClient } from '@nats-io/jetstream';
import { decodeEventEnvelope } from '@switchyard/protocol';
import type { DeadLetter, FailedDelivery, Subscription } from '../contract.ts';
import { parseHistory } from '../failure-history.ts';
import { deadLetterSubject } from './nats-names.ts';

export interface BuriedEvent {
  /** What came, an envelope or not. */
  readonly body: string;
  readonly orderingKey: string | undefined;
  /** The last one is why. */
  readonly history: readonly FailedDelivery[];
}

/** Puts an event into the stream of dead letters; once, also when it is tried again after a crash. */
export async function buryOnNats(
  client: JetStreamClient,
  { topic, name }: Pick<Subscription, 'topic' | 'name'>,
  sequence: number,
  event: BuriedEvent,
): Promise<void> {
  const text = JSON.stringify({ ...event, topic, subscription: name, history: JSON.stringify(event.history) });
  await client.publish(deadLetterSubject(topic, name), text, { msgID: `${topic}/${name}/${sequence}` });
}

/** Reads a dead letter; undefined when the message is none. */
export function readDeadLetter(sequence: number, text: string): DeadLetter | undefined {
  const fields = parse(text);
  const { body, topic, subscription, orderingKey, history: written } = fields;
  if (typeof body !== 'string' || typeof topic !== 'string' || typeof subscription !== 'string') return undefined;
  const history = parseHistory(typeof written === 'string' ? written : undefined);
  const last = history.at(-1);
  const parsing = decodeEventEnvelope(body);
  return {
    deadLetterId: String(sequence),
    topic,
    subscription,
    envelope: parsing.kind === 'envelope' ? parsing.envelope : undefined,
    ...(parsing.kind === 'envelope' ? {} : { body }),
    ...(typeof orderingKey === 'string' ? { orderingKey } : {}),
    reason: last?.reason ?? '',
    description: last?.description ?? '',
    deliveryCount: last?.deliveryCount ?? 0,
    deadLetteredAtMs: last?.atMs ?? 0,
    history,
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
