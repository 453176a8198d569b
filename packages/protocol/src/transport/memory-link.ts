/**
 * Two Links that are each other's peer, for ends that live in one process. Frames are handed over as they are, without a
 * copy; they arrive in a later microtask. What the HTTP/2 transport does over a wire (windows, trailers, resets) is done
 * here by two queues with the same limits.
 *
 * Ownership: each end owns the queue of what it has not received yet; its peer adds to it.
 *
 * I1 A frame is never delivered from within `send`, nor an end from within `end` or `cancel`.
 * I2 A queue that its reader does not empty makes the sender's `send` answer false, and ends the link at the hard limit.
 */
import {
  BoundedQueue,
  createDeferred,
  type Edges,
  type Log,
  messageOf,
  StateMachine,
  silentLog,
} from '@switchyard/kernel';
import { grpcStatus, type Link, type LinkEnd, type LinkReceiver, type LinkStatus } from '../link.ts';
import { framePrefixBytes } from './frame-reader.ts';
import { orderly, overflowing, oversized, receiverFailed } from './link-statuses.ts';
import type { Metadata } from './metadata.ts';
import { withPeerCertificate } from './peer-certificate.ts';
import { defaultTransportLimits, type TransportLimits } from './transport-limits.ts';

/** The limits that a link in memory has. */
export type MemoryLinkLimits = Pick<
  TransportLimits,
  'maxMessageBytes' | 'highWaterBytes' | 'lowWaterBytes' | 'maxBufferedBytes'
>;

export interface MemoryLinkOptions {
  /** What the opener sends along. */
  readonly metadata?: Metadata;
  readonly limits?: Partial<MemoryLinkLimits>;
  readonly log?: Log;
  /** How the ends appear to each other. */
  readonly openerName?: string;
  readonly acceptorName?: string;
}

export interface MemoryLinkPair {
  readonly opener: Link;
  readonly acceptor: Link;
}

/** Makes an open link and gives out both ends. */
export function createMemoryLinkPair(options: MemoryLinkOptions = {}): MemoryLinkPair {
  const limits = { ...defaultTransportLimits, ...options.limits };
  const log = options.log ?? silentLog;
  const none: Metadata = new Map();
  const opener = new MemoryLink('opener', options.acceptorName ?? 'memory:acceptor', none, limits, log);
  const acceptor = new MemoryLink(
    'acceptor',
    options.openerName ?? 'memory:opener',
    withPeerCertificate(options.metadata ?? none, undefined),
    limits,
    log,
  );
  opener.join(acceptor);
  acceptor.join(opener);
  return { opener, acceptor };
}

/** `open` sends and receives; `peer-ended` only sends, `ended` only receives; `closed` is final. */
type State = { readonly kind: 'open' | 'peer-ended' | 'ended' | 'closed' };

const edges: Edges<State['kind']> = {
  open: ['peer-ended', 'ended', 'closed'],
  'peer-ended': ['ended', 'closed'],
  ended: ['closed'],
  closed: [],
};

/** What comes after the last frame in a queue: more frames, or the end of the peer's direction. */
type Tail = { readonly kind: 'open' | 'delivered' } | { readonly kind: 'ended'; readonly status: LinkStatus };

class MemoryLink implements Link {
  readonly peer: string;
  readonly metadata: Metadata;
  readonly #role: 'opener' | 'acceptor';
  readonly #limits: MemoryLinkLimits;
  readonly #log: Log;
  readonly #state = new StateMachine<State>({ kind: 'open' }, edges);
  readonly #closed = createDeferred<LinkEnd>();
  /** What the peer has sent and this end has not received. */
  readonly #queue: BoundedQueue<Uint8Array>;
  #queuedBytes = 0;
  #tail: Tail = { kind: 'open' };
  #receiver: LinkReceiver | undefined;
  #delivery: 'stopped' | 'idle' | 'scheduled' = 'stopped';
  #waiters: (() => void)[] = [];
  #other: MemoryLink = this;

  constructor(role: 'opener' | 'acceptor', peer: string, metadata: Metadata, limits: MemoryLinkLimits, log: Log) {
    this.#role = role;
    this.peer = peer;
    this.metadata = metadata;
    this.#limits = limits;
    this.#log = log;
    this.#queue = new BoundedQueue(Math.ceil(limits.maxBufferedBytes / framePrefixBytes) + 1);
  }

