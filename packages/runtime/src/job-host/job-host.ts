/**
 * The functions of an app that share their metadata: its routes, listeners and code versions.
 *
 * Phases: Created -> Indexing (until the functions are known) -> Dormant (no worker) <-> Active -> Draining -> Stopped;
 * any -> Faulted. Ownership: the JobHostManager creates, drains and forgets it; it owns the parts below and shares nothing
 * with other JobHosts.
 *
 * I1 The app is indexed once; workers that come later load the same functions. With a stored index no worker is asked, and
 *    workers are matched to its functions by name.
 * I2 Listeners start when the first worker is ready, or at once with a stored index, and stay when the last worker goes.
 *    Those of a standby version start no sooner than `listen` is called.
 * I3 The JobHost outlives its workers: only `drain` and a fault end it.
 * I4 Requests that come before the functions are known wait for a limited time, in a bounded queue.
 * I5 A failed start is reported to whoever waits and changes nothing else: the next worker that is ready heals it.
 * I6 Draining ends when nothing runs any more, or at the shortest deadline that was given.
 * I7 Events go to its code versions by their weights. A version that joins gets nothing until weights are set; taking one out
 *    touches no other.
 */
import {
  createDeferred,
  type Deferred,
  type Log,
  type Meter,
  type PlatformError,
  type Random,
  StateMachine,
  settlesWithin,
} from '@switchyard/kernel';
import { type ApplicationDefinition, type FunctionIndex, jobHostKey } from '@switchyard/model';
import type { FunctionMetadataResponse, WorkerSupply } from '@switchyard/protocol';
import type { InvocationOutcome, Kinds, TriggerEvent } from '@switchyard/triggers';
import { type ConcurrencyParts, createConcurrency } from '../concurrency/create-concurrency.ts';
import type { JobHostStatus, ListenerGate, TrafficOptions, UnloadedFunction } from '../contract.ts';
import type { FairTurns } from '../dispatch/fair-turns.ts';
import { HoldQueue } from '../dispatch/hold-queue.ts';
import type { DispatchStrategy } from '../dispatch/strategies.ts';
import { runtimeErrors } from '../errors.ts';
import type { RuntimeLimits } from '../limits.ts';
import { quoteStderr } from '../stderr-quote.ts';
import type { FunctionOffer, IndexParticipant } from '../worker-stream/handshake.ts';
import { CodeVersion } from './code-version.ts';
import { createApplicationCatalog, type FunctionCatalog } from './function-catalog.ts';
import { differenceOf, missingNames } from './function-difference.ts';
import type { FunctionEntry } from './function-entry.ts';
import { createHandshakePlan } from './handshake-plan.ts';
import { indexFromFiles, indexFromWorker } from './index-functions.ts';
import { IndexGate } from './index-gate.ts';
import { reportIndex } from './index-report.ts';
import { ListenerDuty, toFunctionGate } from './listener-duty.ts';
import { ListenerSet } from './listener-set.ts';
import type { ResolvedApplication } from './resolve-application.ts';
import { type TelemetryParts, TelemetryTap } from './telemetry-tap.ts';
import { TrafficSplit, type Weighted } from './traffic-split.ts';

export interface JobHostDeps extends ConcurrencyParts, TelemetryParts {
  readonly random: Random;
  readonly meter: Meter;
  readonly supply: WorkerSupply;
  readonly kinds: Kinds;
  readonly turns: FairTurns;
  readonly listeners?: ListenerGate | undefined;
  /** Called when a version that slept has something to do. */
  readonly onWake?: (definition: ApplicationDefinition) => void;
}

