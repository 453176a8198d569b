/**
 * One EventStream of one worker.
 *
 * Phases: Opening (waits for StartStream or WorkerConnect) -> Handshaking (init, index, load) -> Open -> Draining -> Closed. Ownership: the
 * Runtime hands every accepted link to a stream, which owns it from then on. The session is the JobHost's side of it.
 *
 * I1 The first message must be StartStream or WorkerConnect and must come in time; else the stream ends with a status that
 *    says why.
 * I2 Only a worker that the owner admits gets a handshake; any other stream ends with the owner's reason.
 * I3 A frame that is no StreamingMessage ends this stream and no other.
 * I4 Messages of a kind that nobody waits for are logged and ignored.
 * I5 The session hears of the end exactly once, unless it aborted the stream itself; afterwards no frame reaches it.
 * I6 A WorkerConnect is verified before anything else is done with it; its sidecar hears of success, refusal and Ready.
 */
import { type Clock, type Log, messageOf, type PlatformError, StateMachine, type Timer } from '@switchyard/kernel';
import { jobHostKey } from '@switchyard/model';
import {
  grpcStatus,
  type InvocationResponse,
  type Link,
  type LinkStatus,
  type RpcLog,
  readWorkerClaims,
  StreamingMessage,
  type WorkerClaims,
  type WorkerConnect,
} from '@switchyard/protocol';
import type { VerifyWorker, WorkerVerdict } from '../contract.ts';
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
export interface StreamDoor {
  /** A worker names its id in StartStream. */
  admit(workerId: string, channel: WorkerChannel): Admission;
  /** A sidecar brings the worker of an app by WorkerConnect; its claims were verified. */
  connect(claims: WorkerClaims, channel: WorkerChannel): Admission;
  readonly verify: VerifyWorker;
}

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

/** The stream machine; a stream may end in any phase. */
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
  readonly #door: StreamDoor;
  readonly #machine: StateMachine<StreamState>;

  constructor(deps: WorkerStreamDeps, limits: RuntimeLimits, link: Link, door: StreamDoor) {
    this.#deps = deps;
    this.#limits = limits;
    this.#link = link;
    this.#door = door;
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
    switch (content?.$case) {
      case 'startStream':
        this.#begin(this.#door.admit(content.value.workerId, this), (handshake) => handshake.start());
        return;
      case 'workerConnect':
        this.#verify(content.value);
        return;
      default:
        this.#refuse(
          runtimeErrors.create('WORKER_FIRST_MESSAGE', { received: content?.$case ?? 'an unknown message' }),
        );
    }
  }

  #verify(message: WorkerConnect): void {
    const claims = readWorkerClaims(message);
    const verdict = this.#door.verify(this.#link.metadata, claims);
    if (!(verdict instanceof Promise)) {
      this.#connect(message, claims, verdict);
      return;
    }
    // Nothing is read meanwhile; the time for the first message limits this, too.
    this.#link.pause();
    verdict.then(
      (settled) => {
        this.#connect(message, claims, settled);
        this.#link.resume();
      },
      (thrown: unknown) => {
        const details = { workerId: claims.workerId, reason: messageOf(thrown) };
        if (this.#machine.kind === 'opening') this.#refuse(runtimeErrors.create('WORKER_UNVERIFIED', details, thrown));
      },
    );
  }

  #connect(message: WorkerConnect, claims: WorkerClaims, verdict: WorkerVerdict): void {
    if (this.#machine.kind !== 'opening') return;
    if (verdict.kind === 'refused') {
      const { workerId } = claims;
      this.#logRefusal(`status ${verdict.status.code}`, verdict.status.message, { workerId });
      this.abort(verdict.status);
      return;
    }
    const onReady = (): void => void this.#link.send(readyFrame(claims));
    this.#begin(this.#door.connect(claims, this), (handshake) => handshake.startConnected(message), onReady);
  }

  #begin(admission: Admission, start: (handshake: Handshake) => void, onReady: () => void = () => {}): void {
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
        onReady();
      },
      failed: (error) => this.#fail(session, error),
    });
    this.#machine.transition({ kind: 'handshaking', session, handshake });
    session.worker.framesReceived += 1;
    start(handshake);
  }

  /** Ends a stream that belongs to no worker. */
  #refuse(error: PlatformError): void {
    this.#logRefusal(error.code, error.message, {});
    this.abort({ code: error.definition.grpc, message: error.message });
  }

  #logRefusal(code: string, reason: string, fields: Readonly<Record<string, string>>): void {
    const peer = this.#link.peer;
    this.#deps.log.write('warning', 'A worker stream was refused.', {
      category: 'Host.Worker',
      peer,
      code,
      reason,
      ...fields,
    });
  }

  #break(state: Exclude<StreamState, { kind: 'closed' }>, error: PlatformError): void {
    if (state.kind === 'opening') this.#refuse(error);
    else this.#fail(state.session, error);
  }

  #fail(session: StreamSession, error: PlatformError): void {
    const { state } = this.#machine;
    if (state.kind === 'closed') return;
    const isConnecting = state.kind === 'handshaking' && state.handshake.awaitsConnectResponse;
    const code = isConnecting ? grpcStatus.failedPrecondition : error.definition.grpc;
    this.abort({ code, message: error.message });
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

/** Tells the sidecar that its worker takes invocations now. */
function readyFrame({ workerId, application }: WorkerClaims): Uint8Array {
  const value = { workerId, applicationId: application.applicationId, jobHostId: jobHostKey(application) };
  return StreamingMessage.encode({
    requestId: '',
    content: { $case: 'workerSpecializedNotification', value },
  }).finish();
}

function terminateFrame(graceMs: number): Uint8Array {
  const gracePeriod = { seconds: BigInt(Math.ceil(graceMs / 1_000)), nanos: 0 };
  return StreamingMessage.encode({
    requestId: '',
    content: { $case: 'workerTerminate', value: { gracePeriod } },
  }).finish();
}
