/**
 * Keeps the wished number of workers of one app alive.
 *
 * Phases: Supervising <-> BackingOff (after a failure, until the wait is over) -> Closed.
 * Ownership: the pod host owns one of these per app version; this one owns the app's processes. A worker is *wanted*
 * from its start until it is released or ends by itself; only wanted ones count.
 *
 * I1 Workers that are wanted or about to start never outnumber the wish.
 * I2 While the wish is not met, either a start is under way or a timer runs that leads to one: it never gives up.
 * I3 `expected` is announced before the process starts, and `exited` follows for every announced worker, once.
 * I4 Waits grow with every failure in a row, up to their maximum; a healthy period starts them anew.
 * I5 A released worker is replaced at once, unless the reason says that it failed.
 * I6 After `close` nothing starts.
 * I7 `onIdle` is called when nothing is wished and nothing is left; the owner may forget this object then.
 */
import {
  assertNever,
  backoffMs,
  type Clock,
  createDeferred,
  type Deferred,
  type Log,
  messageOf,
  type PlatformError,
  type Random,
  StateMachine,
  type Timer,
  withDeadline,
} from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { ReleaseReason, SupplyEvent, SupplyRequest } from '@switchyard/protocol';
import { connectionArguments } from './connection-arguments.ts';
import type { LaunchSource, WorkerLaunch } from './contract.ts';
import { podErrors } from './errors.ts';
import type { PodHostLimits } from './limits.ts';
import type { ProcessPort } from './process-port.ts';
import type { StartGate, StartPass } from './start-gate.ts';
import { type WorkerEnd, WorkerProcess } from './worker-process.ts';

export interface ApplicationWorkersDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly launches: LaunchSource;
  readonly processes: ProcessPort;
  readonly gate: StartGate;
}

export interface ApplicationWorkersOptions {
  readonly application: ApplicationDefinition;
  /** Where the workers connect to. */
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly limits: PodHostLimits;
  readonly emit: (event: SupplyEvent) => void;
  readonly onIdle: () => void;
}

type State =
  | { readonly kind: 'Supervising' }
  | { readonly kind: 'BackingOff'; readonly timer: Timer; readonly untilMs: number }
  | { readonly kind: 'Closed' };

const edges = {
  Supervising: ['BackingOff', 'Closed'],
  BackingOff: ['BackingOff', 'Supervising', 'Closed'],
  Closed: [],
} as const;

/** Releases for these reasons say that the worker did not do its job: a replacement at once would fare no better. */
const failureReasons: ReadonlySet<ReleaseReason> = new Set(['start-failed', 'protocol-error', 'unresponsive']);

export class ApplicationWorkers {
  readonly #deps: ApplicationWorkersDeps;
  readonly #options: ApplicationWorkersOptions;
  readonly #machine = new StateMachine<State>({ kind: 'Supervising' }, edges);
  /** Every process that has not ended, the released ones too. */
  readonly #workers = new Map<string, WorkerProcess>();
  /** Starts on their way to a process. */
  #starting = 0;
  #wished = 0;
  #urgent = false;
  /** Failures in a row. */
  #failures = 0;
  #allEnded: Deferred<void> | undefined;