export interface JobHostOptions {
  readonly application: ResolvedApplication;
  readonly hostVersion: string;
  readonly strategy: DispatchStrategy;
  readonly limits: RuntimeLimits;
  /** True when its listeners wait for `listen`. */
  readonly standby: boolean;
  /** True when its first version starts a worker even if it would sleep. */
  readonly startsWorker: boolean;
  /** True while the app's events come here. */
  readonly isOnDuty: (jobHost: JobHost) => boolean;
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
  /** The app as its oldest version describes it; what versions of a JobHost differ in is the versions' own. */
  readonly application: ResolvedApplication;
  /** Carries the app's fields. */
  readonly log: Log;
  readonly #deps: JobHostDeps;
  readonly #options: JobHostOptions;
  readonly #machine: StateMachine<JobHostState>;
  readonly #gate: IndexGate;
  /** Oldest first. */
  readonly #versions = new Map<string, CodeVersion>();
  readonly #removals = new Map<CodeVersion, Promise<void>>();
  readonly #first: CodeVersion;
  readonly #traffic: TrafficSplit<CodeVersion>;
  readonly #telemetry: TelemetryTap;
  /** Whether its listeners listen. */
  readonly duty: ListenerDuty;
  /** In milliseconds of the monotonic clock. */
  readonly createdMs: number;
  readonly #waiting: HoldQueue<Resume>;
  /** What a worker listed; undefined for functions that were read from files. */
  #listed: FunctionIndex | undefined;
  #stickyBy: TrafficOptions['stickyBy'];
  readonly #indexed: Deferred<void> = createDeferred();
  #mayListen: boolean;
  #nextWaiting = 0;
  #faultProblem: string | undefined;
  #indexProblem: string | undefined;
  #drained: Promise<void> | undefined;
  /** Resolves when there is no more time for what runs. */
  readonly #outOfTime: Deferred<void> = createDeferred();

