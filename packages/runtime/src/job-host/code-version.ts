/**
 * One code version of an app: its workers, and what runs on them.
 *
 * Phases: Serving <-> Draining -> Closed. While Serving it has workers or sleeps. Ownership: a JobHost creates it, gives it
 * its share of the events and ends it; it owns the parts below and shares none of them with other versions.
 *
 * I1 An event that comes while there is no worker waits and wakes the version; nothing that waits, nor a start that somebody
 *    waits for, is lost by the release of idle workers.
 * I2 Workers that the app does not keep are given back once nothing has run and nothing has waited for `idleMs`.
 * I3 A failed start is told to whoever waits. A version that sleeps tries again with the next event, any other one as the
 *    supply does; the next worker that is ready heals it.
 * I4 Once it is Draining it still runs what it has been given, and ends when that is over or there is no more time, unless it
 *    is taken back before.
 */
import {
  createDeferred,
  type Deferred,
  type Log,
  type PlatformError,
  StateMachine,
  settlesWithin,
} from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { SupplyReason } from '@switchyard/protocol';
import type { VersionStatus } from '../contract.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import type { OnTurn, Share } from '../dispatch/fair-turns.ts';
import { HoldQueue } from '../dispatch/hold-queue.ts';
import type { DispatchStrategy } from '../dispatch/strategies.ts';
import { Executor } from '../invocation/executor.ts';
import { LogRelay } from '../invocation/log-relay.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { VersionLoad, WorkerWish } from '../load/version-load.ts';
import { parseCapabilities, type WorkerCapabilities } from '../worker-registry/capabilities.ts';
import type { HandshakePlan } from '../worker-stream/handshake.ts';
import { IdleWatch } from './idle-watch.ts';
import type { JobHostDeps } from './job-host.ts';
import type { ResolvedApplication } from './resolve-application.ts';
import type { TelemetryTap } from './telemetry-tap.ts';
import { WorkerPool } from './worker-pool.ts';

export interface CodeVersionOptions {
  readonly application: ResolvedApplication;
  readonly strategy: DispatchStrategy;
  readonly limits: RuntimeLimits;
  readonly telemetry: TelemetryTap;
  /** How the handshakes of its workers go. */
  readonly plan: HandshakePlan;
  /** What workers said they can do when the app was indexed; undefined when nobody knows. */
  readonly capabilities: ReadonlyMap<string, string> | undefined;
  /** Called when its workers, or why it has none, changed. */
  readonly onChange: () => void;
}

type State = { readonly kind: 'serving' } | { readonly kind: 'draining' } | { readonly kind: 'closed' };

const edges = { serving: ['draining', 'closed'], draining: ['serving', 'closed'], closed: [] } as const;

export class CodeVersion {
  readonly application: ResolvedApplication;
  /** Carries the app's fields. */
  readonly log: Log;
  readonly executor: Executor;
  readonly pool: WorkerPool;
  readonly #deps: JobHostDeps;
  readonly #options: CodeVersionOptions;
  readonly #machine = new StateMachine<State>({ kind: 'serving' }, edges);
  readonly #dispatcher: Dispatcher;
  readonly #idle: IdleWatch | undefined;
  /** Requests whose bodies are read once a worker is there. */
  readonly #waiting: HoldQueue<(isServed: boolean) => void>;
  #attempt: Deferred<void> = createDeferred();
  /** False once the attempt has settled. */
  #isAttempting = true;
  /** Those of the worker that was Ready last. */
  #capabilities: WorkerCapabilities;
  #hasServed = false;
  #serving = 0;
  #nextWaiting = 0;
  #startProblem: string | undefined;
  #disconnected: Deferred<void> | undefined;

  /** `deps.log` carries the app's fields. */
  constructor(deps: JobHostDeps, options: CodeVersionOptions) {
    const { application, limits, capabilities } = options;
    const { idleMs } = application.scaling;
    this.application = application;
    this.log = deps.log;
    this.#deps = deps;
    this.#options = options;
    this.#capabilities = capabilities === undefined ? assumedCapabilities : parseCapabilities(capabilities);
    this.#dispatcher = this.#createDispatcher();
    this.executor = new Executor({
      ...deps,
      telemetry: options.telemetry,
      results: options.telemetry.results,
      dispatcher: this.#dispatcher,
      capabilities: () => this.#capabilities,
    });
    this.pool = this.#createPool();
    this.#waiting = new HoldQueue(deps.clock, limits.heldPerApplication, (resume) => resume(false));
    if (idleMs !== undefined) {
      const quietSinceMs = (): number | undefined => this.executor.quietSinceMs;
      this.#idle = new IdleWatch(deps.clock, { idleMs, quietSinceMs, onIdle: () => this.pool.rest() });
    }
  }

  get definition(): ApplicationDefinition {
    return this.application.definition;
  }

