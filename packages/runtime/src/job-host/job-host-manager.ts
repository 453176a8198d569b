/**
 * The single owner of every JobHost, and of the way from workers and host names to them.
 *
 * Ownership: the Runtime owns the manager; the manager creates, drains and forgets JobHosts.
 *
 * I1 There is one JobHost per key; calls at the same time for the same key join one start.
 * I2 An app that cannot be hosted leaves nothing behind.
 * I3 A worker belongs to the JobHost of its own app and version, from its announcement to its end.
 * I4 Of several versions of an app the newest that has been ready answers to the app's names; until then the older one does.
 * I5 Removing an unknown JobHost does nothing; removing one harms no other.
 * I6 A standby version answers to no name and listens to nothing until it is promoted. From then on it alone answers, and
 *    it listens once the others have stopped to, or have had `handOverMs` for that.
 * I7 A worker that comes by WorkerConnect is let in only to a JobHost that is there, of its own tenant, with a newer epoch.
 * I8 Code versions of one metadata version share a JobHost. Their weights change as a whole or not at all, and a change
 *    creates nothing.
 */
import { type ErrorDetails, isPlatformError, messageOf, settlesWithin } from '@switchyard/kernel';
import { type ApplicationDefinition, jobHostKey } from '@switchyard/model';
import { classifyConsoleLine, type SupplyEvent, type WorkerClaims } from '@switchyard/protocol';
import type { PrimaryHosts } from '@switchyard/triggers';
import type { AddOptions, JobHostStatus, RuntimeApplication, TrafficOptions, TrafficShare } from '../contract.ts';
import { type RuntimeErrorCode, runtimeErrors } from '../errors.ts';
import type { HostTable } from '../gateway/host-table.ts';
import type { HealthMonitors } from '../health/health-monitors.ts';
import { watchHealth } from '../health/watch-health.ts';
import type { FunctionBacklog } from '../load/function-backlog.ts';
import type { VersionLoad, WorkerWish } from '../load/version-load.ts';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import type { RegistryObserver, WorkerRegistry } from '../worker-registry/worker-registry.ts';
import type { Admission } from '../worker-stream/worker-stream.ts';
import type { CodeVersion } from './code-version.ts';
import { JobHost, type JobHostDeps, type JobHostOptions } from './job-host.ts';
import { JobHostTable } from './job-host-table.ts';
import { PrimaryWatch } from './primary-watch.ts';
import { resolveApplication } from './resolve-application.ts';
import { checkShares, versionName } from './traffic-shares.ts';
import { fullWeight, type Weighted } from './traffic-split.ts';

export interface JobHostManagerDeps extends JobHostDeps {
  /** Which app answers to which host name; the manager writes it. */
  readonly hosts: HostTable<JobHost>;
  /** Left out, no app has a primary host. */
  readonly primaryHosts?: PrimaryHosts | undefined;
  /** Left out, nobody watches over the health of the host. */
  readonly health?: HealthMonitors | undefined;
}

export interface JobHostManagerOptions extends Pick<JobHostOptions, 'hostVersion' | 'strategy' | 'limits'> {
  readonly cpus: number;
}

/** A worker in these states may open no further stream. */
const endedKinds: ReadonlySet<string> = new Set(['draining', 'stopped', 'abandoned']);

export class JobHostManager implements RegistryObserver {
  readonly #deps: JobHostManagerDeps;
  readonly #options: JobHostManagerOptions;
  readonly #jobHosts = new JobHostTable();
  readonly #standby = new Set<JobHost>();
  /** How to end what watches over the health of the host for them. */
  readonly #healthWatches = new Map<JobHost, () => void>();
  /** Which version each announced worker belongs to. */
  readonly #homeOf = new Map<Worker, CodeVersion>();
  readonly #observers = new Set<(status: JobHostStatus) => void>();
  readonly #wakeObservers = new Set<(definition: ApplicationDefinition) => void>();
  readonly #primaries: PrimaryWatch | undefined;
  #registry: WorkerRegistry | undefined;
  #isIntakeClosed = false;

