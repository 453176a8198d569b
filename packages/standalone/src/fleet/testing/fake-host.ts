/** A Runtime that does at once what it is told, and shows it. */
import { jobHostKey } from '@switchyard/model';
import type { FunctionStatus, JobHostStatus, RuntimeApplication, VersionLoad } from '@switchyard/runtime';
import { versionKey } from '../../up/versions/deployed-version.ts';
import type { FleetMember } from '../fleet-places.ts';
import type { HostRuntime } from '../host-runtime.ts';

export class FakeHost implements HostRuntime {
  /** What it was told, in words. */
  readonly heard: string[] = [];
  readonly versions = new Map<string, RuntimeApplication>();
  readonly workers = new Map<string, number>();
  readonly functions: readonly FunctionStatus[];
  readonly #observers = new Set<(status: JobHostStatus) => void>();
  fails: string | undefined;
  workerModel: VersionLoad['workerModel'];

  constructor(functions: readonly FunctionStatus[] = []) {
    this.functions = functions;
  }

  async addApplication(application: RuntimeApplication): Promise<JobHostStatus> {
    if (this.fails !== undefined) throw new Error(this.fails);
    const key = versionKey(application.definition);
    this.heard.push(`add ${key}`);
    this.versions.set(key, application);
    const status = this.#statusOf(application);
    for (const observer of this.#observers) observer(status);
    return status;
  }

  async promoteApplication(key: string): Promise<void> {
    this.heard.push(`promote ${key}`);
  }

  async removeApplication(key: string): Promise<void> {
    this.heard.push(`remove ${key}`);
    for (const [name, { definition }] of this.versions) if (jobHostKey(definition) === key) this.versions.delete(name);
  }

  async setTraffic(applicationId: string): Promise<void> {
    this.heard.push(`traffic ${applicationId}`);
  }

  async removeVersion(definition: RuntimeApplication['definition']): Promise<void> {
    this.heard.push(`remove ${versionKey(definition)}`);
    this.versions.delete(versionKey(definition));
  }

  async restartWorker(workerId: string) {
    this.heard.push(`restart ${workerId}`);
    return { kind: 'accepted' } as const;
  }

  load(applicationId?: string): readonly VersionLoad[] {
    return [...this.versions]
      .filter(([, { definition }]) => applicationId === undefined || definition.applicationId === applicationId)
      .map(([key, { definition, tenantId, stack }]) => {
        const count = this.workers.get(key) ?? 0;
        return {
          ...{ definition, tenantId, stack, weight: 100, wantedCount: count, readyCount: count, startingCount: 0 },
          ...{ drainingCount: 0, blockedCount: 0, heldCount: 0, pacedCount: 0, waitingCount: 0, refusedCount: 0 },
          ...{ startFailureCount: 0, quietMs: count > 0 ? 0 : 1_000, idleMs: 1_000, standingCount: 0 },
          ...{ functions: [], workerIds: [] },
          ...(this.workerModel === undefined ? {} : { workerModel: this.workerModel }),
        };
      });
  }

  async updateEnvironment(definition: RuntimeApplication['definition']) {
    this.heard.push(`update ${versionKey(definition)}`);
    return this.fails === undefined
      ? ({ kind: 'updated' } as const)
      : ({ kind: 'unable', reason: this.fails } as const);
  }

  async backlogs() {
    return this.functions.map(({ name }) => ({ functionName: name, messageCount: 3, oldestMs: undefined }));
  }

  listeningApps(): readonly string[] {
    return [...new Set([...this.versions.values()].map(({ definition }) => definition.applicationId))];
  }

  scaleTo(definition: RuntimeApplication['definition'], { count }: { readonly count: number }): void {
    this.heard.push(`scale ${versionKey(definition)} ${count}`);
    this.workers.set(versionKey(definition), count);
  }

  status(applicationId?: string): readonly JobHostStatus[] {
    const all = [...this.versions.values()].map((application) => this.#statusOf(application));
    return all.filter((status) => applicationId === undefined || status.applicationId === applicationId);
  }

  watch(observer: (status: JobHostStatus) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  watchWakes(): () => void {
    return () => {};
  }

  #statusOf({ definition }: RuntimeApplication): JobHostStatus {
    const { applicationId } = definition;
    const version = { definition, weight: 100, state: 'active', workers: [], invocations: 0 } as const;
    return {
      ...{ key: jobHostKey(definition), applicationId, state: 'active', functions: this.functions },
      ...{ rejected: [], workers: [], versions: [version] },
    };
  }
}

/** What a controller keeps of places: what was known before, and what was noted since. */
export function createFakeHomes(known: Readonly<Record<string, readonly string[]>> = {}) {
  const kept = new Map(Object.entries(known));
  return {
    of: (applicationId: string) => kept.get(applicationId) ?? [],
    note: (applicationId: string, runtimeIds: readonly string[]) => void kept.set(applicationId, runtimeIds),
  };
}

export function createMember(runtimeId: string, runtime: HostRuntime, more: Partial<FleetMember> = {}): FleetMember {
  return {
    ...{ runtimeId, kind: runtimeId === 'local' ? 'local' : 'started', runtime, region: undefined, rpcUrl: undefined },
    ...{ maxWorkers: 20, maxApplications: 100, memoryUtilization: 0, state: 'ready' },
    ...more,
  };
}

export function sampleApplication(applicationId = 'shop', more: Partial<RuntimeApplication> = {}): RuntimeApplication {
  return {
    definition: { applicationId, metadataVersion: 'm1', codeVersion: 'c1' },
    tenantId: 'contoso',
    stack: { runtime: 'node', version: '24', architecture: 'x64' },
    worker: {
      ...{ workerDirectory: '', workerIndexing: true, initializationTimeoutMs: 1_000 },
      ...{ stderrIsError: false, ignoresTermination: false },
    },
    scriptRoot: '/apps/shop',
    hostJson: { version: '2.0' },
    settings: new Map([['GREETING', 'hello']]),
    hostId: 'shop',
    functionFiles: { list: async () => [] },
    hostNames: [`www.${applicationId}.example`],
    keys: undefined,
    development: false,
    index: { functions: [], useDefaultIndexing: false },
    ...more,
  };
}
