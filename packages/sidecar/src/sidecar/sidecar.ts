/**
 * A sidecar: stands between one language worker and the Runtimes. It plays host for the placeholder, turns it into the
 * worker of an app when told so, and from then on carries frames.
 *
 * Phases: Starting (no worker yet) -> Warming -> Warm -> Specializing -> Connecting -> Relaying -> Draining -> Stopped;
 * Relaying -> Connecting when the Runtime is lost; any -> Failed.
 * Ownership: the pod owns it; it owns the worker's stream, the Runtime's stream and the HTTP route.
 *
 * I1 No stream to a Runtime is opened before an app was assigned, and none before the worker has reloaded.
 * I2 An assignment succeeds only after the Runtime has answered WorkerConnect well.
 * I3 The same app again joins the assignment that is under way or done; another app is refused, and so is any before Warm.
 * I4 From the reload on the worker is tainted: whatever fails then ends the sidecar, and it is never warm again.
 * I5 The worker keeps its one stream from its start to its end, whatever becomes of the Runtime's.
 * I6 A Runtime that is lost is dialled again, with the next epoch, for at most `reconnectMs`; one that refuses is not.
 * I7 When the worker has ended, the Runtime's stream ends after its last frames and console lines.
 * I8 `ended` resolves once.
 */
import {
  backoffMs,
  createDeferred,
  type Edges,
  messageOf,
  type PlatformError,
  StateMachine,
  settlesWithin,
  sleep,
} from '@switchyard/kernel';
import {
  type Assignment,
  type AssignOutcome,
  grpcStatus,
  type Link,
  type LinkEnd,
  type MessageContent,
  WorkerRestartResponse_Status,
} from '@switchyard/protocol';
import type { ProxyRoute } from '../http-proxy/worker-http-proxy.ts';
import { type ConnectOutcome, connectRuntime, isFinal } from './connect-runtime.ts';
import { toConsoleFrame } from './console-frame.ts';
import { sidecarErrors } from './errors.ts';
import { routeHttp } from './http-route.ts';
import { defaultSidecarLimits, type SidecarLimits } from './limits.ts';
import { LocalWorker } from './local-worker.ts';
import type { MutableRelayCounts, Relay } from './relay.ts';
import type {
  Sidecar,
  SidecarDeps,
  SidecarEnd,
  SidecarOptions,
  SidecarStateKind,
  SidecarStatus,
} from './sidecar-contract.ts';
import { type SpecializedWorker, specialize, type WorkerDescription, warmUp } from './specialize.ts';

/** An app, and what becomes of its assignment. */
interface Task {
  readonly assignment: Assignment;
  readonly outcome: Promise<AssignOutcome>;
}

interface Serving {
  readonly worker: LocalWorker;
  readonly task: Task;
  readonly app: SpecializedWorker;
}

type State =
  | { readonly kind: 'starting' }
  | { readonly kind: 'warming'; readonly worker: LocalWorker }
  | { readonly kind: 'warm'; readonly worker: LocalWorker; readonly placeholder: WorkerDescription }
  | { readonly kind: 'specializing'; readonly worker: LocalWorker; readonly task: Task }
  | ({ readonly kind: 'connecting' } & Serving)
  | ({ readonly kind: 'relaying'; readonly relay: Relay } & Serving)
  | { readonly kind: 'draining'; readonly worker: LocalWorker | undefined }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: PlatformError };

