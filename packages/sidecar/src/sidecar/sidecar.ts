/**
 * A sidecar: stands between one language worker and the Runtimes. It plays host for the placeholder, turns it into the
 * worker of an app when told so, and from then on carries frames. How it is bound to a Runtime is its binding's business.
 *
 * Phases: Starting (no worker yet) -> Warming -> Warm -> Specializing -> Connecting -> Relaying -> Draining -> Stopped;
 * Relaying -> Connecting when the Runtime is lost, Warm -> Warming when a placeholder's is; any -> Failed.
 * Ownership: the pod owns it; it owns the worker's stream, the Runtime's stream and the HTTP route.
 *
 * I1 Bound late, no stream to a Runtime is opened before an app was assigned, and none before the worker has reloaded.
 * I2 An assignment succeeds only after the Runtime has taken the worker.
 * I3 The same app again joins the assignment that is under way or done; another app is refused, and so is any before Warm.
 * I4 From the reload on the worker is tainted: whatever fails then ends the sidecar, and it never serves another app.
 * I5 The worker keeps its one stream from its start to its end, whatever becomes of the Runtime's.
 * I6 A Runtime that is lost is dialled again, with the next epoch, for at most `reconnectMs`; one that refuses is not.
 * I7 When the worker has ended, the Runtime's stream ends after its last frames and console lines.
 * I8 `ended` resolves once.
 * I9 A worker that was indexed takes the same content without a second reload, and no other app.
 */
import { createDeferred, type PlatformError, StateMachine, settlesWithin } from '@switchyard/kernel';
import {
  type Assignment,
  type AssignOutcome,
  grpcStatus,
  type Link,
  type LinkEnd,
  type MessageContent,
  type RuntimeCall,
  type UnaryReply,
} from '@switchyard/protocol';
import type { ProxyRoute } from '../http-proxy/worker-http-proxy.ts';
import { refuseRestarts } from '../restart/restart-request.ts';
import { isSameApp, isSameContent, isSameOwner, openContent } from './assigned-content.ts';
import { createAttachedBinding } from './attached-binding.ts';
import { connectInTime } from './connect-in-time.ts';
import { isFinal } from './connect-runtime.ts';
import { toConsoleFrame } from './console-frame.ts';
import { ConsoleOutlet } from './console-outlet.ts';
import { sidecarErrors } from './errors.ts';
import { routeHttp } from './http-route.ts';
import { createLateBinding } from './late-binding.ts';
import { defaultSidecarLimits, type SidecarLimits } from './limits.ts';
import { LocalWorker } from './local-worker.ts';
import type { MutableRelayCounts, Relay } from './relay.ts';
import type { RuntimeBinding } from './runtime-binding.ts';
import type {
  IndexOutcome,
  Sidecar,
  SidecarDeps,
  SidecarEnd,
  SidecarOptions,
  SidecarStateKind,
  SidecarStatus,
} from './sidecar-contract.ts';
import {
  appOf,
  droppedBy,
  type Indexing,
  refusalOf,
  type SidecarState,
  sidecarEdges,
  type Task,
  type Warm,
} from './sidecar-state.ts';
import { type SpecializedWorker, toIndexOutcome } from './specialize.ts';

/** The capability of workers that take WorkerTerminate. */
const terminateCapability = 'HandlesWorkerTerminateMessage';

/** Makes a sidecar that waits for its worker. */
export function createSidecar(deps: SidecarDeps, options: SidecarOptions): Sidecar {
  return new WorkerSidecar(deps, options);
}

