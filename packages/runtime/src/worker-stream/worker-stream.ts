/**
 * One EventStream of one worker.
 *
 * Phases: Opening (waits for StartStream) -> Handshaking (init, index, load) -> Open -> Draining -> Closed. Ownership: the
 * Runtime hands every accepted link to a stream, which owns it from then on. The session is the JobHost's side of it.
 *
 * I1 The first message must be StartStream and must come in time; else the stream ends with a status that says why.
 * I2 Only a worker that the owner admits gets a handshake; any other stream ends with the owner's reason.
 * I3 A frame that is no StreamingMessage ends this stream and no other.
 * I4 Messages of a kind that nobody waits for are logged and ignored.
 * I5 The session hears of the end exactly once, unless it aborted the stream itself; afterwards no frame reaches it.
 */
import { type Clock, type Log, messageOf, type PlatformError, StateMachine, type Timer } from '@switchyard/kernel';
import {
  grpcStatus,
  type InvocationResponse,
  type Link,
  type LinkStatus,
  type RpcLog,
  StreamingMessage,
} from '@switchyard/protocol';
import { runtimeErrors } from '../errors.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import { Handshake, type HandshakePlan } from './handshake.ts';

/** The JobHost's side of an admitted stream. */
export interface StreamSession {
  readonly worker: Worker;
  readonly plan: HandshakePlan;
  /** WorkerInitResponse was good. */
  initialized(): void;
  /** Every load request was answered. */
  ready(): void;
  /** The handshake failed or the worker broke the protocol; the stream is over. */
  failed(error: PlatformError): void;
  /** A frame came from a worker that counted as unhealthy. */
  revived(): void;
  log(line: RpcLog): void;
  answer(response: InvocationResponse): void;
  /** The stream ended, for this reason. */
  ended(reason: string): void;
}

export type Admission =
  | { readonly kind: 'admitted'; readonly session: StreamSession }
  | { readonly kind: 'refused'; readonly error: PlatformError };

/** Decides which worker a stream belongs to. */
export type Admit = (workerId: string, channel: WorkerChannel) => Admission;

export interface WorkerStreamDeps {
  readonly clock: Clock;
  readonly log: Log;
}

type StreamState =
  | { readonly kind: 'opening'; readonly deadline: Timer }
  | { readonly kind: 'handshaking'; readonly session: StreamSession; readonly handshake: Handshake }
  | { readonly kind: 'open'; readonly session: StreamSession }
  | { readonly kind: 'draining'; readonly session: StreamSession; readonly deadline: Timer }
  | { readonly kind: 'closed' };

/** The stream machine of the design (section 10); a stream may end in any phase. */
export const streamEdges = {
  opening: ['handshaking', 'closed'],
  handshaking: ['open', 'draining', 'closed'],
  open: ['draining', 'closed'],
  draining: ['closed'],
  closed: [],
} as const;

export class WorkerStream implements WorkerChannel {
  readonly #deps: WorkerStreamDeps;
  readonly #limits: RuntimeLimits;
  readonly #link: Link;
  readonly #admit: Admit;
  readonly #machine: StateMachine<StreamState>;

