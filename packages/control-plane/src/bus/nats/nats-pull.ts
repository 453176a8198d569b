/**
 * Pulling and acknowledging, in the protocol of JetStream itself: a request for one message that is answered at once, so
 * that no pull stays open behind a receiver that is gone. Acknowledgements are confirmed by the server.
 */
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** A message that a consumer gave out. */
export interface PulledMessage {
  readonly data: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
  /** Its number in the stream. */
  readonly sequence: number;
  /** How often the server gave it out, this time included. */
  readonly delivered: number;
  /** Where its acknowledgements go. */
  readonly reply: string;
}

/** How long the server looks for a message of a serial consumer. */
const serialWaitMs = 5;

/** How long a request to the server may take. */
const requestMs = 5_000;

/**
 * The next message that is ready, or undefined; `unknown` when there is no such consumer.
 * @param isSerial of a consumer that gives out one message at a time. While that is out, the server keeps a request that
 *   wants no wait until it comes back, so such a request gets an end instead.
 */
export async function pullOne(
  connection: NatsConnection,
  stream: string,
  consumer: string,
  isSerial = false,
): Promise<PulledMessage | 'unknown' | undefined> {
  const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
  const request = JSON.stringify(
    isSerial ? { batch: 1, expires: serialWaitMs * 1_000_000 } : { batch: 1, no_wait: true },
  );
  try {
    // The message comes under its own subject, so the answer cannot be told by its subject as others are.
    return readPulled(
      await connection.request(subject, request, { timeout: requestMs, noMux: true, reply: createInbox() }),
    );
  } catch (thrown) {
    // Nobody answers for a consumer that is not there.
    if (thrown instanceof Error && isNoResponders(thrown)) return 'unknown';
    throw thrown;
  }
}

/** Tells the server what became of the message, and waits until it knows. */
export async function acknowledge(connection: NatsConnection, reply: string, kind: AckKind): Promise<void> {
  const body = kind.kind === 'later' ? `-NAK ${JSON.stringify({ delay: kind.delayMs * 1_000_000 })}` : words[kind.kind];
  await connection.request(reply, body, { timeout: requestMs });
}

export type AckKind =
  | { readonly kind: 'done' | 'working' | 'again' }
  | { readonly kind: 'later'; readonly delayMs: number };

const words = { done: '+ACK', working: '+WPI', again: '-NAK' } as const;

function readPulled(message: Msg): PulledMessage | undefined {
  const reply = message.reply ?? '';
  // 404: there is nothing; 408 and 409: not now, for example because the one event that may be out is out.
  if (!reply.startsWith('$JS.ACK.')) return undefined;
  // $JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>, or with the domain
  // and the account in front of the stream.
  const tokens = reply.split('.');
  const at = tokens.length >= 11 ? 6 : 4;
  const headers = new Map<string, string>();
  for (const name of message.headers?.keys() ?? []) headers.set(name, message.headers?.get(name) ?? '');
  return {
    data: message.data,
    headers,
    delivered: Number(tokens[at]),
    sequence: Number(tokens[at + 1]),
    reply,
  };
}

function isNoResponders(thrown: Error): boolean {
  const { cause } = thrown;
  return thrown.name === 'NoRespondersError' || (cause instanceof Error && cause.name === 'NoRespondersError');
}
