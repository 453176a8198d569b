/**
 * A Runtime of another process, as the installation sees it: what it reported last, and calls over its channel.
 *
 * Ownership: the fleet has one for each Runtime that has joined, until its channel ends.
 *
 * I1 `status` and `load` are what was reported last; a status that comes by itself is newer than the report before it.
 * I2 Nothing that was called is called again: a call whose channel ends rejects.
 */
import { messageOf } from '@switchyard/kernel';
import type { FramePeer } from '@switchyard/protocol';
import type {
  FunctionBacklog,
  JobHostStatus,
  RestartOutcome,
  RuntimeApplication,
  VersionLoad,
} from '@switchyard/runtime';
import type { MetricSnapshot } from '@switchyard/telemetry';
import type { HostRuntime } from './host-runtime.ts';
import { callMs, type RuntimeCalls, type RuntimeNotes, type RuntimeReport, type SentKey } from './messages.ts';
import { toSentApplication } from './sent-application.ts';

export interface RemoteRuntimeDeps {
  readonly peer: Pick<FramePeer, 'call' | 'note'>;
  readonly keysOf: (applicationId: string) => readonly SentKey[];
}

export class RemoteRuntime implements HostRuntime {
  readonly #deps: RemoteRuntimeDeps;
  readonly #jobHosts = new Map<string, JobHostStatus>();
  readonly #observers = new Set<(status: JobHostStatus) => void>();
  readonly #wakes = new Set<Parameters<HostRuntime['watchWakes']>[0]>();
  #loads: readonly VersionLoad[] = [];
  #listeningApps: readonly string[] = [];

  constructor(deps: RemoteRuntimeDeps) {
    this.#deps = deps;
  }

  async addApplication(
    application: RuntimeApplication,
    { standby = false, start = false }: Parameters<HostRuntime['addApplication']>[1] = {},
  ): Promise<JobHostStatus> {
    const keys = this.#deps.keysOf(application.definition.applicationId);
    const sent = await toSentApplication(application, keys);
    const status = await this.#call('addApplication', { application: sent, standby, start }, callMs.start);
    this.heard(status);
    return status;
  }

  async promoteApplication(key: string): Promise<void> {
    await this.#call('promoteApplication', { key }, callMs.start);
  }

  async removeApplication(key: string, deadlineMs: number): Promise<void> {
    await this.#call('removeApplication', { key, deadlineMs }, deadlineMs + callMs.drainMargin);
    this.#jobHosts.delete(key);
  }

  async setTraffic(...[applicationId, shares, options]: Parameters<HostRuntime['setTraffic']>): Promise<void> {
    await this.#call('setTraffic', { applicationId, shares, options }, callMs.start);
  }

  async removeVersion(...[definition, deadlineMs]: Parameters<HostRuntime['removeVersion']>): Promise<void> {
    await this.#call('removeVersion', { definition, deadlineMs }, deadlineMs + callMs.drainMargin);
  }

  async restartWorker(...[workerId, wish]: Parameters<HostRuntime['restartWorker']>): Promise<RestartOutcome> {
    const { environment, ...others } = wish;
    const variables = environment && Object.fromEntries(environment);
    return await this.#call('restartWorker', { workerId, wish: { ...others, environment: variables } }, callMs.quick);
  }

  load(applicationId?: string): readonly VersionLoad[] {
    if (applicationId === undefined) return this.#loads.filter(isAwake);
    return this.#loads.filter(({ definition }) => definition.applicationId === applicationId);
  }

  /** A channel that ends leaves open whether they were updated: the version has to be replaced. */
  async updateEnvironment(
    ...[definition, variables]: Parameters<HostRuntime['updateEnvironment']>
  ): ReturnType<HostRuntime['updateEnvironment']> {
    const body = { definition, variables: Object.fromEntries(variables) };
    return await this.#call('updateEnvironment', body, callMs.start).catch((thrown: unknown) => ({
      kind: 'unable',
      reason: messageOf(thrown),
    }));
  }

  async backlogs(applicationId: string): Promise<readonly FunctionBacklog[]> {
    return await this.#call('backlogs', { applicationId }, callMs.quick);
  }

  listeningApps(): readonly string[] {
    return this.#listeningApps;
  }

  scaleTo(...[definition, wish]: Parameters<HostRuntime['scaleTo']>): void {
    this.#note('scaleTo', { definition, wish });
  }

  status(applicationId?: string): readonly JobHostStatus[] {
    const all = [...this.#jobHosts.values()];
    return applicationId === undefined ? all : all.filter((status) => status.applicationId === applicationId);
  }

  watch(observer: (status: JobHostStatus) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  watchWakes(observer: Parameters<HostRuntime['watchWakes']>[0]): () => void {
    this.#wakes.add(observer);
    return () => this.#wakes.delete(observer);
  }

  /** The keys of an app have changed. */
  sendKeys(applicationId: string): void {
    this.#note('keys', { applicationId, keys: this.#deps.keysOf(applicationId) });
  }

  /** Somebody watches the frames of an app's workers, or nobody does any more. */
  trace(applicationId: string, isWatched: boolean): void {
    this.#note('trace', { applicationId, isWatched });
  }

  /** What it has measured. */
  async metrics(): Promise<MetricSnapshot> {
    return await this.#call('metrics', null, callMs.metrics);
  }

  /** What is believed of a single sidecar from now on. */
  believe(origin: string, certificate: string | undefined): void {
    this.#note('certificate', { origin, certificate });
  }

  /** Its next report is wanted at once. */
  hurry(): void {
    this.#note('hurry', null);
  }

  reported({ jobHosts, loads, listeningApps }: RuntimeReport): void {
    this.#jobHosts.clear();
    for (const status of jobHosts) this.#jobHosts.set(status.key, status);
    this.#loads = loads;
    this.#listeningApps = listeningApps;
  }

  heard(status: JobHostStatus): void {
    if (status.state === 'stopped') this.#jobHosts.delete(status.key);
    else this.#jobHosts.set(status.key, status);
    for (const observer of [...this.#observers]) observer(status);
  }

  woke(definition: Parameters<Parameters<HostRuntime['watchWakes']>[0]>[0]): void {
    for (const observer of [...this.#wakes]) observer(definition);
  }

  async #call<Method extends keyof RuntimeCalls>(
    method: Method,
    body: RuntimeCalls[Method][0],
    timeoutMs: number,
  ): Promise<RuntimeCalls[Method][1]> {
    return (await this.#deps.peer.call(method, body, timeoutMs)) as RuntimeCalls[Method][1];
  }

  #note<Method extends keyof RuntimeNotes>(method: Method, body: RuntimeNotes[Method]): void {
    this.#deps.peer.note(method, body);
  }
}

/** What sleeps is told of as well, for who asks about one app. */
function isAwake({
  wantedCount,
  readyCount,
  startingCount,
  drainingCount,
  waitingCount,
  heldCount,
}: VersionLoad): boolean {
  return wantedCount + readyCount + startingCount + drainingCount + waitingCount + heldCount > 0;
}
