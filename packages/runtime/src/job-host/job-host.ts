/**
 * One version of an app: its functions, routes, listeners and workers.
 *
 * Phases: Created -> Indexing (until the functions are known) -> Dormant (no worker) <-> Active -> Draining -> Stopped;
 * any -> Faulted. Ownership: the JobHostManager creates, drains and forgets it; it owns the parts below and shares nothing
 * with other JobHosts.
 *
 * I1 The app is indexed once; workers that come later load the same functions.
 * I2 Listeners start when the first worker is ready, and stay when the last one goes. Those of a standby version start no
 *    sooner than `listen` is called.
 * I3 The JobHost outlives its workers: only `drain` and a fault end it.
 * I4 Requests that come before the functions are known wait for a limited time, in a bounded queue.
 * I5 A failed start is reported to whoever waits and changes nothing else: the next worker that is ready heals it.
 * I6 Draining ends when nothing runs any more, or at the shortest deadline that was given.
 */
import {
  type Clock,
  createDeferred,
  type Deferred,
  type Log,
  type Meter,
  type PlatformError,
  type Random,
  StateMachine,
  settlesWithin,
} from '@switchyard/kernel';
import { type FunctionIndex, jobHostKey } from '@switchyard/model';
import type { FunctionMetadataResponse, WorkerSupply } from '@switchyard/protocol';
import type { Kinds } from '@switchyard/triggers';
import type { JobHostStatus, UnloadedFunction } from '../contract.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import { HoldQueue } from '../dispatch/hold-queue.ts';
import type { DispatchStrategy } from '../dispatch/strategies.ts';
import { quoteStderr, runtimeErrors } from '../errors.ts';
import { Executor } from '../invocation/executor.ts';
import { LogRelay } from '../invocation/log-relay.ts';
import type { RuntimeLimits } from '../limits.ts';
import { parseCapabilities, type WorkerCapabilities } from '../worker-registry/capabilities.ts';
import type { FunctionOffer, IndexParticipant } from '../worker-stream/handshake.ts';
import { createCatalog, type FunctionCatalog } from './function-catalog.ts';
import { differenceOf } from './function-difference.ts';
import { createHandshakePlan } from './handshake-plan.ts';
import { indexFromFiles, indexFromWorker } from './index-functions.ts';
import { IndexGate } from './index-gate.ts';
import { reportIndex } from './index-report.ts';
import { ListenerSet } from './listener-set.ts';
import type { ResolvedApplication } from './resolve-application.ts';
import { WorkerPool } from './worker-pool.ts';

export interface JobHostDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  readonly supply: WorkerSupply;
  readonly kinds: Kinds;
}

export interface JobHostOptions {
  readonly application: ResolvedApplication;
  readonly hostVersion: string;
  readonly strategy: DispatchStrategy;
  readonly limits: RuntimeLimits;
  /** True when its listeners wait for `listen`. */
  readonly standby: boolean;
  /** Called whenever the status changed. */
  readonly onChange: (jobHost: JobHost) => void;
}

export type JobHostState =
  | { readonly kind: 'created' }
  | { readonly kind: 'indexing' }
  | { readonly kind: 'dormant'; readonly catalog: FunctionCatalog }
  | { readonly kind: 'active'; readonly catalog: FunctionCatalog }
  | { readonly kind: 'draining'; readonly catalog: FunctionCatalog | undefined }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'faulted' };

/** The JobHost machine; it may be drained before it is indexed. */
export const jobHostEdges = {
  created: ['indexing', 'draining', 'faulted'],
  indexing: ['dormant', 'draining', 'faulted'],
  dormant: ['active', 'draining', 'faulted'],
  active: ['dormant', 'draining', 'faulted'],
  draining: ['stopped', 'faulted'],
  stopped: ['faulted'],
  faulted: [],
} as const;

/** What a request that waited gets: the functions, or nothing when the wait was in vain. */
export type Resume = (catalog: FunctionCatalog | undefined) => void;

