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
 */
import { type ErrorDetails, isPlatformError, messageOf, settlesWithin } from '@switchyard/kernel';
import { jobHostKey } from '@switchyard/model';
import { classifyConsoleLine, type SupplyEvent, type WorkerClaims } from '@switchyard/protocol';
import type { AddOptions, JobHostStatus, RuntimeApplication } from '../contract.ts';
import { type RuntimeErrorCode, runtimeErrors } from '../errors.ts';
import type { HostTable } from '../gateway/host-table.ts';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import type { RegistryObserver, WorkerRegistry } from '../worker-registry/worker-registry.ts';
import type { Admission } from '../worker-stream/worker-stream.ts';
import { JobHost, type JobHostDeps, type JobHostOptions } from './job-host.ts';
import { resolveApplication } from './resolve-application.ts';

export interface JobHostManagerDeps extends JobHostDeps {
  /** Which app answers to which host name; the manager writes it. */
  readonly hosts: HostTable<JobHost>;
}

export interface JobHostManagerOptions extends Omit<JobHostOptions, 'application' | 'standby' | 'onChange'> {
  readonly cpus: number;
}

/** A worker in these states may open no further stream. */
const endedKinds: ReadonlySet<string> = new Set(['draining', 'stopped', 'abandoned']);

export class JobHostManager implements RegistryObserver {
  readonly #deps: JobHostManagerDeps;
  readonly #options: JobHostManagerOptions;
  readonly #jobHosts = new Map<string, JobHost>();
  readonly #standby = new Set<JobHost>();
  /** Which JobHost each announced worker belongs to. */
  readonly #hostOf = new Map<Worker, JobHost>();
  readonly #observers = new Set<(status: JobHostStatus) => void>();
  #registry: WorkerRegistry | undefined;