class WorkerSidecar implements Sidecar {
  readonly workerId: string;
  readonly #deps: SidecarDeps;
  readonly #options: SidecarOptions;
  readonly #limits: SidecarLimits;
  readonly #machine: StateMachine<SidecarState>;
  readonly #warm = createDeferred<void>();
  readonly #ended = createDeferred<SidecarEnd>();
  readonly #consoleEnded = createDeferred<void>();
  readonly #binding: RuntimeBinding;
  readonly #outlet: ConsoleOutlet;
  readonly #counts: MutableRelayCounts = {
    framesUp: 0,
    framesDown: 0,
    bytesUp: 0,
    bytesDown: 0,
    framesConsumed: 0,
    linesDropped: 0,
  };
  /** The relay of the latest stream to a Runtime. */
  #relay: Relay | undefined;
  #route: ProxyRoute | undefined;
  /** The app that a Runtime has taken the worker for. */
  #taken: Assignment | undefined;
  #epoch: number;
  /** The epoch in which the Runtime has said that the worker is Ready. */
  #readyEpoch = -1;
  #isTainted = false;

  constructor(deps: SidecarDeps, options: SidecarOptions) {
    this.workerId = options.workerId;
    this.#deps = deps;
    this.#options = options;
    this.#limits = { ...defaultSidecarLimits, ...options.limits };
    this.#epoch = options.firstEpoch ?? 0;
    this.#machine = new StateMachine<SidecarState>({ kind: 'starting' }, sidecarEdges, (from, to) => {
      deps.log.write('debug', 'Sidecar changed its state.', { workerId: this.workerId, from: from.kind, to: to.kind });
    });
    this.#outlet = new ConsoleOutlet(this.#limits.waitingConsoleLines, this.#counts);
    this.#binding = this.#createBinding();
    this.#expectWorker();
  }

  get state(): SidecarStateKind {
    return this.#machine.kind;
  }

  get warm(): Promise<void> {
    return this.#warm.promise;
  }

  get ended(): Promise<SidecarEnd> {
    return this.#ended.promise;
  }

  get isTainted(): boolean {
    return this.#isTainted;
  }

  acceptWorker(link: Link): void {
    if (this.#machine.kind !== 'starting') {
      const error = sidecarErrors.create('SIDECAR_WORKER_PRESENT', { workerId: this.workerId });
      link.cancel({ code: error.definition.grpc, message: error.message });
      return;
    }
    const { heldFrames } = this.#limits;
    const worker = new LocalWorker(this.#deps, link, { workerId: this.workerId, heldFrames });
    this.#machine.transition({ kind: 'warming', worker });
    void worker.ended.then((reason) => this.#workerEnded(worker, reason));
    this.#introduce(worker).catch((error: PlatformError) => this.#fail(error));
  }

  assign(assignment: Assignment): Promise<AssignOutcome> {
    const { state } = this.#machine;
    if (state.kind === 'warm' && this.#isFreeFor(state, assignment)) return this.#begin(state, assignment);
    if ('task' in state && isSameApp(state.task.assignment, assignment)) return state.task.outcome;
    return Promise.resolve({ kind: 'refused', error: refusalOf(state, this.workerId, assignment) });
  }

  index(assignment: Assignment): Promise<IndexOutcome> {
    const { state } = this.#machine;
    if (this.#options.attachTo !== undefined) {
      const error = sidecarErrors.create('SIDECAR_INDEX_UNSUPPORTED', { workerId: this.workerId });
      return Promise.resolve({ kind: 'refused', error });
    }
    if ('indexing' in state && isSameContent(state.indexing.assignment, assignment)) return state.indexing.outcome;
    if (state.kind !== 'warm' || !this.#isFreeFor(state, assignment)) {
      return Promise.resolve({ kind: 'refused', error: refusalOf(state, this.workerId, assignment) });
    }
    const { prepared } = state;
    if (prepared !== undefined && isSameContent(prepared.assignment, assignment)) {
      return Promise.resolve(toIndexOutcome(prepared));
    }
    const outcome = createDeferred<IndexOutcome>();
    const indexing: Indexing = { assignment, outcome: outcome.promise };
    this.#machine.transition({ kind: 'specializing', worker: state.worker, indexing });
    this.#index(state, assignment).then(outcome.resolve, outcome.reject);
    return outcome.promise;
  }

  async callRuntime(call: RuntimeCall): Promise<UnaryReply> {
    const { callRuntime } = this.#deps;
    const { kind } = this.#machine;
    const assignment = kind === 'relaying' || kind === 'draining' ? this.#taken : undefined;
    if (callRuntime === undefined) return { code: grpcStatus.unimplemented, message: `nobody here takes ${call.path}` };
    if (assignment !== undefined) return await callRuntime(call, { workerId: this.workerId, assignment });
    return { code: grpcStatus.failedPrecondition, message: `the worker has no Runtime that takes ${call.path} now` };
  }

  console(stream: 'stdout' | 'stderr', line: string): void {
    if (!this.#isTainted) {
      this.#deps.log.write('debug', 'A placeholder printed a line.', { workerId: this.workerId, stream, line });
      return;
    }
    this.#outlet.write(toConsoleFrame(stream, line, this.#options.traits.stderrIsError ?? false));
  }

  consoleEnded(): void {
    this.#consoleEnded.resolve();
  }

  async drain(deadlineMs: number): Promise<void> {
    const { state } = this.#machine;
    const { clock } = this.#deps;
    if (!this.#machine.allows('draining')) return;
    const worker = 'worker' in state ? state.worker : undefined;
    this.#beginDraining(worker);
    if (worker !== undefined) {
      // A worker that does not know the message, or has no app to close, is told by the end of its stream.
      if ('app' in state && (state.app.capabilities.get(terminateCapability) ?? '') !== '') {
        const gracePeriod = { seconds: BigInt(Math.ceil(deadlineMs / 1_000)), nanos: 0 };
        if (this.#relay?.hasTerminated !== true) worker.send({ $case: 'workerTerminate', value: { gracePeriod } });
      } else worker.end();
      await settlesWithin(clock, deadlineMs, worker.ended);
    }
    await this.#farewell(worker);
  }

  status(): SidecarStatus {
    const { state } = this.#machine;
    const isServing = state.kind === 'relaying';
    return {
      workerId: this.workerId,
      state: state.kind,
      isWorkerConnected: 'worker' in state && state.worker?.isConnected === true,
      isRuntimeConnected: isServing || (state.kind === 'warm' && this.#relay !== undefined),
      isReady: (state.kind === 'warm' && !this.#isTainted) || (isServing && this.#readyEpoch === this.#epoch),
      ...appOf(state, this.#options.attachTo),
      stack: this.#options.stack,
      counts: { ...this.#counts, linesDropped: this.#counts.linesDropped + droppedBy(state) },
      epoch: this.#epoch,
    };
  }

  /** A worker that never comes is a failure. */
  #expectWorker(): void {
    const { startStreamMs: timeoutMs } = this.#limits;
    const timer = this.#deps.clock.schedule(timeoutMs, () => {
      if (this.#machine.kind !== 'starting') return;
      const details = { workerId: this.workerId, awaited: 'stream', timeoutMs };
      this.#fail(sidecarErrors.create('SIDECAR_WORKER_TIMEOUT', details));
    });
    const cancel = (): void => timer.cancel();
    this.#warm.promise.then(cancel, cancel);
    void this.#ended.promise.then(cancel);
  }

  async #introduce(worker: LocalWorker): Promise<void> {
    await worker.introduce(this.#limits.startStreamMs);
    await this.#warmUp(worker);
  }

  async #warmUp(worker: LocalWorker): Promise<void> {
    const placeholder = await this.#binding.warmUp(worker);
    if (this.#machine.kind !== 'warming') return;
    this.#machine.transition({ kind: 'warm', worker, placeholder });
    this.#warm.resolve();
    const own = this.#options.attachTo?.application;
    if (own === undefined) return;
    const outcome = await this.assign(own);
    if (outcome.kind !== 'assigned') this.#fail(outcome.error);
  }

  /** True when the worker may take the app: it has seen none, or this one. */
  #isFreeFor({ prepared }: Warm, assignment: Assignment): boolean {
    return prepared === undefined || isSameOwner(prepared.assignment, assignment);
  }

  #begin(state: Warm, assignment: Assignment): Promise<AssignOutcome> {
    const outcome = createDeferred<AssignOutcome>();
    const task: Task = { assignment, outcome: outcome.promise };
    this.#machine.transition({ kind: 'specializing', worker: state.worker, task });
    this.#specialize(state, task).then(outcome.resolve, outcome.reject);
    return outcome.promise;
  }

  async #specialize(state: Warm, task: Task): Promise<AssignOutcome> {
    const prepared = await this.#prepare(state, task.assignment);
    if (prepared.kind === 'failed') return prepared;
    const { app } = prepared;
    const error = await this.#connect(state.worker, task, app, this.#limits.firstConnectMs);
    if (error === undefined) return { kind: 'assigned' };
    this.#fail(error);
    return { kind: 'failed', error, tainted: true };
  }

  async #index(state: Warm, assignment: Assignment): Promise<IndexOutcome> {
    const prepared = await this.#prepare(state, assignment);
    if (prepared.kind === 'failed') return prepared;
    if (this.#machine.kind !== 'specializing') {
      const error = sidecarErrors.create('SIDECAR_ENDED', { workerId: this.workerId, state: this.#machine.kind });
      return { kind: 'failed', error, tainted: true };
    }
    this.#machine.transition({ ...state, prepared: prepared.app });
    return toIndexOutcome(prepared.app);
  }

  /** The worker with the app's files, environment and functions. */
  async #prepare(
    state: Warm,
    assignment: Assignment,
  ): Promise<
    { kind: 'prepared'; app: SpecializedWorker } | { kind: 'failed'; error: PlatformError; tainted: boolean }
  > {
    const { worker, placeholder, prepared } = state;
    if (prepared !== undefined && isSameContent(prepared.assignment, assignment)) {
      return { kind: 'prepared', app: { ...prepared, assignment } };
    }
    const content = await openContent(assignment, this.#deps.openPackage);
    if (content.kind === 'failed') {
      // Nothing new has reached the worker: it stays what it was.
      if (this.#machine.kind === 'specializing') this.#machine.transition(state);
      return { kind: 'failed', error: content.error, tainted: this.#isTainted };
    }
    this.#isTainted = true;
    this.#outlet.connect(undefined);
    worker.hold();
    try {
      const app = { assignment, scriptRoot: content.scriptRoot };
      const specialized = await this.#binding.specialize(worker, placeholder, app);
      return { kind: 'prepared', app: this.#withRoute(specialized) };
    } catch (thrown) {
      const error = thrown as PlatformError;
      this.#fail(error);
      return { kind: 'failed', error, tainted: true };
    }
  }

  /** The worker's own HTTP port stays inside the pod. */
  #withRoute(app: SpecializedWorker): SpecializedWorker {
    this.#route?.close();
    const { runtimeEndpoint } = app.assignment;
    const { route, capabilities } = routeHttp(this.workerId, app.capabilities, this.#deps.httpProxy, runtimeEndpoint);
    this.#route = route;
    return { ...app, capabilities };
  }

  /** Tries until the Runtime takes the worker, refuses it, or the time is over. */
  async #connect(
    worker: LocalWorker,
    task: Task,
    app: SpecializedWorker,
    windowMs: number,
  ): Promise<PlatformError | undefined> {
    const over = (): PlatformError =>
      sidecarErrors.create('SIDECAR_ENDED', { workerId: this.workerId, state: this.#machine.kind });
    if (!this.#machine.allows('connecting')) return over();
    const connecting = { kind: 'connecting', worker, task, app } as const;
    this.#machine.transition(connecting);
    const outcome = await connectInTime(this.#deps, {
      endpoint: app.assignment.runtimeEndpoint,
      windowMs,
      backoff: this.#limits.connectBackoff,
      connect: () => this.#binding.connect(worker, app),
      isWanted: () => this.#machine.state === connecting,
    });
    if (outcome.kind === 'unwanted') return over();
    if (outcome.kind === 'failed') return outcome.error;
    this.#taken = app.assignment;
    this.#machine.transition({ ...connecting, kind: 'relaying', relay: outcome.relay });
    void outcome.relay.runtime.closed.then((end) => this.#runtimeEnded(outcome.relay, end));
    return undefined;
  }

  #createBinding(): RuntimeBinding {
    const hooks = {
      relay: {
        counts: this.#counts,
        waitingConsoleLines: this.#limits.waitingConsoleLines,
        onControl: (content: MessageContent, requestId: string) => this.#control(content, requestId),
      },
      nextEpoch: () => {
        this.#epoch += 1;
        return (this.#options.epochBase ?? 0) + this.#epoch;
      },
      onOpen: (relay: Relay | undefined) => {
        this.#relay = relay;
        this.#outlet.connect(relay);
      },
      onPlaceholderLost: (relay: Relay, end: LinkEnd) => this.#placeholderLost(relay, end),
    };
    const create = this.#options.attachTo === undefined ? createLateBinding : createAttachedBinding;
    return create(this.#deps, this.#options, this.#limits, hooks);
  }

  #control(content: MessageContent, requestId: string): void {
    switch (content.$case) {
      case 'workerSpecializedNotification':
        this.#readyEpoch = this.#epoch;
        return;
      case 'workerRestartRequest': {
        const { onRestartRequest = refuseRestarts } = this.#deps;
        onRestartRequest(content.value, (value) =>
          this.#relay?.send({ $case: 'workerRestartResponse', value }, requestId),
        );
        return;
      }
      default:
        this.#deps.log.write('debug', 'The Runtime sent what nobody waits for.', { kind: content.$case });
    }
  }

  /** A placeholder without its Runtime is not warm: it is attached again, unless it is not wanted there. */
  #placeholderLost(relay: Relay, end: LinkEnd): void {
    const { state } = this.#machine;
    if (this.#relay === relay) this.#relay = undefined;
    if (state.kind !== 'warm') return;
    const { worker } = state;
    const { workerId } = this;
    if (end.code === grpcStatus.ok) {
      this.#beginDraining(worker);
      void this.#farewell(worker);
      return;
    }
    const endpoint = this.#options.attachTo?.endpoint ?? '';
    this.#deps.log.write('warning', 'The Runtime is lost.', { workerId, endpoint, reason: end.message });
    if (isFinal(end)) {
      const details = { endpoint, workerId, status: end.code, reason: end.message };
      this.#fail(sidecarErrors.create('SIDECAR_RUNTIME_REFUSED', details));
      return;
    }
    this.#machine.transition({ kind: 'warming', worker });
    this.#warmUp(worker).catch((error: PlatformError) => this.#fail(error));
  }

  #runtimeEnded(relay: Relay, end: LinkEnd): void {
    const { state } = this.#machine;
    if (state.kind !== 'relaying' || state.relay !== relay) return;
    relay.close();
    this.#relay = undefined;
    this.#outlet.connect(undefined);
    const { worker, task, app } = state;
    if (end.code === grpcStatus.ok) {
      this.#beginDraining(worker);
      void this.#farewell(worker);
      return;
    }
    const { runtimeEndpoint: endpoint } = app.assignment;
    const reason = end.message;
    this.#deps.log.write('warning', 'The Runtime is lost.', { workerId: this.workerId, endpoint, reason });
    if (isFinal(end)) {
      const details = { endpoint, workerId: this.workerId, status: end.code, reason };
      this.#fail(sidecarErrors.create('SIDECAR_RUNTIME_REFUSED', details));
      return;
    }
    void this.#connect(worker, task, app, this.#limits.reconnectMs).then((error) => error && this.#fail(error));
  }

  #workerEnded(worker: LocalWorker, reason: string): void {
    const { state } = this.#machine;
    if (state.kind === 'relaying') {
      this.#beginDraining(worker);
      void this.#farewell(worker);
    } else if (state.kind !== 'draining') {
      const details = { workerId: this.workerId, state: state.kind, reason };
      this.#fail(sidecarErrors.create('SIDECAR_WORKER_LOST', details));
    }
  }

  #beginDraining(worker: LocalWorker | undefined): void {
    this.#machine.transition({ kind: 'draining', worker });
    const error = sidecarErrors.create('SIDECAR_ENDED', { workerId: this.workerId, state: 'draining' });
    this.#warm.reject(error);
  }

  /** The worker has ended, or had its time: its last frames and lines leave, then both streams end. */
  async #farewell(worker: LocalWorker | undefined): Promise<void> {
    const { clock } = this.#deps;
    const { consoleDrainMs, farewellMs } = this.#limits;
    worker?.end();
    if (this.#options.hasConsole && this.#relay !== undefined) {
      await settlesWithin(clock, consoleDrainMs, this.#consoleEnded.promise);
    }
    const relay = this.#relay;
    relay?.end();
    if (relay !== undefined) await settlesWithin(clock, farewellMs, relay.runtime.closed);
    this.#release();
    if (!this.#machine.allows('stopped')) return;
    this.#machine.transition({ kind: 'stopped' });
    this.#ended.resolve({ kind: 'stopped' });
  }

  #fail(error: PlatformError): void {
    const { state } = this.#machine;
    if (!this.#machine.allows('failed') || state.kind === 'draining') return;
    this.#deps.log.write('warning', 'A sidecar failed.', {
      workerId: this.workerId,
      state: state.kind,
      code: error.code,
      reason: error.message,
    });
    this.#machine.transition({ kind: 'failed', error });
    const worker = 'worker' in state ? state.worker : undefined;
    worker?.link.cancel({ code: error.definition.grpc, message: error.message });
    this.#release();
    this.#warm.reject(error);
    this.#ended.resolve({ kind: 'failed', error });
  }

  #release(): void {
    this.#relay?.close();
    this.#relay = undefined;
    this.#outlet.close();
    this.#route?.close();
    this.#route = undefined;
  }
}