export class JobHost {
  readonly key: string;
  readonly application: ResolvedApplication;
  /** Carries the app's fields. */
  readonly log: Log;
  readonly executor: Executor;
  readonly pool: WorkerPool;
  readonly #deps: JobHostDeps;
  readonly #options: JobHostOptions;
  readonly #machine: StateMachine<JobHostState>;
  readonly #gate: IndexGate;
  readonly #dispatcher: Dispatcher;
  readonly #listeners: ListenerSet;
  readonly #waiting: HoldQueue<Resume>;
  /** What a worker listed; undefined for functions that were read from files. */
  #listed: FunctionIndex | undefined;
  #attempt: Deferred<void> = createDeferred();
  #hasBeenActive = false;
  #mayListen: boolean;
  /** Those of the worker that was Ready last. */
  #capabilities: WorkerCapabilities = assumedCapabilities;
  #servingWorkers = 0;
  #nextWaiting = 0;
  #startProblem: string | undefined;
  #indexProblem: string | undefined;
  #disconnected: Deferred<void> | undefined;
  #drained: Promise<void> | undefined;
  /** Resolves when there is no more time for what runs. */
  readonly #outOfTime: Deferred<void> = createDeferred();

  constructor(deps: JobHostDeps, options: JobHostOptions) {
    const { application, limits } = options;
    const { applicationId } = application.definition;
    this.key = jobHostKey(application.definition);
    this.application = application;
    this.#deps = deps;
    this.#options = options;
    this.#mayListen = !options.standby;
    this.log = deps.log.child({ applicationId });
    this.#machine = new StateMachine<JobHostState>({ kind: 'created' }, jobHostEdges, (from, to) => {
      this.log.write('debug', 'JobHost changed its state.', { jobHost: this.key, from: from.kind, to: to.kind });
    });
    this.#gate = new IndexGate(application.worker.workerIndexing);
    this.#dispatcher = this.#createDispatcher();
    this.executor = new Executor({
      ...deps,
      log: this.log,
      dispatcher: this.#dispatcher,
      capabilities: () => this.#capabilities,
    });
    this.pool = this.#createPool();
    this.#listeners = new ListenerSet({
      clock: deps.clock,
      log: this.log,
      invoke: (entry, event) => this.executor.invoke(entry, event),
    });
    this.#waiting = new HoldQueue(deps.clock, limits.requestsBeforeIndex, (resume) => resume(undefined));
  }

  get state(): JobHostState {
    return this.#machine.state;
  }

  /** The functions, once they are known. */
  get catalog(): FunctionCatalog | undefined {
    const { state } = this.#machine;
    return 'catalog' in state ? state.catalog : undefined;
  }

  /** True once a worker was ready: until then nobody knows what the app's workers can do. */
  get isAcquainted(): boolean {
    return this.#hasBeenActive;
  }

  /** True when the app's workers take HTTP requests themselves, as streams. */
  get streamsHttp(): boolean {
    return this.#capabilities.httpUri !== undefined;
  }

  /** Settles with the attempt to start that is under way, or was the last that went well. */
  get ready(): Promise<JobHostStatus> {
    return this.#attempt.promise.then(() => this.status());
  }

  /** Begins to index; asks for a worker. */
  start(): void {
    this.#machine.transition({ kind: 'indexing' });
    if (!this.application.worker.workerIndexing) this.#indexFiles(undefined);
    this.pool.open('index');
  }

  /**
   * Why the app has never been served, while no worker is on its way that could change that; undefined while it is worth
   * to wait.
   */
  get outage(): string | undefined {
    return this.#hasBeenActive || this.pool.isStarting ? undefined : this.#startProblem;
  }

  /** Calls `resume` once the functions are known, or in vain after a while. Returns how to give the wait up. */
  whenIndexed(resume: Resume): () => void {
    const key = String(this.#nextWaiting++);
    if (!this.#waiting.offer(key, resume, this.#options.limits.workerWaitMs)) resume(undefined);
    return () => this.#waiting.remove(key);
  }

  status(): JobHostStatus {
    const { catalog } = this;
    const error = this.#startProblem ?? this.#indexProblem;
    const unloaded = this.#unloaded();
    return {
      key: this.key,
      applicationId: this.application.definition.applicationId,
      state: this.#machine.kind,
      functions: catalog?.status ?? [],
      rejected: catalog?.rejected ?? [],
      ...(unloaded.length === 0 ? {} : { unloaded }),
      workers: this.pool.workers.map((worker) => worker.status()),
      ...(error === undefined ? {} : { error }),
    };
  }

  /** Lets a standby version listen, now or with its first worker. */
  listen(): void {
    this.#mayListen = true;
    if (this.#hasBeenActive && this.catalog !== undefined) this.#listeners.start(this.catalog.entries);
  }

  /** Takes no more events; resolves when those that it took are settled. `drain` limits the time. */
  stopListening(): Promise<void> {
    this.#mayListen = false;
    this.executor.closeListeners();
    return this.#listeners.drain();
  }

  /** Tries nothing again that has failed. */
  hurry(): void {
    this.executor.close();
  }

  /** Takes nothing new, lets what runs end within `deadlineMs`, ends the workers. A second call may shorten the time. */
  async drain(deadlineMs: number): Promise<void> {
    const timer = this.#deps.clock.schedule(deadlineMs, this.#outOfTime.resolve);
    this.#drained ??= this.#drain();
    await this.#drained;
    timer.cancel();
  }

  async #drain(): Promise<void> {
    if (!this.#machine.allows('draining')) return;
    this.#machine.transition({ kind: 'draining', catalog: this.catalog });
    this.#changed();
    const { applicationId } = this.application.definition;
    this.#giveUpWaiting(runtimeErrors.create('APPLICATION_STOPPED', { applicationId }));
    if (this.#dispatcher.laneCount === 0) this.#dispatcher.close();
    const ended = Promise.all([this.stopListening(), this.executor.whenIdle()]);
    await Promise.race([ended, this.#outOfTime.promise]);
    this.executor.close();
    await this.#listeners.drain(0);
    this.#dispatcher.close();
    this.pool.close();
    if (this.pool.isConnected) {
      this.#disconnected = createDeferred();
      const waitMs = 2 * this.#options.limits.terminateGraceMs;
      await settlesWithin(this.#deps.clock, waitMs, this.#disconnected.promise);
    }
    if (this.#machine.allows('stopped')) this.#machine.transition({ kind: 'stopped' });
    this.#changed();
  }

  #createDispatcher(): Dispatcher {
    const { application, strategy, limits } = this.#options;
    return new Dispatcher(
      { ...this.#deps, log: this.log },
      {
        applicationId: application.definition.applicationId,
        strategy,
        functionTimeoutMs: application.host.functionTimeoutMs,
        limits,
        onStarving: () => this.pool.wake(),
        onTimeout: (worker) => this.pool.abandon(worker),
        onStalled: (worker) => this.pool.stalled(worker),
        onRelieved: (worker) => this.pool.recovered(worker, 'back-pressure'),
      },
    );
  }

  #createPool(): WorkerPool {
    const { application, hostVersion, limits } = this.#options;
    const { applicationId } = application.definition;
    const { meter } = this.#deps;
    const maxMetricNames = limits.customMetricNames;
    const relay = new LogRelay(this.log, meter, { applicationId, maxMetricNames });
    const indexed = (participant: IndexParticipant, response: FunctionMetadataResponse): void =>
      this.#indexed(participant, response);
    const offered = (participant: IndexParticipant, offer: FunctionOffer): void => this.#offered(participant, offer);
    return new WorkerPool(
      { ...this.#deps, log: this.log, dispatcher: this.#dispatcher, relay },
      {
        application: application.definition,
        count: application.workerCount,
        ignoresTermination: application.worker.ignoresTermination,
        plan: createHandshakePlan({ application, hostVersion, limits, gate: this.#gate, indexed, offered }),
        limits,
        onChange: () => this.#workersChanged(),
        onStartFailed: (error) => this.#startFailed(error),
      },
    );
  }

  #indexed(participant: IndexParticipant, response: FunctionMetadataResponse): void {
    // Another worker may have brought the functions along while this one was asked.
    if (this.#gate.isKnown) this.#gate.join(participant);
    else if (response.useDefaultMetadataIndexing) this.#indexFiles(participant);
    else this.#adoptListed(indexFromWorker(response.functionMetadataResults, this.#indexScope), participant);
  }

  /** A worker came with its functions: the first one's are taken, the others' must be the same. */
  #offered(participant: IndexParticipant, { functions, useDefaultIndexing }: FunctionOffer): void {
    const listed = useDefaultIndexing ? undefined : indexFromWorker(functions, this.#indexScope);
    if (!this.#gate.isKnown && listed !== undefined) this.#adoptListed(listed, participant);
    const difference = this.#gate.isKnown ? differenceOf(this.#listed, listed) : undefined;
    if (difference === undefined) this.#gate.join(participant);
    else {
      const details = { workerId: participant.workerId, jobHostKey: this.key, difference };
      participant.fail(runtimeErrors.create('WORKER_FUNCTIONS_DIFFER', details));
    }
  }

  #adoptListed(index: FunctionIndex, participant: IndexParticipant): void {
    if (this.#machine.kind === 'indexing') this.#listed = index;
    this.#adopt(index, participant);
  }

  #indexFiles(participant: IndexParticipant | undefined): void {
    indexFromFiles(this.#indexScope, this.#deps.clock, this.#options.limits.metadataMs).then(
      (index) => this.#adopt(index, participant),
      (error: PlatformError) => (participant === undefined ? this.#fault(error) : participant.fail(error)),
    );
  }

  get #indexScope(): { application: ResolvedApplication; allowed: readonly string[] | undefined } {
    return { application: this.application, allowed: this.application.host.functions };
  }

  /** The functions are known. */
  #adopt(index: FunctionIndex, participant: IndexParticipant | undefined): void {
    if (this.#machine.kind !== 'indexing') return;
    const { application } = this;
    const { limits, application: resolved } = this.#options;
    const catalog = createCatalog(
      index,
      {
        applicationId: application.definition.applicationId,
        settings: resolved.settingsView,
        kinds: this.#deps.kinds,
        development: application.development,
        extensions: resolved.host.extensions,
        singleton: resolved.host.singleton,
        retry: resolved.host.retry,
        contextOf: (functionName) => ({
          ...this.#deps,
          applicationId: application.definition.applicationId,
          hostId: application.hostId,
          functionName,
          settings: resolved.settingsView,
          log: this.log.child({ functionName, category: `Function.${functionName}` }),
        }),
      },
      {
        routePrefix: resolved.host.extensions.http.routePrefix,
        managedDependencies: resolved.host.managedDependencyEnabled,
        functionsLimit: limits.functionsPerApplication,
      },
    );
    if (catalog.entries.length === 0) this.#indexProblem = this.#emptyProblem(participant);
    reportIndex(this.log, catalog, this.#indexProblem);
    this.#machine.transition({ kind: 'dormant', catalog });
    this.#gate.settle(catalog.loadRequests);
    for (const resume of this.#waiting.drain()) resume(catalog);
    this.#changed();
  }

  #emptyProblem(participant: IndexParticipant | undefined): string {
    const { definition, scriptRoot } = this.application;
    const worker = this.pool.workers.find(({ workerId }) => workerId === participant?.workerId);
    const stderr = quoteStderr(worker?.stderrTail ?? []);
    return runtimeErrors.create('APPLICATION_EMPTY', { applicationId: definition.applicationId, scriptRoot, stderr })
      .message;
  }

  #workersChanged(): void {
    const { state } = this.#machine;
    const serving = this.#dispatcher.laneCount;
    if (serving > this.#servingWorkers) this.#startProblem = undefined;
    this.#servingWorkers = serving;
    const ready = this.pool.workers.findLast((worker) => worker.state.kind === 'ready');
    if (ready !== undefined) this.#capabilities = ready.capabilities;
    const isServed = serving > 0;
    if (state.kind === 'dormant' && isServed) {
      this.#machine.transition({ kind: 'active', catalog: state.catalog });
      this.#hasBeenActive = true;
      if (this.#mayListen) this.#listeners.start(state.catalog.entries);
      this.#attempt.resolve();
    } else if (state.kind === 'active' && !isServed) {
      this.#machine.transition({ kind: 'dormant', catalog: state.catalog });
    }
    if (!this.pool.isConnected) this.#disconnected?.resolve();
    this.#changed();
  }

  #startFailed(error: PlatformError): void {
    this.#startProblem = error.message;
    if (this.outage !== undefined) {
      for (const resume of this.#waiting.drain()) resume(undefined);
      this.#dispatcher.disappoint();
    }
    if (!this.#hasBeenActive) {
      this.#attempt.reject(error);
      this.#attempt = createDeferred();
    }
    this.#changed();
  }

  /** The app cannot be hosted at all. */
  #fault(error: PlatformError): void {
    if (!this.#machine.allows('faulted')) return;
    this.log.write('error', error.message, { category: 'Host.Startup', code: error.code });
    this.#startProblem = error.message;
    this.#machine.transition({ kind: 'faulted' });
    this.#giveUpWaiting(error);
    this.#dispatcher.close();
    this.pool.close();
    this.#changed();
  }

  /** Whoever waits for the app to start, or for its functions, waits in vain. */
  #giveUpWaiting(error: PlatformError): void {
    this.#attempt.reject(error);
    for (const resume of this.#waiting.drain()) resume(undefined);
  }

  /** What the newest worker that is ready could not load. */
  #unloaded(): UnloadedFunction[] {
    const worker = this.pool.workers.findLast(({ state }) => state.kind === 'ready');
    return [...(worker?.loadFailures ?? [])].map(([functionId, { message, stack }]) => {
      const entry = this.catalog?.entries.find(({ metadata }) => metadata.functionId === functionId);
      return { name: entry?.metadata.name ?? functionId, message, stack };
    });
  }

  #changed(): void {
    this.#options.onChange(this);
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