  constructor(deps: JobHostManagerDeps, options: JobHostManagerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Names the registry whose workers the manager admits. */
  serve(registry: WorkerRegistry): void {
    this.#registry = registry;
  }

  get all(): readonly JobHost[] {
    return [...this.#jobHosts.values()];
  }

  find(key: string): JobHost | undefined {
    return this.#jobHosts.get(key);
  }

  /** Starts the app's JobHost, or joins the start that is under way. Rejects as `Runtime.addApplication` does. */
  getOrCreate(application: RuntimeApplication, options: AddOptions = {}): Promise<JobHostStatus> {
    const key = jobHostKey(application.definition);
    const existing = this.#jobHosts.get(key);
    if (existing !== undefined && existing.state.kind !== 'draining') return existing.ready;
    try {
      return this.#create(key, application, options).ready;
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /** Gives the app's names to this version at once, and its events as soon as the other versions are done with theirs. */
  async promote(key: string): Promise<void> {
    const jobHost = this.#jobHosts.get(key);
    if (jobHost === undefined) return;
    const { definition, hostNames } = jobHost.application;
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
    await jobHost.drain(deadlineMs);
    this.#forget(jobHost);
  }

  async drain(deadlineMs: number): Promise<void> {
    for (const jobHost of this.all) jobHost.hurry();
    await Promise.all(this.all.map((jobHost) => this.remove(jobHost.key, deadlineMs)));
  }

  watch(observer: (status: JobHostStatus) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Decides whether a stream that names this worker is let in. */
  admit(workerId: string, channel: WorkerChannel): Admission {
    const worker = this.#registry?.find(workerId);
    if (worker === undefined) return { kind: 'refused', error: runtimeErrors.create('WORKER_UNKNOWN', { workerId }) };
    const jobHost = this.#hostOf.get(worker);
    if (jobHost === undefined) {
      const { jobHostKey: key } = worker;
      return { kind: 'refused', error: runtimeErrors.create('WORKER_APPLICATION_GONE', { workerId, jobHostKey: key }) };
    }
    const { kind } = worker.state;
    if (endedKinds.has(kind)) {
      return { kind: 'refused', error: runtimeErrors.create('WORKER_ENDED', { workerId, state: kind }) };
    }
    return { kind: 'admitted', session: jobHost.pool.admit(worker, channel) };
  }

  /** Decides whether the worker that a sidecar brings is let in. Its claims were verified. */
  connect(claims: WorkerClaims, channel: WorkerChannel): Admission {
    const { workerId, application, epoch } = claims;
    const key = jobHostKey(application);
    const refused = (code: RuntimeErrorCode, details: ErrorDetails = {}): Admission => {
      return { kind: 'refused', error: runtimeErrors.create(code, { workerId, jobHostKey: key, ...details }) };
    };
    const jobHost = this.#jobHosts.get(key);
    if (jobHost === undefined) return refused('WORKER_APPLICATION_UNKNOWN');
    if (jobHost.state.kind === 'draining') return refused('WORKER_APPLICATION_GONE');
    if (claims.isPlaceholder) return refused('WORKER_FOREIGN', { reason: 'it is a placeholder' });
    if (claims.tenantId !== '' && claims.tenantId !== jobHost.application.tenantId) {
      return refused('WORKER_FOREIGN', { reason: 'the app belongs to another tenant' });
    }
    const worker = this.#registry?.introduce(workerId, application);
    if (worker === undefined || this.#hostOf.get(worker) !== jobHost) {
      return refused('WORKER_FOREIGN', { reason: 'it is known as a worker of another app' });
    }
    const { kind } = worker.state;
    if (endedKinds.has(kind)) return refused('WORKER_ENDED', { state: kind });
    const latest = worker.sidecarEpoch;
    if (epoch < latest || (epoch === latest && epoch > 0)) return refused('WORKER_EPOCH_STALE', { epoch, latest });
    worker.sidecarEpoch = epoch;
    return { kind: 'admitted', session: jobHost.pool.admit(worker, channel) };
  }

  expected(worker: Worker): void {
    const jobHost = this.#jobHosts.get(worker.jobHostKey);
    if (jobHost === undefined) return;
    this.#hostOf.set(worker, jobHost);
    jobHost.pool.expect(worker);
  }

  console(worker: Worker, stream: 'stdout' | 'stderr', line: string): void {
    const { applicationId } = worker.application;
    const jobHost = this.#hostOf.get(worker);
    const { origin, level, text } = classifyConsoleLine(stream, line, jobHost?.application.worker.stderrIsError);
    const category = {
      system: 'Worker.Console',
      tooling: 'Host.Function.ToolingConsoleLog',
      application: 'Host.Function.Console',
    }[origin];
    const log = jobHost?.log ?? this.#deps.log;
    log.write(level, text, { category, applicationId, workerId: worker.workerId });
  }

  exited(worker: Worker, event: Extract<SupplyEvent, { kind: 'exited' }>): void {
    this.#hostOf.get(worker)?.pool.exited(worker, event);
    this.#hostOf.delete(worker);
  }

  forgotten(worker: Worker): void {
    this.#hostOf.get(worker)?.pool.forget(worker);
    this.#hostOf.delete(worker);
  }

  failed(event: Extract<SupplyEvent, { kind: 'failed' }>): void {
    this.#jobHosts.get(jobHostKey(event.application))?.pool.supplyFailed(event);
  }

  #create(key: string, application: RuntimeApplication, { standby = false, log }: AddOptions): JobHost {
    const resolved = resolveApplication(application, this.#options);
    const jobHost = new JobHost(
      { ...this.#deps, log: log ?? this.#deps.log },
      { ...this.#options, application: resolved, standby, onChange: (changed) => this.#changed(changed) },
    );
    const { applicationId } = application.definition;
    const older = this.#currentOf(applicationId);
    if (standby) this.#standby.add(jobHost);
    else if (older === undefined) this.#deps.hosts.set(applicationId, application.hostNames, jobHost);
    this.#jobHosts.set(key, jobHost);
    for (const warning of resolved.host.warnings) jobHost.log.write('warning', warning, { category: 'Host.Startup' });
    this.#adoptWorkers(key);
    jobHost.start();
    return jobHost;
  }

  /** Workers that the supply announced before the JobHost was there. */
  #adoptWorkers(key: string): void {
    for (const worker of this.#registry?.ofJobHost(key) ?? []) {
      if (worker.state.kind === 'initializing' && !this.#hostOf.has(worker)) this.expected(worker);
    }
  }

  /** The versions of an app that are on duty, oldest first. */
  #versionsOf(applicationId: string): readonly JobHost[] {
    return this.all.filter(
      (jobHost) => jobHost.application.definition.applicationId === applicationId && !this.#standby.has(jobHost),
    );
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
    const status = jobHost.status();
    for (const observer of [...this.#observers]) this.#tell(observer, status);
  }

  /** A newer version that is ready takes the app's names from the older one. */
  #takeOver(jobHost: JobHost): void {
    const { definition, hostNames } = jobHost.application;
    const current = this.#currentOf(definition.applicationId);
    if (current === jobHost) return;
    const keys = [...this.#jobHosts.values()];
    if (current !== undefined && keys.indexOf(current) > keys.indexOf(jobHost)) return;
    this.#deps.hosts.set(definition.applicationId, hostNames, jobHost);
  }

  #forget(jobHost: JobHost): void {
    const { applicationId } = jobHost.application.definition;
    if (this.#jobHosts.get(jobHost.key) === jobHost) this.#jobHosts.delete(jobHost.key);
    this.#standby.delete(jobHost);
    for (const [worker, owner] of this.#hostOf) if (owner === jobHost) this.#hostOf.delete(worker);
    if (this.#currentOf(applicationId) !== jobHost) return;
    this.#deps.hosts.delete(applicationId);
    const heir = this.#versionsOf(applicationId).at(-1);
    if (heir !== undefined) this.#deps.hosts.set(applicationId, heir.application.hostNames, heir);
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