/** The pod machine: which state may follow which. */
export const sidecarEdges: Edges<SidecarStateKind> = {
  starting: ['warming', 'draining', 'failed'],
  warming: ['warm', 'draining', 'failed'],
  warm: ['specializing', 'draining', 'failed'],
  specializing: ['warm', 'connecting', 'draining', 'failed'],
  connecting: ['relaying', 'draining', 'failed'],
  relaying: ['connecting', 'draining', 'failed'],
  draining: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

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
  readonly #machine: StateMachine<State>;
  readonly #warm = createDeferred<void>();
  readonly #ended = createDeferred<SidecarEnd>();
  readonly #consoleEnded = createDeferred<void>();
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
  /** Console lines of the app that wait for a stream. */
  #lines: Uint8Array[] = [];
  #route: ProxyRoute | undefined;
  #epoch = 0;
  /** The epoch in which the Runtime has said that the worker is Ready. */
  #readyEpoch = -1;
  #isTainted = false;

  constructor(deps: SidecarDeps, options: SidecarOptions) {
    this.workerId = options.workerId;
    this.#deps = deps;
    this.#options = options;
    this.#limits = { ...defaultSidecarLimits, ...options.limits };
    this.#machine = new StateMachine<State>({ kind: 'starting' }, sidecarEdges, (from, to) => {
      deps.log.write('debug', 'Sidecar changed its state.', { workerId: this.workerId, from: from.kind, to: to.kind });
    });
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
    this.#warmUp(worker).catch((error: PlatformError) => this.#fail(error));
  }

  assign(assignment: Assignment): Promise<AssignOutcome> {
    const { state } = this.#machine;
    const { workerId } = this;
    const refused = (code: 'SIDECAR_NOT_WARM' | 'SIDECAR_ASSIGNED' | 'SIDECAR_ENDED'): Promise<AssignOutcome> => {
      const { applicationId } = assignment.application;
      const error = sidecarErrors.create(code, { workerId, applicationId, state: state.kind });
      return Promise.resolve({ kind: 'refused', error });
    };
    if (state.kind === 'warm') return this.#begin(state, assignment);
    if ('task' in state) {
      return isSameApp(state.task.assignment, assignment) ? state.task.outcome : refused('SIDECAR_ASSIGNED');
    }
    return refused(state.kind === 'starting' || state.kind === 'warming' ? 'SIDECAR_NOT_WARM' : 'SIDECAR_ENDED');
  }

  console(stream: 'stdout' | 'stderr', line: string): void {
    if (!this.#isTainted) {
      this.#deps.log.write('debug', 'A placeholder printed a line.', { workerId: this.workerId, stream, line });
      return;
    }
    const frame = toConsoleFrame(stream, line, this.#options.traits.stderrIsError ?? false);
    if (this.#relay !== undefined) this.#relay.inject(frame);
    else if (this.#lines.length < this.#limits.waitingConsoleLines) this.#lines.push(frame);
    else this.#counts.linesDropped += 1;
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
        const gracePeriod = toDuration(deadlineMs);
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
      isRuntimeConnected: isServing,
      isReady: state.kind === 'warm' || (isServing && this.#readyEpoch === this.#epoch),
      application: 'task' in state ? state.task.assignment.application : undefined,
      counts: { ...this.#counts, linesDropped: this.#counts.linesDropped + this.#droppedByWorker(state) },
      epoch: this.#epoch,
    };
  }

  #droppedByWorker(state: State): number {
    return 'worker' in state ? (state.worker?.dropped ?? 0) : 0;
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

  async #warmUp(worker: LocalWorker): Promise<void> {
    await worker.introduce(this.#limits.startStreamMs);
    const placeholder = await warmUp(worker, this.#options, this.#limits);
    if (this.#machine.kind !== 'warming') return;
    this.#machine.transition({ kind: 'warm', worker, placeholder });
    this.#warm.resolve();
  }

  #begin(state: Extract<State, { kind: 'warm' }>, assignment: Assignment): Promise<AssignOutcome> {
    const outcome = createDeferred<AssignOutcome>();
    const task: Task = { assignment, outcome: outcome.promise };
    this.#machine.transition({ kind: 'specializing', worker: state.worker, task });
    this.#specialize(state, task).then(outcome.resolve, outcome.reject);
    return outcome.promise;
  }

  async #specialize({ worker, placeholder }: Extract<State, { kind: 'warm' }>, task: Task): Promise<AssignOutcome> {
    const { assignment } = task;
    const content = await this.#openContent(assignment);
    if (content.kind === 'failed') {
      // Nothing of the customer has reached the worker yet: it may serve somebody else.
      if (this.#machine.kind === 'specializing') this.#machine.transition({ kind: 'warm', worker, placeholder });
      return { kind: 'failed', error: content.error, tainted: false };
    }
    this.#isTainted = true;
    worker.hold();
    try {
      const app = { assignment, scriptRoot: content.scriptRoot };
      const specialized = await specialize(worker, placeholder, app, this.#options, this.#limits);
      const error = await this.#connect(worker, task, this.#withRoute(specialized), this.#limits.firstConnectMs);
      if (error === undefined) return { kind: 'assigned' };
      throw error;
    } catch (thrown) {
      const error = thrown as PlatformError;
      this.#fail(error);
      return { kind: 'failed', error, tainted: true };
    }
  }

  async #openContent(
    assignment: Assignment,
  ): Promise<{ kind: 'open'; scriptRoot: string } | { kind: 'failed'; error: PlatformError }> {
    const { content, application } = assignment;
    if (content.kind === 'folder') return { kind: 'open', scriptRoot: content.scriptRoot };
    const { openPackage } = this.#deps;
    const failed = (reason: string, cause?: unknown): { kind: 'failed'; error: PlatformError } => {
      const details = { applicationId: application.applicationId, sha256: content.sha256, reason };
      return { kind: 'failed', error: sidecarErrors.create('SIDECAR_PACKAGE_UNAVAILABLE', details, cause) };
    };
    if (openPackage === undefined) return failed('this sidecar fetches no packages; assign a folder instead');
    try {
      return { kind: 'open', scriptRoot: await openPackage(content.url, content.sha256) };
    } catch (thrown) {
      return failed(messageOf(thrown), thrown);
    }
  }

  /** The worker's own HTTP port stays inside the pod. */
  #withRoute(app: SpecializedWorker): SpecializedWorker {
    const { route, capabilities } = routeHttp(this.workerId, app.capabilities, this.#deps.httpProxy);
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
    const { clock, random } = this.#deps;
    const over = (): PlatformError =>
      sidecarErrors.create('SIDECAR_ENDED', { workerId: this.workerId, state: this.#machine.kind });
    if (!this.#machine.allows('connecting')) return over();
    const connecting = { kind: 'connecting', worker, task, app } as const;
    this.#machine.transition(connecting);
    const endMs = clock.monotonic() + windowMs;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#dial(worker, app);
      if (this.#machine.state !== connecting) {
        if (outcome.kind === 'connected') outcome.relay.close();
        return over();
      }
      if (outcome.kind === 'refused') return outcome.error;
      if (outcome.kind === 'connected') {
        this.#machine.transition({ ...connecting, kind: 'relaying', relay: outcome.relay });
        void outcome.relay.runtime.closed.then((end) => this.#runtimeEnded(outcome.relay, end));
        return undefined;
      }
      const waitMs = backoffMs(this.#limits.connectBackoff, attempt, random);
      if (clock.monotonic() + waitMs > endMs) {
        const details = { endpoint: app.assignment.runtimeEndpoint, timeoutMs: windowMs, reason: outcome.reason };
        return sidecarErrors.create('SIDECAR_RUNTIME_UNREACHABLE', details);
      }
      await sleep(clock, waitMs);
      if (this.#machine.state !== connecting) return over();
    }
  }

  async #dial(worker: LocalWorker, app: SpecializedWorker): Promise<ConnectOutcome> {
    const { stack, instanceId } = this.#options;
    this.#epoch += 1;
    const outcome = await connectRuntime(this.#deps, {
      worker,
      app,
      context: {
        workerId: this.workerId,
        language: stack.runtime,
        languageVersion: stack.version,
        instanceId,
        application: app.assignment.application,
        tenantId: app.assignment.tenantId,
        epoch: this.#epoch,
      },
      relay: {
        counts: this.#counts,
        waitingConsoleLines: this.#limits.waitingConsoleLines,
        onControl: (content, requestId) => this.#control(content, requestId),
      },
      responseTimeoutMs: this.#limits.connectResponseMs,
      onOpen: (relay) => this.#opened(relay),
    });
    if (outcome.kind !== 'connected') this.#relay = undefined;
    return outcome;
  }

  #opened(relay: Relay): void {
    this.#relay = relay;
    const lines = this.#lines;
    this.#lines = [];
    for (const line of lines) relay.inject(line);
  }

  #control(content: MessageContent, requestId: string): void {
    switch (content.$case) {
      case 'workerSpecializedNotification':
        this.#readyEpoch = this.#epoch;
        return;
      case 'workerRestartRequest': {
        const message = 'this worker has no wrapper that could start it again; its pod has to be replaced';
        const value = { status: WorkerRestartResponse_Status.REJECTED, message };
        this.#relay?.send({ $case: 'workerRestartResponse', value }, requestId);
        return;
      }
      default:
        this.#deps.log.write('debug', 'The Runtime sent what nobody waits for.', { kind: content.$case });
    }
  }

  #runtimeEnded(relay: Relay, end: LinkEnd): void {
    const { state } = this.#machine;
    if (state.kind !== 'relaying' || state.relay !== relay) return;
    relay.close();
    this.#relay = undefined;
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
    this.#route?.close();
    this.#route = undefined;
    this.#lines = [];
  }
}

function isSameApp(one: Assignment, other: Assignment): boolean {
  return (
    one.tenantId === other.tenantId &&
    one.application.applicationId === other.application.applicationId &&
    one.application.metadataVersion === other.application.metadataVersion &&
    one.application.codeVersion === other.application.codeVersion
  );
}

function toDuration(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.ceil(ms / 1_000)), nanos: 0 };
}
