/**
 * Carries frames between a worker and its Runtime: two pumps that read the envelope's tag and pass the bytes on as they
 * are.
 *
 * Ownership: the sidecar makes one for every stream to a Runtime and closes it when that stream is over. The worker's link
 * outlives it; the Runtime's link is the relay's own.
 *
 * I1 Frames arrive at the other side byte by byte the same and in their order; the worker's StartStream does not, and kinds
 *    that are to be rewritten arrive so.
 * I2 A message for the sidecar never reaches the worker; the controller gets it, decoded.
 * I3 A side that does not read makes the other side wait: its link is paused until the first one has drained.
 * I4 After `close` nothing is passed on in either direction, and the worker's link stays paused.
 */
import { BoundedQueue, messageOf } from '@switchyard/kernel';
import {
  type ContentCase,
  grpcStatus,
  type Link,
  type LinkStatus,
  type MessageContent,
  readEnvelope,
  StreamingMessage,
} from '@switchyard/protocol';
import type { LocalWorker } from './local-worker.ts';

/** What a relay counts; the sidecar owns the numbers. */
export interface MutableRelayCounts {
  framesUp: number;
  framesDown: number;
  bytesUp: number;
  bytesDown: number;
  framesConsumed: number;
  linesDropped: number;
}

/** The messages of a Runtime that are for the sidecar. */
const controlKinds: ReadonlySet<ContentCase | undefined> = new Set<ContentCase>([
  'workerConnectResponse',
  'workerRestartRequest',
  'workerSpecializedNotification',
  'workerSpecializedResponse',
]);

export interface RelayOptions {
  readonly counts: MutableRelayCounts;
  readonly waitingConsoleLines: number;
  /** Messages of the Runtime that the sidecar takes as well, beside those that are for it alone. */
  readonly alsoConsumes?: ReadonlySet<ContentCase>;
  /** Changes messages of these kinds on their way up. */
  readonly rewrites?: ReadonlyMap<ContentCase, (content: MessageContent) => MessageContent>;
  /** Takes a message that is for the sidecar. */
  readonly onControl: (content: MessageContent, requestId: string) => void;
}

export class Relay {
  readonly runtime: Link;
  readonly #worker: LocalWorker;
  readonly #options: RelayOptions;
  #isClosed = false;
  #hasTerminated = false;
  /** True while the Runtime's link takes nothing more. */
  #isFull = false;
  readonly #waitingLines: BoundedQueue<Uint8Array>;

  constructor(worker: LocalWorker, runtime: Link, options: RelayOptions) {
    this.#worker = worker;
    this.runtime = runtime;
    this.#options = options;
    this.#waitingLines = new BoundedQueue(options.waitingConsoleLines);
  }

  /** True when the Runtime has told the worker to end. */
  get hasTerminated(): boolean {
    return this.#hasTerminated;
  }

  /** Opens both pumps. The worker's link flows again if an earlier relay has paused it. */
  open(): void {
    this.#worker.relayTo((frame, kind) => this.#up(frame, kind));
    this.#worker.link.resume();
    this.runtime.receive({ frame: (frame) => this.#down(frame) });
  }

  /** Sends a message of the sidecar's own to the Runtime. */
  send(content: MessageContent, requestId = ''): void {
    this.#toRuntime(StreamingMessage.encode({ requestId, content }).finish());
  }

  /** Puts a line of the worker's console among its frames. Lines wait while the Runtime does not read. */
  inject(frame: Uint8Array): void {
    if (!this.#isClosed && !this.#isFull) this.#toRuntime(frame);
    else if (this.#isClosed || !this.#waitingLines.offer(frame)) this.#options.counts.linesDropped += 1;
  }

  /** Ends our direction after everything that was sent. */
  end(): void {
    this.runtime.end();
  }

  /** Passes nothing on any more. */
  close(status: LinkStatus = { code: grpcStatus.cancelled, message: 'the sidecar closed the stream' }): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#worker.link.pause();
    this.runtime.cancel(status);
  }

  #up(frame: Uint8Array, kind: ContentCase | undefined): void {
    if (this.#isClosed || kind === 'startStream') return;
    const { counts } = this.#options;
    counts.framesUp += 1;
    counts.bytesUp += frame.length;
    const rewrite = kind === undefined ? undefined : this.#options.rewrites?.get(kind);
    this.#toRuntime(rewrite === undefined ? frame : rewritten(frame, rewrite));
  }

  #toRuntime(frame: Uint8Array): void {
    if (this.#isClosed || this.runtime.send(frame) || this.#isFull) return;
    this.#isFull = true;
    this.#worker.link.pause();
    // `drained` never rejects: it also resolves when the link has ended.
    void this.runtime.drained().then(() => this.#flowUp());
  }

  #flowUp(): void {
    this.#isFull = false;
    if (this.#isClosed) return;
    while (!this.#isFull) {
      const line = this.#waitingLines.poll();
      if (line === undefined) break;
      this.#toRuntime(line);
    }
    if (!this.#isFull) this.#worker.link.resume();
  }

  #down(frame: Uint8Array): void {
    if (this.#isClosed) return;
    const { counts } = this.#options;
    const envelope = readEnvelope(frame);
    const kind = envelope.kind === 'envelope' ? envelope.contentCase : undefined;
    if (controlKinds.has(kind) || (kind !== undefined && this.#options.alsoConsumes?.has(kind) === true)) {
      counts.framesConsumed += 1;
      this.#consume(frame);
      return;
    }
    counts.framesDown += 1;
    counts.bytesDown += frame.length;
    if (kind === 'workerTerminate') this.#hasTerminated = true;
    if (this.#worker.link.send(frame)) return;
    this.runtime.pause();
    void this.#worker.link.drained().then(() => this.runtime.resume());
  }

  #consume(frame: Uint8Array): void {
    let message: StreamingMessage;
    try {
      message = StreamingMessage.decode(frame);
    } catch (thrown) {
      this.runtime.cancel({ code: grpcStatus.internal, message: `unreadable message: ${messageOf(thrown)}` });
      return;
    }
    if (message.content !== undefined) this.#options.onControl(message.content, message.requestId);
  }
}

/** What cannot be read is passed on as it is, for the Runtime to judge. */
function rewritten(frame: Uint8Array, rewrite: (content: MessageContent) => MessageContent): Uint8Array {
  try {
    const { requestId, content } = StreamingMessage.decode(frame);
    return StreamingMessage.encode({ requestId, content: content && rewrite(content) }).finish();
  } catch {
    return frame;
  }
}
