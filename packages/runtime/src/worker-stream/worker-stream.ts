/**
 * One EventStream of one worker.
 *
 * Phases: Opening (waits for StartStream or WorkerConnect) -> Handshaking (init, index, load) -> Open -> Draining -> Closed;
 * Open -> Handshaking when a worker that waited for an app gets one. Ownership: the Runtime hands every accepted link to a
 * stream, which owns it from then on. The session is the JobHost's side of it.
 *
 * I1 The first message must be StartStream or WorkerConnect and must come in time; else the stream ends with a status that
 *    says why.
 * I2 Only a worker that the owner admits gets a handshake; any other stream ends with the owner's reason.
 * I3 A frame that is no StreamingMessage ends this stream and no other.
 * I4 Messages of a kind that nobody waits for are logged and ignored.
 * I5 The session hears of the end exactly once, unless it aborted the stream itself; afterwards no frame reaches it.
 * I6 What a sidecar claims is verified before anything else is done with it; it hears of success, refusal and Ready.
 * I7 A worker that gets its app keeps its stream: what it says goes to the placeholder's session before, to the app's after.
 */
import { type Clock, type Log, messageOf, type PlatformError, StateMachine, type Timer } from '@switchyard/kernel';
import { jobHostKey } from '@switchyard/model';
import {
  contextProperty,
  grpcStatus,
  type Link,
  type LinkStatus,
  type MessageContent,
  readStartStreamClaims,
  readWorkerClaims,
  type StartStream,
  StatusResult_Status,
  StreamingMessage,
  type WorkerClaims,
  type WorkerSpecialized,
} from '@switchyard/protocol';
import type { WorkerVerdict } from '../contract.ts';
import { runtimeErrors } from '../errors.ts';
import type { RuntimeLimits } from '../limits.ts';
import { type Destination, RoutingGate } from '../routing/routing-gate.ts';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import { Handshake } from './handshake.ts';
import type { Admission, AttachedStream, Specialization, StreamDoor, StreamSession } from './stream-session.ts';

export type { Admission, StreamDoor, StreamSession } from './stream-session.ts';

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

/** A stream that belongs to a worker. */
type SessionState = Exclude<StreamState, { kind: 'opening' | 'closed' }>;

interface SessionDestination extends Destination<MessageContent | undefined> {
  readonly session: StreamSession;
}

/** The stream machine; a stream may end in any phase. */
export const streamEdges = {
  opening: ['handshaking', 'closed'],
  handshaking: ['open', 'draining', 'closed'],
  open: ['handshaking', 'draining', 'closed'],
  draining: ['closed'],
  closed: [],
} as const;

export class WorkerStream implements WorkerChannel {
  readonly #deps: WorkerStreamDeps;
  readonly #limits: RuntimeLimits;
  readonly #link: Link;
  readonly #door: StreamDoor;
  readonly #machine: StateMachine<StreamState>;
  /** There while the worker may still be moved to an app, and for the rest of such a stream. */
  #gate: RoutingGate<MessageContent | undefined> | undefined;

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
    if (this.#gate === undefined) this.#message(state, message.content);
    else this.#gate.deliver(message.content);
  }