  join(other: MemoryLink): void {
    this.#other = other;
  }

  get closed(): Promise<LinkEnd> {
    return this.#closed.promise;
  }

  get bufferedBytes(): number {
    return this.#other.#queuedBytes;
  }

  send(frame: Uint8Array): boolean {
    const { kind } = this.#state;
    if (kind !== 'open' && kind !== 'peer-ended') return false;
    this.#other.#accept(frame);
    const buffered = this.bufferedBytes;
    if (buffered > this.#limits.maxBufferedBytes)
      this.cancel(overflowing(this.peer, buffered, this.#limits.maxBufferedBytes));
    return buffered < this.#limits.highWaterBytes;
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#releaseWaiters();
    });
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    this.resume();
  }

  pause(): void {
    this.#delivery = 'stopped';
  }

  resume(): void {
    if (this.#delivery !== 'stopped' || !this.#receiver) return;
    this.#delivery = 'idle';
    this.#schedule();
  }

  end(status: LinkStatus = orderly): void {
    const { kind } = this.#state;
    if (kind !== 'open' && kind !== 'peer-ended') return;
    this.#state.transition({ kind: 'ended' });
    this.#other.#tail = { kind: 'ended', status };
    this.#other.#schedule();
  }

  cancel(status: LinkStatus): void {
    if (this.#state.kind === 'closed') return;
    this.#conclude({ ...status, origin: 'local' });
    const seen = this.#role === 'acceptor' ? status : cancelled;
    queueMicrotask(() => this.#other.#conclude({ ...seen, origin: 'peer' }));
  }

  #accept(frame: Uint8Array): void {
    if (this.#state.kind === 'closed') return;
    this.#queue.offer(frame);
    this.#queuedBytes += frame.length + framePrefixBytes;
    this.#schedule();
  }

  /** An end without a receiver is told too: it may have nothing left to receive. */
  #schedule(): void {
    if (this.#delivery === 'scheduled') return;
    if (this.#delivery === 'idle') this.#delivery = 'scheduled';
    else if (this.#tail.kind !== 'ended') return;
    queueMicrotask(this.#run);
  }

  readonly #run = (): void => {
    if (this.#delivery === 'scheduled') this.#delivery = 'idle';
    try {
      this.#deliver();
      if (this.#queue.size === 0 && this.#tail.kind === 'ended') this.#deliverEnd(this.#tail.status);
    } catch (thrown) {
      this.#log.write('error', 'a link receiver threw', { peer: this.peer, error: messageOf(thrown) });
      this.cancel(receiverFailed);
    }
    this.#other.#releaseWaiters();
  };

  #deliver(): void {
    while (this.#delivery !== 'stopped' && this.#receiver) {
      const frame = this.#queue.poll();
      if (frame === undefined) break;
      this.#queuedBytes -= frame.length + framePrefixBytes;
      if (frame.length > this.#limits.maxMessageBytes)
        this.cancel(oversized(frame.length, this.#limits.maxMessageBytes));
      else this.#receiver.frame(frame);
    }
  }

  #deliverEnd(status: LinkStatus): void {
    if (this.#state.kind === 'closed' || (this.#role === 'acceptor' && !this.#receiver)) return;
    this.#tail = { kind: 'delivered' };
    if (this.#state.kind === 'open') this.#state.transition({ kind: 'peer-ended' });
    this.#receiver?.end?.();
    if (this.#role === 'acceptor') return;
    this.#conclude({ ...status, origin: 'peer' });
    this.#other.#conclude({ ...status, origin: 'local' });
  }

  #conclude(end: LinkEnd): void {
    if (this.#state.kind === 'closed') return;
    this.#state.transition({ kind: 'closed' });
    this.#queue.drain();
    this.#queuedBytes = 0;
    this.#delivery = 'stopped';
    this.#receiver = undefined;
    this.#closed.resolve(end);
    this.#releaseWaiters();
    this.#other.#releaseWaiters();
  }

  #releaseWaiters(): void {
    if (this.#state.kind !== 'closed' && this.bufferedBytes > this.#limits.lowWaterBytes) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

const cancelled: LinkStatus = { code: grpcStatus.cancelled, message: 'the opener cancelled the stream' };