  constructor(deps: JobHostManagerDeps, options: JobHostManagerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#primaries = deps.primaryHosts && new PrimaryWatch(deps.primaryHosts);
  }

  /** Names the registry whose workers the manager admits. */
  serve(registry: WorkerRegistry): void {
    this.#registry = registry;
  }

  get all(): readonly JobHost[] {
    return this.#jobHosts.all;
  }

  /** The JobHosts of an app, oldest first, or all of them. */
  of(applicationId?: string): readonly JobHost[] {
    return applicationId === undefined ? this.all : this.#jobHosts.of(applicationId);
  }

  /** True while this is the app's primary host. */
  isPrimary(jobHost: JobHost): boolean {
    return this.#primaries?.isPrimary(jobHost) ?? false;
  }

  find(key: string): JobHost | undefined {
    return this.#jobHosts.get(key);
  }

  /** Starts the app's version, or joins the start that is under way. Rejects as `Runtime.addApplication` does. */
  async getOrCreate(application: RuntimeApplication, options: AddOptions = {}): Promise<JobHostStatus> {
    const { definition } = application;
    const key = jobHostKey(definition);
    const jobHost = this.#jobHosts.get(key);
    if (jobHost === undefined || jobHost.state.kind === 'draining') {
      const created = this.#create(key, application, options);
      return await created.whenReady(created.oldest);
    }
    const version = jobHost.versionOf(definition);
    if (version !== undefined && (!version.isDraining || jobHost.takeBack(version))) {
      if (options.start === true) version.rouse();
      return await jobHost.whenReady(version);
    }
    if (version !== undefined) await jobHost.removeVersion(version, 0);
    return await jobHost.whenReady(this.#join(jobHost, application, options));
  }

  /** Spreads the app's events as `Runtime.setTraffic` says. */
  async setTraffic(
    applicationId: string,
    shares: readonly TrafficShare[],
    options: TrafficOptions = {},
  ): Promise<void> {
    const jobHosts = this.of(applicationId);
    const versions = jobHosts
      .filter(({ state }) => state.kind !== 'draining')
      .flatMap((jobHost) => jobHost.versions.filter(({ isDraining }) => !isDraining));
    const metadataVersion = checkShares(
      applicationId,
      shares,
      versions.map(({ definition }) => definition),
    );
    const key = jobHostKey({ applicationId, metadataVersion, codeVersion: '' });
    const jobHost = this.#jobHosts.get(key);
    if (jobHost === undefined) return;
    const weights = shares
      .filter((share) => share.metadataVersion === metadataVersion)
      .flatMap(({ codeVersion, weight }) => {
        const entry = jobHost.versionOf({ applicationId, metadataVersion, codeVersion });
        return entry === undefined ? [] : [{ entry, weight }];
      });
    const { hostNames } = heaviest(weights)?.application ?? jobHost.application;
    const isOnDuty = this.#currentOf(applicationId) === jobHost;
    this.#deps.hosts.set(applicationId, hostNames, jobHost);
    jobHost.setWeights(weights, options);
    if (!isOnDuty) await this.#promote(jobHost, hostNames);
  }

  /** What every version has to do that is awake, or every one of an app. */
  loads(applicationId?: string): readonly VersionLoad[] {
    return this.of(applicationId).flatMap((jobHost) => {
      const { applicationId: own } = jobHost.application.definition;
      const versions = jobHost.versions.filter((version) => applicationId !== undefined || version.isAwake);
      if (versions.length === 0) return [];
      const isOnDuty = this.#currentOf(own) === jobHost;
      return versions.map((version) => version.load(isOnDuty ? jobHost.weightOf(version) : 0));
    });
  }

  /** What waits for the functions of an app, asked of their sources now. */
  async backlogs(applicationId: string, signal: AbortSignal): Promise<readonly FunctionBacklog[]> {
    const jobHosts = this.of(applicationId);
    return (await Promise.all(jobHosts.map(({ duty }) => duty.backlogs(signal)))).flat();
  }

  /** Apps of which a function listens to something. */
  listeningApps(): readonly string[] {
    const listening = this.all.filter(({ catalog }) =>
      catalog?.entries.some(({ trigger, isDisabled }) => trigger.kind === 'listener' && !isDisabled),
    );
    return [...new Set(listening.map(({ application }) => application.definition.applicationId))];
  }

  /** Gives a version so many workers; one that is not hosted, or is being taken out, gets none. */
  scaleTo(definition: ApplicationDefinition, wish: WorkerWish): void {
    const version = this.#jobHosts.get(jobHostKey(definition))?.versionOf(definition);
    if (version !== undefined && !version.isDraining) version.scaleTo(wish);
  }

  /** Ends one version as `Runtime.removeVersion` says. */
  async removeVersion(definition: ApplicationDefinition, deadlineMs: number): Promise<void> {
    const jobHost = this.#jobHosts.get(jobHostKey(definition));
    const version = jobHost?.versionOf(definition);
    if (jobHost === undefined || version === undefined) return;
    if (jobHost.versions.every((other) => other === version || other.isDraining) && !version.isDraining) {
      await this.remove(jobHost.key, deadlineMs);
      return;
    }
    const { applicationId } = definition;
    const weight = jobHost.weightOf(version);
    if (weight > 0) {
      if (this.#currentOf(applicationId) === jobHost) {
        const name = versionName(definition);
        throw runtimeErrors.create('TRAFFIC_VERSION_IN_USE', { applicationId, version: name, weight });
      }
      const heir = jobHost.versions.find((other) => other !== version && !other.isDraining);
      if (heir !== undefined) jobHost.setWeights([{ entry: heir, weight: fullWeight }], {});
    }
    await jobHost.removeVersion(version, deadlineMs);
    this.#forgetWorkers(version);
  }

  /** Gives the app's names to this version at once, and its events as soon as the other versions are done with theirs. */
  async promote(key: string): Promise<void> {
    const jobHost = this.#jobHosts.get(key);
    if (jobHost !== undefined) await this.#promote(jobHost, jobHost.application.hostNames);
  }

  async #promote(jobHost: JobHost, hostNames: readonly string[]): Promise<void> {
    const { definition } = jobHost.application;
    this.#deps.hosts.set(definition.applicationId, hostNames, jobHost);
    this.#standby.delete(jobHost);
    const others = this.#versionsOf(definition.applicationId).filter((other) => other !== jobHost);
    const ended = Promise.all(others.map((other) => other.stopListening()));
    if (others.length > 0) await settlesWithin(this.#deps.clock, this.#options.limits.handOverMs, ended);
    if (this.#currentOf(definition.applicationId) === jobHost) jobHost.listen();
  }

  /** Drains and forgets the JobHost. */
  async remove(key: string, deadlineMs: number): Promise<void> {
    const jobHost = this.#jobHosts.get(key);
    if (jobHost === undefined) return;
    await Promise.all([jobHost.drain(deadlineMs), this.#primaries?.leave(jobHost)]);
    this.#forget(jobHost);
    // The end of its workers was not meant for those of a JobHost that took its place.
    for (const { pool } of this.#jobHosts.get(key)?.versions ?? []) pool.renew();
  }

  async drain(deadlineMs: number): Promise<void> {
    for (const jobHost of this.all) jobHost.hurry();
    await Promise.all(this.all.map((jobHost) => this.remove(jobHost.key, deadlineMs)));
  }

  /** Calls back when a version that slept has something to do. Returns the unsubscriber. */
  watchWakes(observer: (definition: ApplicationDefinition) => void): () => void {
    this.#wakeObservers.add(observer);
    return () => this.#wakeObservers.delete(observer);
  }

  /** Lets no listener take anything new, or lets all of them go on. */
  closeIntake(isClosed: boolean): void {
    this.#isIntakeClosed = isClosed;
    for (const { duty } of this.all)
      if (isClosed) duty.pause('memory');
      else duty.resume('memory');
  }

  /** Lets the oldest workers that serve end what they run, and asks for others in their place. */
  drainOldest(count: number): void {
    const serving = [...this.#homeOf].filter(([worker]) => worker.state.kind === 'ready');
    for (const [worker, home] of serving.slice(0, count)) home.pool.exchange(worker);
  }

  watch(observer: (status: JobHostStatus) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Decides whether a stream that names this worker is let in. */
  admit(workerId: string, channel: WorkerChannel): Admission {
    const worker = this.#registry?.find(workerId);
    if (worker === undefined) return { kind: 'refused', error: runtimeErrors.create('WORKER_UNKNOWN', { workerId }) };
    const home = this.#homeOf.get(worker);
    if (home === undefined) {
      const { jobHostKey: key } = worker;
      return { kind: 'refused', error: runtimeErrors.create('WORKER_APPLICATION_GONE', { workerId, jobHostKey: key }) };
    }
    const { kind } = worker.state;
    if (endedKinds.has(kind)) {
      return { kind: 'refused', error: runtimeErrors.create('WORKER_ENDED', { workerId, state: kind }) };
    }
    return { kind: 'admitted', session: home.pool.admit(worker, channel) };
  }

  /** Decides whether the worker that a sidecar brings is let in. Its claims were verified. */
  connect(claims: WorkerClaims, channel: WorkerChannel): Admission {
    const { workerId, application, epoch } = claims;
    const key = jobHostKey(application);
    const refused = (code: RuntimeErrorCode, details: ErrorDetails = {}): Admission => {
      return { kind: 'refused', error: runtimeErrors.create(code, { workerId, jobHostKey: key, ...details }) };
    };
    const jobHost = this.#jobHosts.get(key);
    const home = jobHost?.versionOf(application);
    if (jobHost === undefined || home === undefined) return refused('WORKER_APPLICATION_UNKNOWN');
    if (jobHost.state.kind === 'draining' || home.isDraining) return refused('WORKER_APPLICATION_GONE');
    if (claims.isPlaceholder) return refused('WORKER_FOREIGN', { reason: 'it is a placeholder' });
    if (claims.tenantId !== '' && claims.tenantId !== jobHost.application.tenantId) {
      return refused('WORKER_FOREIGN', { reason: 'the app belongs to another tenant' });
    }
    const worker = this.#registry?.introduce(workerId, application);
    if (worker === undefined || this.#homeOf.get(worker) !== home) {
      return refused('WORKER_FOREIGN', { reason: 'it is known as a worker of another app' });
    }
    const { kind } = worker.state;
    if (endedKinds.has(kind)) return refused('WORKER_ENDED', { state: kind });
    const latest = worker.sidecarEpoch;
    if (epoch < latest || (epoch === latest && epoch > 0)) return refused('WORKER_EPOCH_STALE', { epoch, latest });
    worker.sidecarEpoch = epoch;
    return { kind: 'admitted', session: home.pool.admit(worker, channel) };
  }

  /** Decides whether a worker that waited for an app becomes the worker of this one. Its claims were verified. */
  specialize(worker: Worker, { application, tenantId }: WorkerClaims, channel: WorkerChannel): Admission {
    const { workerId } = worker;
    const key = jobHostKey(application);
    const refused = (code: RuntimeErrorCode, details: ErrorDetails = {}): Admission => {
      return { kind: 'refused', error: runtimeErrors.create(code, { workerId, jobHostKey: key, ...details }) };
    };
    const jobHost = this.#jobHosts.get(key);
    const home = jobHost?.versionOf(application);
    if (jobHost === undefined || home === undefined) return refused('WORKER_APPLICATION_UNKNOWN');
    if (jobHost.state.kind === 'draining' || home.isDraining) return refused('WORKER_APPLICATION_GONE');
    if (tenantId !== jobHost.application.tenantId) {
      return refused('WORKER_FOREIGN', { reason: 'the app belongs to another tenant' });
    }
    const owner = this.#homeOf.get(worker);
    if (owner !== undefined && owner !== home) {
      return refused('WORKER_FOREIGN', { reason: 'it is known as a worker of another app' });
    }
    worker.specialize(application);
    this.#homeOf.set(worker, home);
    return { kind: 'admitted', session: home.pool.admit(worker, channel) };
  }

  /** The tenant whose app this is; undefined when this version is not hosted. */
  tenantOf(definition: ApplicationDefinition): string | undefined {
    const jobHost = this.#jobHosts.get(jobHostKey(definition));
    return jobHost?.versionOf(definition) === undefined ? undefined : jobHost.application.tenantId;
  }

  /** Ends an older stream of the worker, which has dialled again. */
  supersede(worker: Worker): void {
    this.#homeOf.get(worker)?.pool.supersede(worker);
  }

  expected(worker: Worker): void {
    const home = this.#jobHosts.get(worker.jobHostKey)?.versionOf(worker.application);
    if (home === undefined) return;
    this.#homeOf.set(worker, home);
    home.pool.expect(worker);
  }

  console(worker: Worker, stream: 'stdout' | 'stderr', line: string): void {
    const { applicationId } = worker.application;
    const home = this.#homeOf.get(worker);
    const { origin, level, text } = classifyConsoleLine(stream, line, home?.application.worker.stderrIsError);
    const category = {
      system: 'Worker.Console',
      tooling: 'Host.Function.ToolingConsoleLog',
      application: 'Host.Function.Console',
    }[origin];
    const log = home?.log ?? this.#deps.log;
    log.write(level, text, { category, applicationId, workerId: worker.workerId });
  }

  exited(worker: Worker, event: Extract<SupplyEvent, { kind: 'exited' }>): void {
    this.#homeOf.get(worker)?.pool.exited(worker, event);
    this.#homeOf.delete(worker);
  }

  forgotten(worker: Worker): void {
    this.#homeOf.get(worker)?.pool.forget(worker);
    this.#homeOf.delete(worker);
  }

  failed(event: Extract<SupplyEvent, { kind: 'failed' }>): void {
    const { application } = event;
    this.#jobHosts.get(jobHostKey(application))?.versionOf(application)?.pool.supplyFailed(event);
  }

  #create(key: string, application: RuntimeApplication, { standby = false, start, log }: AddOptions): JobHost {
    const resolved = resolveApplication(application, this.#options);
    const { hostVersion, strategy, limits } = this.#options;
    const jobHost = new JobHost(
      { ...this.#deps, log: log ?? this.#deps.log, onWake: (definition) => this.#woken(definition) },
      {
        application: resolved,
        hostVersion,
        strategy,
        limits,
        standby,
        startsWorker: start ?? false,
        isOnDuty: (one) => this.#currentOf(application.definition.applicationId) === one,
        onChange: (changed) => this.#changed(changed),
      },
    );
    if (this.#isIntakeClosed) jobHost.duty.pause('memory');
    if (this.#deps.health !== undefined) this.#healthWatches.set(jobHost, watchHealth(this.#deps.health, jobHost));
    const { applicationId } = application.definition;
    const older = this.#currentOf(applicationId);
    if (standby) this.#standby.add(jobHost);
    else if (older === undefined) this.#deps.hosts.set(applicationId, application.hostNames, jobHost);
    this.#jobHosts.set(jobHost);
    for (const warning of resolved.host.warnings) jobHost.log.write('warning', warning, { category: 'Host.Startup' });
    this.#adoptWorkers(key);
    jobHost.start();
    return jobHost;
  }

  /** Takes a further code version of a JobHost in. */
  #join(jobHost: JobHost, application: RuntimeApplication, { start = false }: AddOptions): CodeVersion {
    const limit = this.#options.limits.versionsPerJobHost;
    if (jobHost.versions.length >= limit) {
      const { applicationId } = application.definition;
      throw runtimeErrors.create('APPLICATION_VERSION_LIMIT', { applicationId, limit });
    }
    const version = jobHost.addVersion(resolveApplication(application, this.#options), start);
    this.#adoptWorkers(jobHost.key);
    return version;
  }

  /** Workers that the supply announced before the JobHost was there. */
  #adoptWorkers(key: string): void {
    for (const worker of this.#registry?.ofJobHost(key) ?? []) {
      if (worker.state.kind === 'initializing' && !this.#homeOf.has(worker)) this.expected(worker);
    }
  }

  /** The versions of an app that are on duty, oldest first. */
  #versionsOf(applicationId: string): readonly JobHost[] {
    return this.of(applicationId).filter((jobHost) => !this.#standby.has(jobHost));
  }

  /** The JobHost that answers to the app's names. */
  #currentOf(applicationId: string): JobHost | undefined {
    const lookup = this.#deps.hosts.find(`${applicationId}.localhost`);
    return lookup.kind === 'found' && lookup.app.application.definition.applicationId === applicationId
      ? lookup.app
      : undefined;
  }

  #changed(jobHost: JobHost): void {
    const { kind } = jobHost.state;
    const isKnown = this.#jobHosts.get(jobHost.key) === jobHost;
    if (kind === 'active' && isKnown && !this.#standby.has(jobHost)) this.#takeOver(jobHost);
    if (kind === 'faulted' && isKnown) this.#forget(jobHost);
    this.#primaries?.look(
      jobHost,
      isKnown && this.#currentOf(jobHost.application.definition.applicationId) === jobHost,
    );
    const status = jobHost.status();
    for (const observer of [...this.#observers]) this.#tell(observer, status);
  }

  /** A newer version that is ready takes the app's names from the older one. */
  #takeOver(jobHost: JobHost): void {
    const { definition, hostNames } = jobHost.application;
    const current = this.#currentOf(definition.applicationId);
    if (current === jobHost) return;
    const own = this.of(definition.applicationId);
    if (current !== undefined && own.indexOf(current) > own.indexOf(jobHost)) return;
    this.#deps.hosts.set(definition.applicationId, hostNames, jobHost);
  }

  #forget(jobHost: JobHost): void {
    const { applicationId } = jobHost.application.definition;
    this.#jobHosts.delete(jobHost);
    this.#standby.delete(jobHost);
    this.#healthWatches.get(jobHost)?.();
    this.#healthWatches.delete(jobHost);
    for (const version of jobHost.versions) this.#forgetWorkers(version);
    if (this.#currentOf(applicationId) !== jobHost) return;
    this.#deps.hosts.delete(applicationId);
    const heir = this.#versionsOf(applicationId).at(-1);
    if (heir !== undefined) this.#deps.hosts.set(applicationId, heir.application.hostNames, heir);
  }

  #forgetWorkers(version: CodeVersion): void {
    for (const [worker, home] of this.#homeOf) if (home === version) this.#homeOf.delete(worker);
  }

  #woken(definition: ApplicationDefinition): void {
    for (const observer of [...this.#wakeObservers]) observer(definition);
  }

  #tell(observer: (status: JobHostStatus) => void, status: JobHostStatus): void {
    try {
      observer(status);
    } catch (thrown) {
      const code = isPlatformError(thrown) ? thrown.code : 'UNEXPECTED';
      this.#deps.log.write('error', 'An observer of JobHosts failed.', { code, reason: messageOf(thrown) });
    }
  }
}

/** The version with most of the traffic. */
function heaviest(weights: readonly Weighted<CodeVersion>[]): CodeVersion | undefined {
  return [...weights].sort((one, other) => other.weight - one.weight)[0]?.entry;
}