  constructor(deps: JobHostDeps, options: JobHostOptions) {
    const { application, limits } = options;
    const { applicationId } = application.definition;
    this.key = jobHostKey(application.definition);
    this.application = application;
    this.#options = options;
    this.#mayListen = !options.standby;
    const ownLog = deps.log.child({ applicationId });
    const { clock } = deps;
    this.#telemetry = new TelemetryTap({ ...deps, log: ownLog }, application.host.aggregator);
    this.log = this.#telemetry.log;
    this.#deps = { ...deps, log: this.log };
    this.#machine = new StateMachine<JobHostState>({ kind: 'created' }, jobHostEdges, (from, to) => {
      this.log.write('debug', 'JobHost changed its state.', { jobHost: this.key, from: from.kind, to: to.kind });
    });
    this.#gate = new IndexGate(application.worker.workerIndexing && application.index === undefined);
    this.#first = this.#createVersion(application);
    this.#traffic = new TrafficSplit(this.#first);
    this.createdMs = deps.clock.monotonic();
    const concurrency = createConcurrency(this.#deps, application);
    const invoke = (entry: FunctionEntry, event: TriggerEvent): Promise<InvocationOutcome> =>
      this.#traffic.next().executor.invoke(entry, event);
    const workerCount = (): number => this.versions.reduce((sum, { pool }) => sum + pool.readyCount, 0);
    this.duty = new ListenerDuty({
      clock,
      createSet: () => new ListenerSet({ clock, log: this.log, invoke, workerCount, concurrency }),
      gate: deps.listeners && toFunctionGate(deps.listeners, applicationId),
      isOffline: application.offlinePage && (() => application.offlinePage?.() !== undefined),
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

  /** Its code versions, oldest first; those that are being taken out stay until they have ended. */
  get versions(): readonly CodeVersion[] {
    return [...this.#versions.values()];
  }

  /** The version that it began with. */
  get oldest(): CodeVersion {
    return this.#first;
  }

  /** The version with exactly this definition. */
  versionOf({ codeVersion }: ApplicationDefinition): CodeVersion | undefined {
    return this.#versions.get(codeVersion);
  }

  /** The version that an event goes to. `sourceOf` tells where a request comes from, when that matters. */
  choose(sourceOf?: (stickyBy: NonNullable<TrafficOptions['stickyBy']>) => string): CodeVersion {
    if (this.#stickyBy === undefined || sourceOf === undefined) return this.#traffic.next();
    return this.#traffic.of(sourceOf(this.#stickyBy));
  }

  /** Spreads the events that come from now on. */
  setWeights(weights: readonly Weighted<CodeVersion>[], { stickyBy }: TrafficOptions): void {
    this.#traffic.set(weights);
    this.#stickyBy = stickyBy;
    this.#changed();
  }

  weightOf(version: CodeVersion): number {
    return this.#traffic.weightOf(version);
  }

  /** Settles with the start of this version: the functions are known, and a worker is ready if it keeps one. */
  async whenReady(version: CodeVersion): Promise<JobHostStatus> {
    await Promise.all([this.#indexed.promise, version.ready]);
    return this.status();
  }

  /** Adopts the stored index, or begins to index; asks for a worker where one is needed. */
  start(): void {
    const { index, worker } = this.application;
    this.#machine.transition({ kind: 'indexing' });
    if (index !== undefined && !index.useDefaultIndexing) {
      this.#adoptListed(indexFromWorker(index.functions, this.#indexScope), undefined);
    } else if (index !== undefined || !worker.workerIndexing) this.#indexFiles(undefined);
    const needsWorker = this.#options.startsWorker || index === undefined;
    for (const version of this.versions) version.open(index === undefined ? 'index' : 'activate', needsWorker);
  }

  /** Takes another code version in, without events. `startsWorker` gives it a worker even if it would sleep. */
  addVersion(application: ResolvedApplication, startsWorker: boolean): CodeVersion {
    const version = this.#createVersion(application);
    version.open('activate', startsWorker);
    this.#changed();
    return version;
  }

  /** Keeps a version that was about to end. False when it is too late for that. */
  takeBack(version: CodeVersion): boolean {
    if (!version.takeBack()) return false;
    this.#removals.delete(version);
    this.#changed();
    return true;
  }

  /** Ends a code version and forgets it, unless it is taken back meanwhile; a second call joins the first. */
  removeVersion(version: CodeVersion, deadlineMs: number): Promise<void> {
    let removal = this.#removals.get(version);
    if (removal === undefined) {
      removal = this.#removeVersion(version, deadlineMs);
      this.#removals.set(version, removal);
    }
    return removal;
  }

  async #removeVersion(version: CodeVersion, deadlineMs: number): Promise<void> {
    const { applicationId } = version.definition;
    version.beginDraining(false);
    version.fail(runtimeErrors.create('APPLICATION_STOPPED', { applicationId }));
    this.#changed();
    await settlesWithin(this.#deps.clock, deadlineMs, version.executor.whenIdle());
    if (version.isDraining) {
      await version.close();
      this.#versions.delete(version.definition.codeVersion);
    }
    this.#removals.delete(version);
    this.#changed();
  }

  /**
   * Why the app has never been served, while no worker is on its way that could change that; undefined while it is worth
   * to wait.
   */
  get outage(): string | undefined {
    const outages = this.#traffic.entries.map(({ outage }) => outage);
    return outages.every((outage) => outage !== undefined) ? outages[0] : undefined;
  }

  /** True while every function answers 503: an administrator, or app_offline.htm, says so. */
  get isOffline(): boolean {
    return this.duty.isPausedBy('state') || this.application.offlinePage?.() !== undefined;
  }

  /** What runs or is held, and what waits to be tried again. */
  get outstanding(): { readonly invocations: number; readonly retries: number } {
    const executors = this.versions.map(({ executor }) => executor);
    return {
      invocations: executors.reduce((sum, { active }) => sum + active, 0),
      retries: executors.reduce((sum, { waiting }) => sum + waiting, 0),
    };
  }

  /** Calls `resume` once the functions are known, or in vain after a while. Returns how to give the wait up. */
  whenIndexed(resume: Resume): () => void {
    const key = String(this.#nextWaiting++);
    if (!this.#waiting.offer(key, resume, this.#options.limits.workerWaitMs)) resume(undefined);
    return () => this.#waiting.remove(key);
  }

  status(): JobHostStatus {
    const { catalog, versions } = this;
    const isOnDuty = this.#options.isOnDuty(this);
    const problems = versions.map((version) => version.startProblem);
    const error = this.#faultProblem ?? problems.find((problem) => problem !== undefined) ?? this.#indexProblem;
    const unloaded = this.#unloaded();
    const shown = versions.map((version) => version.status(isOnDuty ? this.weightOf(version) : 0));
    return {
      key: this.key,
      applicationId: this.application.definition.applicationId,
      state: this.#machine.kind,
      functions: catalog?.status ?? [],
      rejected: catalog?.rejected ?? [],
      ...(unloaded.length === 0 ? {} : { unloaded }),
      workers: shown.flatMap(({ workers }) => workers),
      versions: shown,
      ...(error === undefined ? {} : { error }),
    };
  }

  /** Lets a standby version listen, now or with its first worker. */
  listen(): void {
    this.#mayListen = true;
    this.#listenIfDue();
  }

  /** Takes no more events; resolves when those that it took are settled. `drain` limits the time. */
  stopListening(): Promise<void> {
    this.#mayListen = false;
    for (const { executor } of this.versions) executor.closeListeners();
    return this.duty.drain();
  }

  /** Tries nothing again that has failed. */
  hurry(): void {
    for (const { executor } of this.versions) executor.close();
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
    const { versions } = this;
    for (const version of versions) version.beginDraining(true);
    const ended = Promise.all([this.stopListening(), ...versions.map(({ executor }) => executor.whenIdle())]);
    await Promise.race([ended, this.#outOfTime.promise]);
    this.hurry();
    await this.duty.drain(0);
    await Promise.all(versions.map((version) => version.close()));
    if (this.#machine.allows('stopped')) this.#machine.transition({ kind: 'stopped' });
    this.#changed();
    await this.#telemetry.close();
  }

  #createVersion(application: ResolvedApplication): CodeVersion {
    const { hostVersion, limits, strategy } = this.#options;
    const indexed = (participant: IndexParticipant, response: FunctionMetadataResponse): void =>
      this.#indexedBy(participant, response);
    const offered = (participant: IndexParticipant, offer: FunctionOffer): void => this.#offered(participant, offer);
    const indexRoot = this.application.scriptRoot;
    this.#telemetry.follow(application);
    const version = new CodeVersion(this.#deps, {
      telemetry: this.#telemetry,
      application,
      strategy,
      limits,
      plan: createHandshakePlan({ application, indexRoot, hostVersion, limits, gate: this.#gate, indexed, offered }),
      capabilities: application.index?.capabilities,
      onChange: () => this.#workersChanged(),
    });
    this.#versions.set(application.definition.codeVersion, version);
    return version;
  }

  #indexedBy(participant: IndexParticipant, response: FunctionMetadataResponse): void {
    // Another worker may have brought the functions along while this one was asked.
    if (this.#gate.isKnown) this.#gate.join(participant);
    else if (response.useDefaultMetadataIndexing) this.#indexFiles(participant);
    else this.#adoptListed(indexFromWorker(response.functionMetadataResults, this.#indexScope), participant);
  }

  /** A worker came with its functions: the first one's are taken, the others' must be the same. */
  #offered(participant: IndexParticipant, { functions, useDefaultIndexing }: FunctionOffer): void {
    const listed = useDefaultIndexing ? undefined : indexFromWorker(functions, this.#indexScope);
    if (!this.#gate.isKnown && listed !== undefined && this.application.index === undefined) {
      this.#adoptListed(listed, participant);
    }
    const difference = this.#gate.isKnown ? this.#differenceOf(listed) : undefined;
    if (difference === undefined) this.#gate.join(participant);
    else {
      const details = { workerId: participant.workerId, jobHostKey: this.key, difference };
      participant.fail(runtimeErrors.create('WORKER_FUNCTIONS_DIFFER', details));
    }
  }

  /** The ids of a stored index are what counts; a worker that lists the same names under others is told of them. */
  #differenceOf(listed: FunctionIndex | undefined): string | undefined {
    if (this.application.index === undefined) return differenceOf(this.#listed, listed);
    return this.#listed === undefined || listed === undefined ? undefined : missingNames(this.#listed, listed);
  }

  #adoptListed(index: FunctionIndex, participant: IndexParticipant | undefined): void {
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
    const of = { functionsLimit: this.#options.limits.functionsPerApplication, isListed: index === this.#listed };
    const catalog = createApplicationCatalog(index, this.application, this.#deps, of);
    if (catalog.entries.length === 0) this.#indexProblem = this.#emptyProblem(participant);
    reportIndex(this.log, catalog, this.#indexProblem);
    this.#machine.transition({ kind: 'dormant', catalog });
    this.#gate.settle(catalog.loadRequests);
    for (const resume of this.#waiting.drain()) resume(catalog);
    this.#indexed.resolve();
    this.#listenIfDue();
    this.#changed();
  }

  /** Workers that have not come yet keep no listener back when the functions were known without them. */
  #listenIfDue(): void {
    const isDue = this.application.index !== undefined || this.versions.some(({ hasServed }) => hasServed);
    if (this.#mayListen && isDue && this.catalog !== undefined) this.duty.start(this.catalog.entries);
  }

  #emptyProblem(participant: IndexParticipant | undefined): string {
    const { definition, scriptRoot } = this.application;
    const workers = this.versions.flatMap(({ pool }) => pool.workers);
    const worker = workers.find(({ workerId }) => workerId === participant?.workerId);
    const stderr = quoteStderr(worker?.stderrTail ?? []);
    return runtimeErrors.create('APPLICATION_EMPTY', { applicationId: definition.applicationId, scriptRoot, stderr })
      .message;
  }

  #workersChanged(): void {
    const { state } = this.#machine;
    const isServed = this.versions.some((version) => version.isServed);
    if (state.kind === 'dormant' && isServed) {
      this.#machine.transition({ kind: 'active', catalog: state.catalog });
      this.#listenIfDue();
    } else if (state.kind === 'active' && !isServed) {
      this.#machine.transition({ kind: 'dormant', catalog: state.catalog });
    }
    if (this.outage !== undefined) for (const resume of this.#waiting.drain()) resume(undefined);
    this.#changed();
  }

  /** The app cannot be hosted at all. */
  #fault(error: PlatformError): void {
    if (!this.#machine.allows('faulted')) return;
    this.log.write('error', error.message, { category: 'Host.Startup', code: error.code });
    this.#faultProblem = error.message;
    this.#machine.transition({ kind: 'faulted' });
    this.#giveUpWaiting(error);
    for (const version of this.versions) void version.close();
    void this.#telemetry.close();
    this.#changed();
  }

  /** Whoever waits for the app to start, or for its functions, waits in vain. */
  #giveUpWaiting(error: PlatformError): void {
    this.#indexed.reject(error);
    for (const version of this.versions) version.fail(error);
    for (const resume of this.#waiting.drain()) resume(undefined);
  }

  /** What the newest worker that is ready could not load. */
  #unloaded(): UnloadedFunction[] {
    const workers = this.versions.flatMap(({ pool }) => pool.workers);
    const worker = workers.findLast(({ state }) => state.kind === 'ready');
    return [...(worker?.loadFailures ?? [])].map(([functionId, { message, stack }]) => {
      const entry = this.catalog?.entries.find(({ metadata }) => metadata.functionId === functionId);
      return { name: entry?.metadata.name ?? functionId, message, stack };
    });
  }

  #changed(): void {
    this.#options.onChange(this);
  }
}
