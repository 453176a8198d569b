/**
 * A Link over one HTTP/2 stream. What the two ends do differently (request and response headers, trailers, resets) is
 * the business of a `LinkSide`; everything else is here.
 *
 * Sending: frames collect in a FrameWriter until the current turn of the event loop is over or the write under way is
 * done, and leave in batches. (Measured against a flush in a microtask or in setImmediate: nextTick is 10 % faster than
 * setImmediate at one message in flight, and waiting for the write under way makes up for it under load.)
 * Receiving: a FrameReader cuts the chunks; `pause` stops it between two frames, and stops the HTTP/2 stream, so that
 * the peer's window runs out. The link is over when its side has a final status and every frame was delivered, or at
 * once when it was cancelled, reset or lost.
 *
 * Ownership: the link owns the stream from construction on; nobody else reads, writes or closes it.
 *
 * I1 Small frames that are sent in one turn of the event loop, or while a write is under way, leave in one write.
 * I2 After `closed` has resolved, neither `frame` nor `end` of the receiver is called.
 * I3 `closed` resolves only after every frame in front of an orderly end was delivered.
 * I4 A link whose buffer passes `maxBufferedBytes` ends with RESOURCE_EXHAUSTED; it does not grow.
 * I5 A receiver that throws ends its own link with INTERNAL and no other.
 */
import { constants, type Http2Stream } from 'node:http2';
import { createDeferred, type Edges, type Log, messageOf, StateMachine } from '@switchyard/kernel';
import { grpcStatus, type Link, type LinkEnd, type LinkReceiver, type LinkStatus } from '../link.ts';
import type { AssemblyBudget } from './assembly-budget.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { orderly, overflowing, receiverFailed, truncated } from './link-statuses.ts';
import type { Metadata } from './metadata.ts';
import type { TransportLimits } from './transport-limits.ts';

/** What differs between the opener and the acceptor of a stream. */
export interface LinkSide {
  /** Called before bytes go out for the first time. */
  begin(): void;
  /** Ends our direction after everything that was written. */
  finish(status: LinkStatus): void;
  /** Ends both directions now. */
  abort(status: LinkStatus): void;
  /** The end of the link that is already certain once the peer's frames are delivered. */
  orderlyEnd(): LinkEnd | undefined;
  /** The stream is gone: why. */
  endAtClose(error: Error | undefined): LinkEnd;
}

export interface Http2LinkOptions {
  readonly peer: string;
  readonly metadata: Metadata;
  readonly limits: TransportLimits;
  readonly budget: AssemblyBudget;
  readonly log: Log;
  /** The status for compressed messages; nothing was negotiated, so there should be none. */
  readonly onCompressed: LinkStatus;
}

/**
 * `open` sends and receives; `peer-ended` only sends. `ending` writes what is left before its status goes out, which has
 * happened in `ended`; both still receive. `closed` is final.
 */
type State =
  | { readonly kind: 'open' | 'peer-ended' | 'ended' | 'closed' }
  | { readonly kind: 'ending'; readonly status: LinkStatus };

const edges: Edges<State['kind']> = {
  open: ['peer-ended', 'ending', 'closed'],
  'peer-ended': ['ending', 'closed'],
  ending: ['ended', 'closed'],
  ended: ['closed'],
  closed: [],
};

/** `ended`: the peer's direction is over, which the receiver learns after the last frame. */
type Inbound = 'open' | 'ended' | 'delivered';

export class Http2Link implements Link {
  readonly peer: string;
  readonly metadata: Metadata;
  readonly #stream: Http2Stream;
  readonly #side: LinkSide;
  readonly #options: Http2LinkOptions;
  readonly #reader: FrameReader;
  readonly #writer = new FrameWriter();
  readonly #closed = createDeferred<LinkEnd>();
  readonly #state = new StateMachine<State>({ kind: 'open' }, edges);
  #receiver: LinkReceiver | undefined;
  #isFlowing = false;
  #inbound: Inbound = 'open';
  #streamError: Error | undefined;
  #waiters: (() => void)[] = [];

