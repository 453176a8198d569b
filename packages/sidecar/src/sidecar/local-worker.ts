/**
 * The sidecar's end of its worker's stream. Before the relay the sidecar is the worker's host: it asks, and the answers
 * are matched by their kind (the Python worker answers with a request id of its own). During the relay whatever comes goes
 * to the sink as it is.
 *
 * Phases: Conversing -> Holding (log lines wait for the Runtime) <-> Relaying; any -> Ended.
 * Ownership: the sidecar owns it; it owns the link.
 *
 * I1 An answer settles the question that waits for its kind; one that nobody waits for changes nothing.
 * I2 Every question has a deadline, and none waits longer than the link lives.
 * I3 A placeholder's heartbeats are dropped, and its status requests are answered here.
 * I4 Log lines that come while an app is being assigned wait for the Runtime, in order and in limited number.
 * I5 A question may be asked during the relay, too: its answer stays here, and everything else goes on.
 */
import { type Clock, createDeferred, type Deferred, type Log, messageOf, type PlatformError } from '@switchyard/kernel';
import {
  type ContentCase,
  grpcStatus,
  type Link,
  type LinkEnd,
  type MessageContent,
  readEnvelope,
  StreamingMessage,
} from '@switchyard/protocol';
import { sidecarErrors } from './errors.ts';

/** Where frames go during the relay. */
export type FrameSink = (frame: Uint8Array, kind: ContentCase | undefined) => void;

/** The body of one kind of message. */
export type MessageBody<Case extends ContentCase> = Extract<MessageContent, { $case: Case }>['value'];

export interface LocalWorkerOptions {
  readonly workerId: string;
  readonly heldFrames: number;
}

type Phase =
  | { readonly kind: 'conversing' }
  | { readonly kind: 'holding'; readonly frames: Uint8Array[]; readonly sink: FrameSink | undefined }
  | { readonly kind: 'relaying'; readonly sink: FrameSink }
  | { readonly kind: 'ended'; readonly reason: string };

interface Question {
  readonly kind: ContentCase;
  readonly answer: Deferred<MessageContent>;
}

export class LocalWorker {
  readonly link: Link;
  readonly #deps: { readonly clock: Clock; readonly log: Log };
  readonly #options: LocalWorkerOptions;
  readonly #ended = createDeferred<string>();
  #phase: Phase = { kind: 'conversing' };
  #question: Question | undefined;
  #dropped = 0;

  constructor(deps: { readonly clock: Clock; readonly log: Log }, link: Link, options: LocalWorkerOptions) {
    this.#deps = deps;
    this.link = link;
    this.#options = options;
    link.closed.then(
      (end) => this.#end(describeEnd(end)),
      (reason: unknown) => this.#end(messageOf(reason)),
    );
  }

