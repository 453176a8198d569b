/**
 * Brings a stored package into service: unpacks it, has a worker list its functions, tries it out, gives it the traffic.
 *
 * Ownership: the composition root owns it. The catalog keeps what happened, so that a restart can go on.
 *
 * I1 Of one app one deployment runs at a time, in the order in which they came; apps do not wait for each other.
 * I2 Every deployment ends with `promoted`, `ready` (where it is not to be promoted) or `failed`, and the traffic changes
 *    only when its version has come up.
 * I3 A version that failed leaves the versions before it as they were.
 * I4 A stop waits for no worker: an app that takes long to start does not keep the installation from ending.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog, DeploymentRecord, Version } from '@switchyard/control-plane';
import { encodeIndex } from '@switchyard/control-plane';
import { createDeferred, isPlatformError, type Log, messageOf } from '@switchyard/kernel';
import { parseHostJson, parseJsonText } from '@switchyard/model';
import type { Problem } from '@switchyard/protocol/control-api';
import type { JobHostStatus, StoredIndex } from '@switchyard/runtime';
import type { OpenPackage } from './open-package.ts';
import type { AppHosting } from './versions/app-hosting.ts';
import type { DeployedVersion } from './versions/deployed-version.ts';
import type { MetadataVersions } from './versions/metadata-version.ts';
import type { VersionSource } from './versions/version-source.ts';

export interface DeployerDeps {
  readonly log: Log;
  readonly catalog: Catalog;
  readonly versions: VersionSource;
  readonly hosting: Pick<AppHosting, 'tryOut' | 'endTrial'>;
  readonly openPackage: OpenPackage;
  /** Has a worker list the functions of an app that nobody serves yet. */
  readonly index: (version: UnindexedVersion) => Promise<StoredIndex>;
  readonly metadataVersionOf: MetadataVersions;
  /**
   * Gives a version that has come up the traffic. Rejects with why it has none after all, and with the signal's reason when
   * nobody waits any more.
   */
  readonly promote: (record: DeploymentRecord, signal: AbortSignal) => Promise<void>;
  readonly cpus: number;
}

/** What is known of a version before its functions are. */
export interface UnindexedVersion {
  readonly version: Version;
  readonly tenantId: string;
  readonly directory: string;
  readonly values: ReadonlyMap<string, string>;
}

const defaultKeyName = 'default';

export class Deployer {
  readonly #deps: DeployerDeps;
  readonly #queues = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #isClosed = false;

  constructor(deps: DeployerDeps) {
    this.#deps = deps;
  }