  get isDraining(): boolean {
    return this.#machine.kind !== 'serving';
  }

  /** True while a worker is connected and loaded. */
  get isServed(): boolean {
    return this.#dispatcher.laneCount > 0;
  }

  /** True once it had a worker. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** True when its workers take HTTP requests themselves, as streams. */
  get streamsHttp(): boolean {
    return this.#capabilities.httpUri !== undefined;
  }

  /** Settles with the attempt to start that is under way, or was the last that went well. */
  get ready(): Promise<void> {
    return this.#attempt.promise;
  }

  /** Why the last start failed; undefined once a worker is ready. */
  get startProblem(): string | undefined {
    return this.#startProblem;
  }

  /**
   * Why it has never served, while no worker is on its way that could change that; undefined while it is worth to wait, or to
   * try again.
   */
  get outage(): string | undefined {
    return this.#hasServed || this.#sleeps || this.pool.isStarting ? undefined : this.#startProblem;
  }

  /** Asks for its first workers, at least one when it `needs` one; without any it is ready as it is. */
  open(reason: SupplyReason, needs: boolean): void {
    const { standing, active } = this.application.scaling;
    const count = needs ? Math.max(standing, active) : standing;
    if (count === 0) this.#started();
    else this.pool.open(reason, count);
  }

  /** Starts a worker if there is none, so that `ready` tells whether it comes up. */
  rouse(): void {
    if (this.isServed || this.isDraining) return;
    this.#attemptAnew();
    this.pool.wake();
  }