  #message(state: SessionState, content: MessageContent | undefined): void {
    switch (content?.$case) {
      case 'invocationResponse':
        state.session.answer(content.value);
        return;
      case 'rpcLog':
        state.session.log(content.value);
        return;
      case 'workerRestartResponse':
        state.session.worker.restart?.answer(content.value);
        return;
      case 'workerStatusResponse':
      case 'workerHeartbeat':
        return;
      case 'functionEnvironmentReloadResponse':
        state.session.attached?.reloaded(content.value);
        state.session.worker.update?.answer(content.value);
        return;
      case 'workerSpecialized':
        this.#specialize(state, content.value);
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
        this.#start(content.value);
        return;
      case 'workerConnect': {
        const message = content.value;
        const claims = readWorkerClaims(message);
        this.#verify(claims, () => {
          const admission = this.#door.connect(claims, this);
          this.#begin(admission, (handshake) => handshake.startConnected(message), toReadyFrame(claims));
        });
        return;
      }
      default:
        this.#refuse(
          runtimeErrors.create('WORKER_FIRST_MESSAGE', { received: content?.$case ?? 'an unknown message' }),
        );
    }
  }

  /** Without a context the worker dialled itself; with one, its sidecar did. */
  #start(message: StartStream): void {
    const start = (handshake: Handshake): void => handshake.start();
    if (message.properties.size === 0) {
      this.#begin(this.#door.admit(message.workerId, this), start);
      return;
    }
    const claims = readStartStreamClaims(message);
    const waits = claims.isPlaceholder || message.properties.get(contextProperty.announcesApp) === 'true';
    this.#verify(claims, () => {
      if (waits) this.#begin(this.#door.attach(claims, this), start);
      else this.#begin(this.#door.connect(claims, this), start, toReadyFrame(claims));
    });
  }

  #verify(claims: WorkerClaims, accepted: () => void): void {
    const { workerId } = claims;
    const conclude = (verdict: WorkerVerdict): void => {
      if (this.#machine.kind !== 'opening') return;
      if (verdict.kind === 'accepted') {
        accepted();
        return;
      }
      this.#logRefusal(`status ${verdict.status.code}`, verdict.status.message, { workerId });
      this.abort(verdict.status);
    };
    const verdict = this.#door.verify(this.#link.metadata, claims);
    if (!(verdict instanceof Promise)) {
      conclude(verdict);
      return;
    }
    // Nothing is read meanwhile; the time for the first message limits this, too.
    this.#link.pause();
    verdict.then(
      (settled) => {
        conclude(settled);
        this.#link.resume();
      },
      (thrown: unknown) => {
        const details = { workerId, reason: messageOf(thrown) };
        if (this.#machine.kind === 'opening') this.#refuse(runtimeErrors.create('WORKER_UNVERIFIED', details, thrown));
      },
    );
  }

  /** Begins the handshake of an admitted session. `readyFrame` tells its sidecar when the worker takes invocations. */
  #begin(admission: Admission, start: (handshake: Handshake) => void, readyFrame?: Uint8Array): void {
    if (admission.kind === 'refused') {
      this.#refuse(admission.error);
      return;
    }
    const { session } = admission;
    if (session.attached !== undefined) {
      this.#gate = new RoutingGate(this.#destinationOf(session), {
        parkLimit: this.#limits.parkedMessages,
        onPressure: (isPaused) => (isPaused ? this.#link.pause() : this.#link.resume()),
      });
    }
    this.#shakeHands(session, start, readyFrame);
  }

  #shakeHands(session: StreamSession, start: (handshake: Handshake) => void, readyFrame?: Uint8Array): void {
    const handshake = new Handshake(this.#deps.clock, session.worker, session.plan, {
      initialized: () => session.initialized(),
      done: () => {
        if (this.#machine.allows('open')) this.#machine.transition({ kind: 'open', session });
        session.ready();
        if (readyFrame !== undefined) this.#link.send(readyFrame);
      },
      failed: (error) => this.#fail(session, error),
    });
    this.#machine.transition({ kind: 'handshaking', session, handshake });
    session.worker.framesReceived += 1;
    start(handshake);
  }

  #destinationOf(session: StreamSession): SessionDestination {
    return {
      session,
      take: (content) => {
        const { state } = this.#machine;
        if ('session' in state && state.session === session) this.#message(state, content);
      },
    };
  }

  /** The worker was told of an app: it is moved there, on this stream. */
  #specialize(state: SessionState, message: WorkerSpecialized): void {
    const { session } = state;
    const from = this.#gate?.destination;
    if (session.attached === undefined || from === undefined || this.#gate === undefined) {
      this.#answerAgain(session.worker, message);
      return;
    }
    const { attached } = session;
    this.#gate
      .switch(from, async () => {
        const verdict = await attached.specialize(message, this.#link.metadata);
        return () => this.#move(session, attached, message, verdict);
      })
      .catch((thrown: unknown) => {
        const details = { workerId: session.worker.workerId, jobHostKey: '', reason: messageOf(thrown) };
        this.#turnAway(session, message, runtimeErrors.create('WORKER_ANNOUNCEMENT_FAILED', details, thrown));
      });
  }

  /** Swaps the session. */
  #move(
    session: StreamSession,
    attached: AttachedStream,
    message: WorkerSpecialized,
    verdict: Specialization,
  ): SessionDestination | undefined {
    const refuse = (error: PlatformError): undefined => void this.#turnAway(session, message, error);
    if (verdict.kind === 'refused') return refuse(verdict.error);
    const { claims } = verdict;
    // A worker that is told to end, or has left, goes nowhere any more.
    if (this.#machine.kind !== 'open' || !attached.release()) return undefined;
    const admission = this.#door.specialize(session.worker, claims, this);
    if (admission.kind === 'refused') return refuse(admission.error);
    const jobHostId = jobHostKey(claims.application);
    const destination = this.#destinationOf(admission.session);
    const start = (handshake: Handshake): void =>
      handshake.startSpecialized({ jobHostId, correlationId: message.correlationId });
    this.#shakeHands(admission.session, start, toReadyFrame(claims));
    return destination;
  }

  /** The app is not for this worker. It may have seen the app's secrets, so its stream ends, after the answer. */
  #turnAway(session: StreamSession, { correlationId }: WorkerSpecialized, error: PlatformError): void {
    if (this.#machine.kind === 'closed') return;
    this.#link.send(toSpecializedFrame(correlationId, '', error.message));
    this.#close();
    this.#link.end({ code: grpcStatus.permissionDenied, message: error.message });
    session.failed(error);
  }

  /** A worker that serves an app is told of one: it is its own, or nothing happens. */
  #answerAgain(
    worker: Worker,
    { applicationId, metadataVersion, codeVersion, correlationId }: WorkerSpecialized,
  ): void {
    const { application } = worker;
    const isSame =
      application.applicationId === applicationId &&
      application.metadataVersion === metadataVersion &&
      application.codeVersion === codeVersion;
    const { workerId } = worker;
    const problem = isSame
      ? ''
      : runtimeErrors.create('WORKER_NOT_WAITING', { workerId, state: worker.state.kind }).message;
    this.#link.send(toSpecializedFrame(correlationId, isSame ? worker.jobHostKey : '', problem));
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
    const isConnecting = state.kind === 'handshaking' && state.handshake.awaitsAnswer;
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
    this.#gate?.end();
    if (state.kind === 'handshaking') state.handshake.stop();
  }
}

/** Tells the sidecar that its worker takes invocations now. */
function toReadyFrame({ workerId, application }: WorkerClaims): Uint8Array {
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

function toSpecializedFrame(correlationId: string, jobHostId: string, problem: string): Uint8Array {
  const status = problem === '' ? StatusResult_Status.Success : StatusResult_Status.Failure;
  const value = { result: { status, result: problem, exception: undefined, logs: [] }, jobHostId, correlationId };
  return StreamingMessage.encode({ requestId: '', content: { $case: 'workerSpecializedResponse', value } }).finish();
}