  /** Resolves with the reason when the worker has ended its stream, or lost it. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  get isConnected(): boolean {
    return this.#phase.kind !== 'ended';
  }

  /** Begins to read; the first message must be StartStream. */
  async introduce(timeoutMs: number): Promise<void> {
    const introduced = this.#await('startStream', timeoutMs);
    this.link.receive({ frame: (bytes) => this.#frame(bytes), end: () => this.#end('it ended its stream') });
    await introduced;
  }

  /** Sends a request and resolves with the next message of the kind that answers it. */
  async ask<Case extends ContentCase>(
    content: MessageContent,
    kind: Case,
    timeoutMs: number,
  ): Promise<MessageBody<Case>> {
    const answer = this.#await(kind, timeoutMs);
    this.send(content);
    return (await answer).value as MessageBody<Case>;
  }

  send(content: MessageContent, requestId = ''): void {
    this.link.send(StreamingMessage.encode({ requestId, content }).finish());
  }

  /** From now on log lines wait for the Runtime. */
  hold(): void {
    const phase = this.#phase;
    if (phase.kind === 'conversing') this.#phase = { kind: 'holding', frames: [], sink: undefined };
    else if (phase.kind === 'relaying') this.#phase = { kind: 'holding', frames: [], sink: phase.sink };
  }

  /** Hands over what was held during a relay, which goes on as before. */
  release(): void {
    if (this.#phase.kind === 'holding' && this.#phase.sink !== undefined) this.relayTo(this.#phase.sink);
  }

  /** How many log lines found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Hands over what was held, and then everything as it comes. A second call replaces the sink. */
  relayTo(sink: FrameSink): void {
    const phase = this.#phase;
    if (phase.kind === 'ended') return;
    this.#phase = { kind: 'relaying', sink };
    if (phase.kind === 'holding') for (const frame of phase.frames) sink(frame, 'rpcLog');
  }

  /** Ends the stream after what was sent. */
  end(): void {
    this.link.end({ code: grpcStatus.ok, message: '' });
  }

  #frame(bytes: Uint8Array): void {
    const envelope = readEnvelope(bytes);
    const kind = envelope.kind === 'envelope' ? envelope.contentCase : undefined;
    const phase = this.#phase;
    if (phase.kind === 'relaying' && (kind === undefined || kind !== this.#question?.kind)) phase.sink(bytes, kind);
    else if (kind !== undefined && phase.kind !== 'ended') this.#converse(bytes, kind);
  }

  #converse(bytes: Uint8Array, kind: ContentCase): void {
    if (this.#phase.kind === 'holding' && kind !== this.#question?.kind) {
      const { frames, sink } = this.#phase;
      if (kind === 'rpcLog') {
        if (frames.length < this.#options.heldFrames) frames.push(bytes);
        else this.#dropped += 1;
        return;
      }
      if (sink !== undefined) {
        sink(bytes, kind);
        return;
      }
    }
    let message: StreamingMessage;
    try {
      message = StreamingMessage.decode(bytes);
    } catch (thrown) {
      this.link.cancel({ code: grpcStatus.invalidArgument, message: `unreadable message: ${messageOf(thrown)}` });
      return;
    }
    const { content, requestId } = message;
    const question = this.#question;
    if (content === undefined) return;
    if (question?.kind === kind) {
      this.#question = undefined;
      question.answer.resolve(content);
    } else if (content.$case === 'rpcLog')
      this.#deps.log.write('debug', 'A placeholder logged.', logFields(content.value));
    else if (kind === 'workerStatusRequest') this.send({ $case: 'workerStatusResponse', value: {} }, requestId);
    else if (kind !== 'workerHeartbeat')
      this.#deps.log.write('debug', 'A worker sent what nobody waits for.', { kind });
  }

  #await(kind: ContentCase, timeoutMs: number): Promise<MessageContent> {
    const { workerId } = this.#options;
    const answer = createDeferred<MessageContent>();
    if (this.#phase.kind === 'ended') return Promise.reject(this.#lost(kind, this.#phase.reason));
    this.#question = { kind, answer };
    const timer = this.#deps.clock.schedule(timeoutMs, () =>
      answer.reject(sidecarErrors.create('SIDECAR_WORKER_TIMEOUT', { workerId, awaited: kind, timeoutMs })),
    );
    return answer.promise.finally(() => timer.cancel());
  }

  #lost(kind: ContentCase, reason: string): PlatformError {
    const { workerId } = this.#options;
    return sidecarErrors.create('SIDECAR_WORKER_LOST', { workerId, state: `waiting for ${kind}`, reason });
  }

  #end(reason: string): void {
    if (this.#phase.kind === 'ended') return;
    this.#phase = { kind: 'ended', reason };
    const question = this.#question;
    this.#question = undefined;
    question?.answer.reject(this.#lost(question.kind, reason));
    this.#ended.resolve(reason);
  }
}

function describeEnd({ code, message }: LinkEnd): string {
  return message === '' ? `gRPC status ${code}` : message;
}

function logFields({ message, category }: MessageBody<'rpcLog'>): Readonly<Record<string, string>> {
  return { text: message, workerCategory: category };
}