  /** Calls `resume` once a worker is there, or in vain after a while; asks for one. Returns how to give the wait up. */
  whenServed(resume: (isServed: boolean) => void): () => void {
    const key = String(this.#nextWaiting++);
    if (!this.#waiting.offer(key, resume, this.application.scaling.holdMs)) resume(false);
    else this.pool.wake();
    return () => this.#waiting.remove(key);
  }

  status(weight: number): VersionStatus {
    const idleState = this.pool.isStarting ? 'starting' : 'dormant';
    return {
      definition: this.definition,
      weight,
      state: this.isDraining ? 'draining' : this.isServed ? 'active' : idleState,
      workers: this.pool.workers.map((worker) => worker.status()),
      invocations: this.executor.active,
      ...(this.#startProblem === undefined ? {} : { error: this.#startProblem }),
    };
  }

  /** What it has to do, and who is there to do it. */
  load(weight: number): VersionLoad {
    const { pool, executor, application } = this;
    const { idleMs } = application.scaling;
    const { quietSinceMs } = executor;
    const { workerModel } = application.host.extensions;
    return {
      definition: this.definition,
      tenantId: application.tenantId,
      stack: application.stack,
      weight,
      wantedCount: pool.wantedCount,
      readyCount: pool.readyCount,
      startingCount: pool.startingCount,
      drainingCount: pool.drainingCount,
      blockedCount: this.#dispatcher.blockedCount,
      heldCount: this.#dispatcher.heldCount,
      pacedCount: this.#dispatcher.pacedCount,
      waitingCount: this.#waiting.size,
      refusedCount: this.#dispatcher.refusedCount,
      startFailureCount: pool.failedStarts,
      quietMs: quietSinceMs === undefined ? 0 : this.#deps.clock.monotonic() - quietSinceMs,
      idleMs,
      standingCount: application.scaling.standing,
      functions: executor.measures.all,
      workerIds: pool.workers.map(({ workerId }) => workerId),
      ...(workerModel === undefined ? {} : { workerModel }),
    };
  }

  /** True when it has workers, or something to do. */
  get isAwake(): boolean {
    return this.pool.wantedCount > 0 || this.pool.workers.length > 0 || this.executor.active > 0;
  }

  /** Gives it so many workers, and says how much each may do at once. */
  scaleTo({ count, perWorker, isSoft, standing }: WorkerWish): void {
    if (this.#machine.kind === 'closed') return;
    this.#dispatcher.limitPerWorker(perWorker ?? Number.POSITIVE_INFINITY, isSoft);
    // What runs or waits keeps one worker, so that nobody who has been let in, or asked for a start, waits in vain.
    const isNeeded = this.executor.active > 0 || this.#waiting.size > 0 || this.#isAttempting;
    const most = this.application.scale?.maximum ?? Number.POSITIVE_INFINITY;
    this.pool.scaleTo(Math.min(most, isNeeded ? Math.max(1, count) : count), standing);
  }

  /** It gets no new events; what waits for a worker that is not there is settled when `isLast` says that none will come. */
  beginDraining(isLast: boolean): void {
    if (this.#machine.kind !== 'serving') return;
    this.#machine.transition({ kind: 'draining' });
    this.#idle?.stop();
    if (isLast && !this.isServed) this.#dispatcher.close();
  }

  /** It is wanted again: what it began goes on, and it may get events anew. False when it is too late. */
  takeBack(): boolean {
    if (this.#machine.kind !== 'draining') return false;
    this.#machine.transition({ kind: 'serving' });
    if (this.isServed) this.#idle?.start();
    else {
      this.#attemptAnew();
      this.open('activate', false);
    }
    return true;
  }

  /** Whoever waits for it to start waits in vain. */
  fail(error: PlatformError): void {
    this.#attemptFailed(error);
    this.#resume(false);
  }

  /** Ends what is left of it, workers included. */
  async close(): Promise<void> {
    if (!this.#machine.allows('closed')) return;
    this.#machine.transition({ kind: 'closed' });
    this.#idle?.stop();
    this.executor.close();
    this.#resume(false);
    this.#dispatcher.close();
    this.pool.close();
    if (!this.pool.isConnected) return;
    this.#disconnected = createDeferred();
    const waitMs = 2 * this.#options.limits.terminateGraceMs;
    await settlesWithin(this.#deps.clock, waitMs, this.#disconnected.promise);
  }

  /** A version without standing workers starts others only when something waits. */
  get #sleeps(): boolean {
    return this.application.scaling.standing === 0;
  }

  #createDispatcher(): Dispatcher {
    const { application, strategy, limits } = this.#options;
    const { clock, log, meter, turns } = this.#deps;
    const share = (onTurn: OnTurn): Share => turns.join(application.tenantId, onTurn);
    const deps = { clock, log, meter, share };
    return new Dispatcher(deps, {
      applicationId: application.definition.applicationId,
      strategy: application.host.extensions.workerModel?.routingStrategy ?? strategy,
      functionTimeoutMs: application.host.functionTimeoutMs,
      holdMs: application.scaling.holdMs,
      limits,
      onStarving: () => this.pool.wake(),
      onTimeout: (worker) => this.pool.abandon(worker),
      onStalled: (worker) => this.pool.stalled(worker),
      onRelieved: (worker) => this.pool.recovered(worker, 'back-pressure'),
      onDrained: (worker) => this.pool.drained(worker),
    });
  }

  #createPool(): WorkerPool {
    const { application, limits, plan, telemetry } = this.#options;
    const { applicationId } = application.definition;
    const relay = new LogRelay(this.log, this.#deps.meter, {
      applicationId,
      maxMetricNames: limits.customMetricNames,
      telemetry,
    });
    return new WorkerPool(
      { ...this.#deps, dispatcher: this.#dispatcher, relay },
      {
        application: application.definition,
        scaling: application.scaling,
        ignoresTermination: application.worker.ignoresTermination,
        plan,
        limits,
        onChange: () => this.#workersChanged(),
        onStartFailed: (error) => this.#startFailed(error),
        onWake: () => this.#deps.onWake?.(application.definition),
        whenSettled: () => this.executor.whenSettled(),
      },
    );
  }

  #workersChanged(): void {
    const serving = this.#dispatcher.laneCount;
    if (serving > this.#serving) this.#startProblem = undefined;
    this.#serving = serving;
    const ready = this.pool.workers.findLast((worker) => worker.state.kind === 'ready');
    if (ready !== undefined) this.#capabilities = ready.capabilities;
    if (serving > 0) {
      this.#hasServed = true;
      this.#started();
      if (this.pool.hasSpare && !this.isDraining) this.#idle?.start();
    }
    if (!this.pool.isConnected) this.#disconnected?.resolve();
    this.#options.onChange();
    if (this.isServed) this.#resume(true);
  }

  #startFailed(error: PlatformError): void {
    this.#startProblem = error.message;
    const isHopeless = this.#sleeps ? !this.isServed && !this.pool.isStarting : this.outage !== undefined;
    if (isHopeless) {
      this.#resume(false);
      this.#dispatcher.disappoint();
      if (this.#sleeps) this.pool.giveUp();
    }
    if (this.#isAttempting) {
      this.#attemptFailed(error);
      this.#attemptAnew();
      if (this.#sleeps) this.#started();
    }
    this.#options.onChange();
  }

  #attemptAnew(): void {
    if (!this.#isAttempting) this.#attempt = createDeferred();
    this.#isAttempting = true;
  }

  #attemptFailed(error: PlatformError): void {
    this.#isAttempting = false;
    this.#attempt.reject(error);
  }

  /** It has what it keeps: a worker, or nothing. */
  #started(): void {
    this.#isAttempting = false;
    this.#attempt.resolve();
  }

  #resume(isServed: boolean): void {
    for (const resume of this.#waiting.drain()) resume(isServed);
  }
}

/** What every current worker can take; for events that are made before the first worker has said so. */
const assumedCapabilities = parseCapabilities(
  new Map([
    ['RpcHttpBodyOnly', 'true'],
    ['RawHttpBodyBytes', 'true'],
    ['RpcHttpTriggerMetadataRemoved', 'true'],
  ]),
);