  constructor(deps: ApplicationWorkersDeps, options: ApplicationWorkersOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get workerIds(): readonly string[] {
    return [...this.#workers.keys()];
  }

  /** Records how many workers there should be. */
  wish(request: SupplyRequest): void {
    this.#wished = request.count;
    this.#urgent = request.urgency === 'urgent';
    const { state } = this.#machine;
    if (state.kind === 'BackingOff' && this.#urgent) this.#hurry(state);
    this.#reconcile();
    this.#reportIdle();
  }

  /** Ends a worker that is no longer wanted. Returns false when it is none of this app's. */
  release(workerId: string, reason: ReleaseReason): boolean {
    const worker = this.#workers.get(workerId);
    if (worker === undefined) return false;
    if (!worker.isRunning) return true;
    this.#deps.log.write('debug', 'Worker released', { workerId, reason });
    worker.stop(this.#options.limits.terminationGraceMs);
    if (failureReasons.has(reason)) this.#backOff(worker);
    this.#reconcile();
    return true;
  }

  /** Ends every worker; those that are still there after `graceMs` are killed. Resolves when all are gone. */
  close(graceMs: number): Promise<void> {
    const { state } = this.#machine;
    if (state.kind === 'BackingOff') state.timer.cancel();
    if (state.kind !== 'Closed') this.#machine.transition({ kind: 'Closed' });
    for (const worker of this.#workers.values()) worker.stop(graceMs);
    this.#allEnded ??= createDeferred();
    this.#settleClose();
    return this.#allEnded.promise;
  }

  /** Starts what is missing, unless a wait is on. */
  #reconcile(): void {
    if (this.#machine.kind !== 'Supervising') return;
    while (this.#missing > 0) {
      this.#starting += 1;
      this.#start().catch((error: unknown) =>
        this.#deps.log.write('critical', 'A worker start broke off', { error: messageOf(error) }),
      );
    }
  }

  /** How many starts it takes to meet the wish. */
  get #missing(): number {
    let present = this.#starting;
    for (const worker of this.#workers.values()) if (worker.isRunning) present += 1;
    return Math.max(0, this.#wished - present);
  }

  async #start(): Promise<void> {
    const prepared = await this.#prepare();
    this.#starting -= 1;
    if (prepared.kind === 'failed') {
      this.#onFailure(prepared.error);
      return;
    }
    const { launch, pass } = prepared;
    if (this.#machine.kind !== 'Supervising' || this.#missing === 0) {
      pass.giveBack();
      this.#reconcile();
      this.#reportIdle();
      return;
    }
    this.#deps.clock.schedule(this.#options.limits.startUpMs, () => pass.giveBack());
    this.#spawn(launch, pass);
  }

  async #prepare(): Promise<
    | { readonly kind: 'ready'; readonly launch: WorkerLaunch; readonly pass: StartPass }
    | { readonly kind: 'failed'; readonly error: PlatformError }
  > {
    const { clock, launches, gate } = this.#deps;
    const { application, limits } = this.#options;
    const { applicationId } = application;
    const unknown = (reason: unknown): PlatformError =>
      podErrors.create('POD_LAUNCH_UNKNOWN', { applicationId, reason: messageOf(reason) }, reason);
    try {
      const late = (): Error => new Error(`no answer within ${limits.launchTimeoutMs} ms`);
      const launch = await withDeadline(clock, limits.launchTimeoutMs, launches.launchOf(application), late);
      const pass = await gate.enter(this.#urgent);
      if (pass !== undefined) return { kind: 'ready', launch, pass };
      const limit = limits.maxWaitingStarts;
      return { kind: 'failed', error: podErrors.create('POD_START_QUEUE_FULL', { applicationId, limit }) };
    } catch (reason) {
      return { kind: 'failed', error: unknown(reason) };
    }
  }

  #spawn(launch: WorkerLaunch, pass: StartPass): void {
    const { application, endpoint, emit, limits } = this.#options;
    const workerId = this.#deps.random.uuid();
    const connection = connectionArguments({ ...endpoint, workerId, requestId: this.#deps.random.uuid() });
    const workerPath = launch.workerPath === '' ? [] : [launch.workerPath];
    emit({ kind: 'expected', workerId, application });
    const worker = new WorkerProcess(
      this.#deps,
      limits,
      {
        executable: launch.executable,
        arguments: [...launch.arguments, ...workerPath, ...launch.workerArguments, ...connection],
        directory: launch.directory,
        environment: launch.environment,
      },
      {
        line: (stream, line) => emit({ kind: 'console', workerId, stream, line }),
        ended: (end) => {
          pass.giveBack();
          this.#onEnded(workerId, worker, end, launch);
        },
      },
    );
    this.#workers.set(workerId, worker);
    this.#deps.log.write('debug', 'Worker process started', { workerId, pid: worker.pid });
  }

  #onEnded(workerId: string, worker: WorkerProcess, end: WorkerEnd, launch: WorkerLaunch): void {
    this.#workers.delete(workerId);
    switch (end.kind) {
      case 'failed': {
        this.#options.emit({ kind: 'exited', workerId, exitCode: null, signal: null, stderrTail: [] });
        const details = { applicationId: this.#options.application.applicationId, reason: end.reason };
        this.#onFailure(podErrors.create('POD_START_FAILED', { ...details, executable: launch.executable }));
        break;
      }
      case 'exited': {
        const { exitCode, signal, stderrTail } = end;
        this.#deps.log.write('debug', 'Worker process ended', { workerId, exitCode, signal, requested: end.requested });
        this.#options.emit({ kind: 'exited', workerId, exitCode, signal, stderrTail });
        if (!end.requested) this.#backOff(worker);
        break;
      }
      default:
        assertNever(end);
    }
    this.#reconcile();
    this.#settleClose();
    this.#reportIdle();
  }

  /** Nothing could be started: says so, with the time of the next try. */
  #onFailure(error: PlatformError): void {
    if (this.#machine.kind === 'Closed' || this.#missing === 0) return;
    const retryInMs = this.#backOff();
    this.#deps.log.write('debug', 'No worker could be started', { reason: error.message, retryInMs });
    this.#options.emit({ kind: 'failed', application: this.#options.application, message: error.message, retryInMs });
  }

  /** Begins a wait after a failure, or joins the one that is on. Returns how long it lasts. */
  #backOff(worker?: WorkerProcess): number {
    const { clock, random } = this.#deps;
    const { healthyAfterMs, restartBackoff } = this.#options.limits;
    const { state } = this.#machine;
    const nowMs = clock.monotonic();
    if (state.kind === 'Closed') return 0;
    if (state.kind === 'BackingOff') return Math.max(0, state.untilMs - nowMs);
    if (worker !== undefined && nowMs - worker.startedAtMs >= healthyAfterMs) this.#failures = 0;
    const waitMs = backoffMs(restartBackoff, this.#failures, random);
    this.#failures += 1;
    this.#waitFor(waitMs);
    return waitMs;
  }

  #hurry(state: Extract<State, { kind: 'BackingOff' }>): void {
    const { urgentRestartMs } = this.#options.limits;
    if (state.untilMs - this.#deps.clock.monotonic() <= urgentRestartMs) return;
    state.timer.cancel();
    this.#waitFor(urgentRestartMs);
  }

  #waitFor(waitMs: number): void {
    const timer = this.#deps.clock.schedule(waitMs, () => {
      this.#machine.transition({ kind: 'Supervising' });
      this.#reconcile();
    });
    this.#machine.transition({ kind: 'BackingOff', timer, untilMs: this.#deps.clock.monotonic() + waitMs });
  }

  #reportIdle(): void {
    const isIdle = this.#wished === 0 && this.#starting === 0 && this.#workers.size === 0;
    if (isIdle && this.#machine.kind === 'Supervising') this.#options.onIdle();
  }

  #settleClose(): void {
    if (this.#machine.kind === 'Closed' && this.#workers.size === 0) this.#allEnded?.resolve();
  }
}