  constructor(stream: Http2Stream, options: Http2LinkOptions, createSide: (link: Http2Link) => LinkSide) {
    this.#stream = stream;
    this.#options = options;
    this.peer = options.peer;
    this.metadata = options.metadata;
    const { limits, budget, onCompressed } = options;
    this.#reader = new FrameReader({ maxMessageBytes: limits.maxMessageBytes, budget, onCompressed });
    // Paused before the first listener: until `receive`, frames wait in the flow-control window.
    stream.pause();
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
    stream.on('error', this.#onError);
    stream.on('close', this.#onClose);
    this.#side = createSide(this);
  }

  get closed(): Promise<LinkEnd> {
    return this.#closed.promise;
  }

  get bufferedBytes(): number {
    return this.#writer.pendingBytes + this.#stream.writableLength;
  }

  send(frame: Uint8Array): boolean {
    const kind = this.#state.kind;
    if (kind !== 'open' && kind !== 'peer-ended') return false;
    if (this.#writer.pendingBytes === 0) process.nextTick(this.#pump);
    this.#writer.add(frame);
    const buffered = this.bufferedBytes;
    if (buffered < this.#options.limits.highWaterBytes) return true;
    const { maxBufferedBytes } = this.#options.limits;
    if (buffered > maxBufferedBytes) this.cancel(overflowing(this.peer, buffered, maxBufferedBytes));
    return false;
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
    if (this.#state.kind === 'closed') return;
    this.#isFlowing = false;
    this.#stream.pause();
  }

  resume(): void {
    if (this.#isFlowing || !this.#receiver || this.#state.kind === 'closed') return;
    this.#isFlowing = true;
    // Not at once: `resume` may be called from within `frame`.
    process.nextTick(this.#advance);
  }

  end(status: LinkStatus = orderly): void {
    const kind = this.#state.kind;
    if (kind !== 'open' && kind !== 'peer-ended') return;
    this.#state.transition({ kind: 'ending', status });
    this.#pump();
  }

  cancel(status: LinkStatus): void {
    if (this.#state.kind === 'closed') return;
    this.conclude({ ...status, origin: 'local' });
    this.#side.abort(status);
  }

  /** For the side: the final status has arrived, so nothing comes after what is here. */
  settle(): void {
    if (this.#inbound === 'open' && this.#isEmpty()) this.#inbound = 'ended';
    this.#advance();
  }

  /** For the side: the link is over, whatever was still on its way. */
  conclude(end: LinkEnd): void {
    if (this.#state.kind === 'closed') return;
    this.#state.transition({ kind: 'closed' });
    this.#writer.clear();
    this.#reader.release();
    this.#isFlowing = false;
    // Whatever still arrives is read and dropped, so that the stream can close.
    this.#stream.resume();
    this.#closed.resolve(end);
    this.#releaseWaiters();
  }

  /** Writes the next batch, unless one is under way; when all is written, the status of an ending link may go out. */
  readonly #pump = (): void => {
    if (this.#writer.pendingBytes > 0 && this.#stream.writableLength === 0) this.#write();
    const { state } = this.#state;
    if (state.kind !== 'ending' || this.#writer.pendingBytes > 0) return;
    this.#state.transition({ kind: 'ended' });
    this.#side.finish(state.status);
  };

  #write(): void {
    this.#side.begin();
    const writes = this.#writer.take();
    const stream = this.#stream;
    if (writes.length > 1) stream.cork();
    for (const bytes of writes) stream.write(bytes, this.#onWritten);
    if (writes.length > 1) stream.uncork();
  }

  readonly #onWritten = (): void => {
    this.#pump();
    if (this.#waiters.length > 0) this.#releaseWaiters();
  };

  #releaseWaiters(): void {
    if (this.#state.kind !== 'closed' && this.bufferedBytes > this.#options.limits.lowWaterBytes) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#state.kind === 'closed') return;
    this.#reader.push(chunk);
    this.#deliver();
  };

  /** Hands out frames until they run out, the receiver pauses, or the link is over. */
  #deliver(): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    try {
      while (this.#isFlowing) {
        const frame = this.#reader.next();
        if (frame === undefined) break;
        receiver.frame(frame);
      }
    } catch (thrown) {
      this.#receiverFailed(thrown);
    }
    const failure = this.#reader.failure;
    if (failure && this.#state.kind !== 'closed') this.cancel(failure);
  }

  #receiverFailed(thrown: unknown): void {
    this.#options.log.write('error', 'a link receiver threw', { peer: this.peer, error: messageOf(thrown) });
    this.cancel(receiverFailed);
  }

  /** Moves on as far as what has arrived allows: frames, the peer's end, the end of the link. */
  readonly #advance = (): void => {
    if (this.#isFlowing) this.#deliver();
    if (this.#isFlowing) this.#stream.resume();
    if (this.#state.kind === 'closed' || !this.#isEmpty()) return;
    if (this.#inbound === 'ended' && this.#receiver) this.#deliverEnd(this.#receiver);
    const end = this.#side.orderlyEnd();
    if (end && this.#inbound !== 'open') this.conclude(end);
  };

  /** True when every byte that has arrived was handed out or is part of an unfinished frame. */
  #isEmpty(): boolean {
    return this.#stream.readableLength === 0 && !this.#reader.hasUnread;
  }

  #deliverEnd(receiver: LinkReceiver): void {
    this.#inbound = 'delivered';
    if (this.#reader.isMidMessage) {
      const end = this.#side.orderlyEnd();
      if (!end || end.code === grpcStatus.ok) this.cancel(truncated);
      return;
    }
    if (this.#state.kind === 'open') this.#state.transition({ kind: 'peer-ended' });
    try {
      receiver.end?.();
    } catch (thrown) {
      this.#receiverFailed(thrown);
    }
  }

  readonly #onEnd = (): void => {
    // node:http2 also ends the readable side of a stream that was reset or lost; `close` follows and tells why.
    if (this.#stream.destroyed || this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    this.#inboundEnded();
  };

  #inboundEnded(): void {
    if (this.#inbound === 'open') this.#inbound = 'ended';
    this.#advance();
  }

  readonly #onError = (error: Error): void => {
    this.#streamError = error;
  };

  readonly #onClose = (): void => {
    if (this.#state.kind === 'closed') return;
    // An orderly end that the owner's pause holds back waits for `resume`, unless frames were lost with the stream.
    if (this.#side.orderlyEnd() && this.#stream.readableLength === 0) this.#inboundEnded();
    else this.conclude(this.#side.endAtClose(this.#streamError));
  };
}
