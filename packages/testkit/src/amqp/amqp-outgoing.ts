/** One receiver of a client: gives it what its queue has, as far as its credit goes, and settles what it answers. */
import rhea, { type Delivery, type Sender } from 'rhea';
import type { AmqpOutcome, AmqpQueue, QueuedMessage } from './amqp-queue.ts';

/** rhea's sender with what its types leave out. */
export type OutgoingLink = Sender & {
  readonly local: { readonly attach: { properties?: unknown } };
};

/** How rhea names the outcomes of a delivery. */
export type SettlingEvent = 'accepted' | 'rejected' | 'released' | 'modified';

const lockLost = { condition: 'com.microsoft:message-lock-lost', description: 'The lock supplied is invalid.' };
const sessionLost = { condition: 'com.microsoft:session-lock-lost', description: 'The session lock has expired.' };

/** The outcomes of rhea, which its types leave out. */
const outcomes = rhea.message as unknown as {
  accepted(): { described(): unknown };
  rejected(fields: object): { described(): unknown };
};

/** What serves one receiver of a client. */
export interface PeerOutgoing {
  /** Gives out what there is, as far as the credit goes. */
  pump(): void;
  settle(delivery: Delivery, event: SettlingEvent): void;
  close(): void;
}

export class AmqpOutgoing implements PeerOutgoing {
  readonly #link: OutgoingLink;
  readonly #queue: AmqpQueue;
  readonly #sessionId: string | undefined;
  readonly #out = new Map<Delivery, string>();
  readonly #unwatch: () => void;

  constructor(link: OutgoingLink, queue: AmqpQueue, sessionId: string | undefined) {
    this.#link = link;
    this.#queue = queue;
    this.#sessionId = sessionId;
    this.#unwatch = queue.watch(() => this.pump());
  }

  pump(): void {
    if (!this.#link.is_open()) return;
    if (this.#sessionId !== undefined && !this.#queue.holdsSession(this, this.#sessionId)) {
      this.close();
      this.#link.close(sessionLost);
      return;
    }
    while (this.#link.sendable()) {
      const taken = this.#queue.take(this.#sessionId);
      if (taken === undefined) break;
      this.#give(taken);
    }
    // Credit that nothing is there for goes back when the client asks for it.
    this.#link.set_drained(true);
  }

  /** What the client says of a delivery, answered as the broker does. */
  settle(delivery: Delivery, event: SettlingEvent): void {
    const token = this.#out.get(delivery);
    if (token === undefined) return;
    this.#out.delete(delivery);
    const outcome = toOutcome(event, delivery.remote_state);
    if (this.#queue.settle(token, outcome)) delivery.update(true, outcomes.accepted().described());
    else delivery.update(true, outcomes.rejected({ error: lockLost }).described());
  }

  /** The link is gone. Its locks stay until they end; a session is free at once. */
  close(): void {
    this.#unwatch();
    if (this.#sessionId !== undefined) this.#queue.releaseSession(this, this.#sessionId);
  }

  #give({ message, sequence, lock, deliveryCount, enqueuedAtMs }: QueuedMessage): void {
    if (lock === undefined) return;
    // Mode 1 of the sender: settled when it is sent, so there is nothing to wait for.
    const isSettled = this.#link.snd_settle_mode === 1;
    const delivery = this.#link.send(
      withAnnotations({ message, sequence, deliveryCount, enqueuedAtMs, lockedUntilMs: lock.untilMs }),
      toTag(lock.token),
    );
    if (isSettled) this.#queue.settle(lock.token, { kind: 'accepted' });
    else this.#out.set(delivery, lock.token);
  }
}

/** A message as the broker hands it out. */
export function withAnnotations(queued: {
  readonly message: QueuedMessage['message'];
  readonly sequence: number;
  readonly deliveryCount: number;
  readonly enqueuedAtMs: number;
  readonly lockedUntilMs?: number;
}): QueuedMessage['message'] {
  const { message, sequence, deliveryCount, enqueuedAtMs, lockedUntilMs } = queued;
  return {
    ...message,
    delivery_count: deliveryCount,
    message_annotations: {
      ...message.message_annotations,
      'x-opt-sequence-number': sequence,
      'x-opt-enqueued-time': enqueuedAtMs,
      ...(lockedUntilMs === undefined ? {} : { 'x-opt-locked-until': lockedUntilMs }),
    },
  };
}

/** The 16 bytes of a GUID in the order of .NET, whose first three groups are little-endian. */
export function toTag(uuid: string): Buffer {
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

/** An outcome as rhea unwraps it: its fields, and which it is. */
type RemoteState = Delivery['remote_state'];

function toOutcome(event: SettlingEvent, state: RemoteState): AmqpOutcome {
  if (event === 'accepted') return { kind: 'accepted' };
  const fields = (state ?? {}) as unknown as Readonly<Record<string, unknown>>;
  const error = fields.error as { condition?: string; info?: Record<string, unknown> } | undefined;
  if (error !== undefined && error !== null) {
    const { DeadLetterReason: reason, DeadLetterErrorDescription: description, ...properties } = error.info ?? {};
    return {
      kind: 'deadLettered',
      reason: reason === undefined || reason === null ? undefined : String(reason),
      description: description === undefined || description === null ? undefined : String(description),
      properties,
    };
  }
  const kind = fields.undeliverable_here === true ? 'deferred' : 'abandoned';
  const annotations = fields.message_annotations as Record<string, unknown> | undefined;
  return annotations === undefined || annotations === null ? { kind } : { kind, properties: annotations };
}