  constructor(deps: WorkerStreamDeps, limits: RuntimeLimits, link: Link, admit: Admit) {
    this.#deps = deps;
    this.#limits = limits;
    this.#link = link;
    this.#admit = admit;
    const timeoutMs = limits.startStreamMs;
    const deadline = deps.clock.schedule(timeoutMs, () =>
      this.#refuse(runtimeErrors.create('WORKER_START_STREAM_TIMEOUT', { timeoutMs })),
    );
    this.#machine = new StateMachine<StreamState>({ kind: 'opening', deadline }, streamEdges, (from) => {
      if ('deadline' in from) from.deadline.cancel();
    });
  }

  get state(): StreamState['kind'] {
    return this.#machine.kind;
  }

  /** Begins to read. */
  start(): void {
    this.#link.closed.then(
      (end) => this.#ended(end.message === '' ? `gRPC status ${end.code}` : end.message),
      (reason: unknown) => this.#ended(messageOf(reason)),
    );
    this.#link.receive({
      frame: (bytes) => this.#frame(bytes),
      end: () => {
        this.#ended('the worker ended its stream');
        this.#link.end({ code: grpcStatus.ok, message: '' });
      },
    });
  }

  send(frame: Uint8Array): boolean {
    return this.#link.send(frame);
  }

  drained(): Promise<void> {
    return this.#link.drained();
  }

  terminate(): void {
    const { state } = this.#machine;
    if (state.kind !== 'open' && state.kind !== 'handshaking') return;
    const { session } = state;
    if (state.kind === 'handshaking') state.handshake.stop();
    const graceMs = this.#limits.terminateGraceMs;
    const deadline = this.#deps.clock.schedule(graceMs, () => {
      this.#ended('the worker did not end in time');
      this.#link.cancel({ code: grpcStatus.cancelled, message: 'the worker was told to end and did not' });
    });
    this.#machine.transition({ kind: 'draining', session, deadline });
    // The end of our direction ends the stream: a worker that is told to end still has its last lines to send.
    if (session.worker.capabilities.terminate) this.#link.send(terminateFrame(graceMs));
    else this.#link.end({ code: grpcStatus.ok, message: '' });
  }

  abort(status: LinkStatus): void {
    this.#close();
    this.#link.cancel(status);
  }

  #frame(bytes: Uint8Array): void {
    const { state } = this.#machine;
    if (state.kind === 'closed') return;
    let message: StreamingMessage;
    try {
      message = StreamingMessage.decode(bytes);
    } catch (thrown) {
      const details = { sizeBytes: bytes.byteLength, reason: messageOf(thrown) };
      this.#break(state, runtimeErrors.create('WORKER_FRAME_INVALID', details, thrown));
      return;
    }
    if (state.kind === 'opening') {
      this.#open(message.content);
      return;
    }
    const { worker } = state.session;
    worker.framesReceived += 1;
    if (worker.state.kind === 'unhealthy') state.session.revived();
    this.#message(state, message.content);
  }

  #message(state: Exclude<StreamState, { kind: 'opening' | 'closed' }>, content: StreamingMessage['content']): void {
    switch (content?.$case) {
      case 'invocationResponse':
        state.session.answer(content.value);
        return;
      case 'rpcLog':
        state.session.log(content.value);
        return;
      case 'workerStatusResponse':
      case 'workerHeartbeat':
        return;
      default:
        if (content !== undefined && state.kind === 'handshaking' && state.handshake.receive(content)) return;
        this.#deps.log.write('debug', 'A message came that nobody waits for; it is ignored.', {
          workerId: state.session.worker.workerId,
          kind: content?.$case ?? 'unknown',
        });
    }
  }

  #open(content: StreamingMessage['content']): void {
    if (content?.$case !== 'startStream') {
      this.#refuse(runtimeErrors.create('WORKER_FIRST_MESSAGE', { received: content?.$case ?? 'an unknown message' }));
      return;
    }
    const admission = this.#admit(content.value.workerId, this);
    if (admission.kind === 'refused') {
      this.#refuse(admission.error);
      return;
    }
    const { session } = admission;
    const handshake = new Handshake(this.#deps.clock, session.worker, session.plan, {
      initialized: () => session.initialized(),
      done: () => {
        if (this.#machine.allows('open')) this.#machine.transition({ kind: 'open', session });
        session.ready();
      },
      failed: (error) => this.#fail(session, error),
    });
    this.#machine.transition({ kind: 'handshaking', session, handshake });
    session.worker.framesReceived += 1;
    handshake.start();
  }

  /** Ends a stream that belongs to no worker. */
  #refuse(error: PlatformError): void {
    this.#deps.log.write('warning', 'A worker stream was refused.', {
      category: 'Host.Worker',
      peer: this.#link.peer,
      code: error.code,
      reason: error.message,
    });
    this.abort({ code: error.definition.grpc, message: error.message });
  }

  #break(state: Exclude<StreamState, { kind: 'closed' }>, error: PlatformError): void {
    if (state.kind === 'opening') this.#refuse(error);
    else this.#fail(state.session, error);
  }

  #fail(session: StreamSession, error: PlatformError): void {
    if (this.#machine.kind === 'closed') return;
    this.abort({ code: error.definition.grpc, message: error.message });
    session.failed(error);
  }

  #ended(reason: string): void {
    const { state } = this.#machine;
    if (state.kind === 'closed') return;
    this.#close();
    if ('session' in state) state.session.ended(reason);
  }

  #close(): void {
    const { state } = this.#machine;
    if (state.kind === 'closed') return;
    this.#machine.transition({ kind: 'closed' });
    if (state.kind === 'handshaking') state.handshake.stop();
  }
}

function terminateFrame(graceMs: number): Uint8Array {
  const gracePeriod = { seconds: BigInt(Math.ceil(graceMs / 1_000)), nanos: 0 };
  return StreamingMessage.encode({
    requestId: '',
    content: { $case: 'workerTerminate', value: { gracePeriod } },
  }).finish();
}