  /** Goes on with what a stop has cut off. */
  resume(): void {
    for (const record of this.#deps.catalog.deployments.unfinished()) this.deploy(record);
  }

  deploy(record: DeploymentRecord): void {
    const { applicationId } = record;
    const before = this.#queues.get(applicationId) ?? Promise.resolve();
    const run = before.then(() => this.#run(record));
    this.#queues.set(applicationId, run);
    void run.then(() => {
      if (this.#queues.get(applicationId) === run) this.#queues.delete(applicationId);
    });
  }

  /** What waits stays unfinished in the catalog. Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop.abort();
    await Promise.all(this.#queues.values());
  }

  async #run(record: DeploymentRecord): Promise<void> {
    if (this.#isClosed) return;
    const { deploymentId, applicationId, codeVersion } = record;
    const { catalog, log } = this.#deps;
    try {
      await this.#steps(record);
    } catch (thrown) {
      // A stop ends what is under way; the next start takes it up again.
      if (this.#isClosed) return;
      const problem = toProblem(thrown);
      log.write('error', 'A deployment failed', { applicationId, codeVersion, reason: problem.message });
      catalog.deployments.advance(deploymentId, { name: 'failed', problem });
    }
  }

  async #steps(record: DeploymentRecord): Promise<void> {
    const { catalog, versions, hosting } = this.#deps;
    const { deploymentId, applicationId, codeVersion, promote } = record;
    const indexed = await this.#indexOnce(record);
    const version = await versions.read(applicationId, codeVersion);
    if (version === undefined) return;
    catalog.deployments.advance(deploymentId, { name: 'indexed', message: countOf(indexed) });
    catalog.deployments.advance(deploymentId, { name: 'starting' });
    try {
      const status = await this.#unlessStopped(hosting.tryOut(version));
      this.#addKeys(applicationId, status);
      catalog.deployments.advance(deploymentId, { name: 'ready', ...warningOf(status) });
      if (promote) await this.#deps.promote(record, this.#stop.signal);
    } finally {
      await this.#unlessStopped(hosting.endTrial(version));
    }
    if (promote) catalog.deployments.advance(deploymentId, { name: 'promoted' });
  }

  /** What goes on after a stop changes nothing here: the next start takes the deployment up again. */
  async #unlessStopped<Value>(work: Promise<Value>): Promise<Value> {
    const { signal } = this.#stop;
    const stopped = createDeferred<never>();
    const onStop = (): void => stopped.reject(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
    try {
      return await Promise.race([work, stopped.promise]);
    } finally {
      signal.removeEventListener('abort', onStop);
    }
  }

  /** Every HTTP function gets a key of its own, as the official host makes them. */
  #addKeys(applicationId: string, status: JobHostStatus): void {
    const { keys } = this.#deps.catalog;
    const known = new Set(keys.list(applicationId).flatMap(({ functionName }) => functionName?.toLowerCase() ?? []));
    for (const { name, route } of status.functions) {
      if (route === undefined || known.has(name.toLowerCase())) continue;
      keys.put(applicationId, { kind: 'function', functionName: name, name: defaultKeyName });
    }
  }

  /** A version is indexed once, whatever becomes of it afterwards. */
  async #indexOnce({ applicationId, codeVersion }: DeploymentRecord): Promise<DeployedVersion['index'] | undefined> {
    const { catalog } = this.#deps;
    const application = catalog.applications.get(applicationId);
    const version = catalog.versions.get(applicationId, codeVersion);
    if (application === undefined || version === undefined || version.status.kind === 'indexed') return undefined;
    try {
      return await this.#index(version, application.tenantId);
    } catch (thrown) {
      if (!this.#isClosed) catalog.versions.markFailed(applicationId, codeVersion, messageOf(thrown));
      throw thrown;
    }
  }

  async #index(version: Version, tenantId: string): Promise<StoredIndex> {
    const { catalog, versions, openPackage, metadataVersionOf, cpus } = this.#deps;
    const { applicationId, codeVersion, sha256 } = version;
    const directory = await this.#unlessStopped(openPackage(sha256, tenantId));
    const hostJson = await readHostJson(directory);
    const settingsRevision = catalog.settings.get(applicationId).revision;
    const values = versions.valuesOf(applicationId);
    const where = join(directory, 'host.json');
    const parsed = hostJson === undefined ? undefined : parseJsonText(hostJson, where);
    // What is wrong with it is told before any worker sees the app.
    parseHostJson(parsed, { where, settings: values, development: false, cpus });
    const index = await this.#unlessStopped(this.#deps.index({ version, tenantId, directory, values }));
    catalog.versions.markIndexed(applicationId, codeVersion, {
      index: encodeIndex(index),
      hostJson,
      metadataVersion: await metadataVersionOf({ index, directory, hostJson, values }),
      settingsRevision,
    });
    return index;
  }
}

async function readHostJson(directory: string): Promise<string | undefined> {
  return readFile(join(directory, 'host.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

function countOf(index: StoredIndex | undefined): string {
  if (index === undefined) return 'indexed before';
  if (index.useDefaultIndexing) return 'functions are in function.json files';
  const { length } = index.functions;
  return length === 1 ? '1 function' : `${length} functions`;
}

function warningOf({ error }: JobHostStatus): { readonly message?: string } {
  return error === undefined ? {} : { message: error };
}

function toProblem(thrown: unknown): Problem {
  const code = isPlatformError(thrown) ? thrown.code : 'DEPLOYMENT_FAILED';
  return { code, message: messageOf(thrown), fix: '' };
}
