/**
 * Services in a Kubernetes cluster: a version is an image and has a Deployment of its own; the Service sends the traffic.
 *
 * I1 Traffic moves only once as many pods are ready as it takes.
 * I2 Settings stand in a Secret alone; pods are replaced when it changed, and read back only when all have it.
 * I3 A resource of another tenant, or of nobody we know, is not touched.
 */
import { type Clock, Secret, sleep } from '@switchyard/kernel';
import type { ObservedService, ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';
import type {
  ComputeTarget,
  ProvisionOutcome,
  ServiceOfTarget,
  ServicePage,
  SettingsOrder,
  SettingsOutcome,
  SettingValues,
  VersionHealth,
} from '../contract.ts';
import { computeErrors } from '../errors.ts';
import { areSameShares, heaviestOf, servingOf } from '../observed-shares.ts';
import type { ClusterClient, ClusterResource } from './cluster-client.ts';
import { deploymentStateOf, podFailureOf } from './roll-out-state.ts';
import {
  type ClusterOptions,
  type ClusterService,
  clusterLabels,
  deploymentNameOf,
  parseClusterService,
  replicasOf,
  resourceNameOf,
  settingsNameOf,
  settingsStateOf,
  toDeploymentManifest,
  toSecretManifest,
  toServiceManifest,
  versionOf,
} from './service-manifests.ts';

export interface KubernetesTargetDeps {
  readonly clock: Clock;
  readonly client: ClusterClient;
}

export interface KubernetesTargetOptions extends ClusterOptions {
  readonly pollMs?: number;
  /** How long a roll-out may take; the cluster itself gives up before. */
  readonly settleMs?: number;
}

export const kubernetesTargetName = 'kubernetes';

const defaultPollMs = 1_000;
const defaultSettleMs = 180_000;

export function createKubernetesTarget(deps: KubernetesTargetDeps, options: KubernetesTargetOptions): ComputeTarget {
  return new KubernetesTarget(deps, options);
}

class KubernetesTarget implements ComputeTarget {
  readonly name = kubernetesTargetName;
  readonly settingsFirst = true;
  readonly #clock: Clock;
  readonly #client: ClusterClient;
  readonly #options: KubernetesTargetOptions;

  constructor({ clock, client }: KubernetesTargetDeps, options: KubernetesTargetOptions) {
    this.#clock = clock;
    this.#client = client;
    this.#options = options;
  }

  async list(after: string | undefined): Promise<ServicePage> {
    const labels = { [clusterLabels.installation]: this.#options.installation };
    const { items, next } = await this.#client.list('services', labels, after);
    const deployments = await this.#client.listAll('deployments', labels);
    const services = items.map(parseClusterService).filter((one) => one !== undefined);
    return {
      items: services.map((service) => this.#observe(service, deployments)),
      ...(next === undefined ? {} : { next }),
    };
  }

  async get(serviceId: string): Promise<ObservedService | undefined> {
    const service = await this.#find(serviceId);
    return service === undefined ? undefined : this.#observe(service, await this.#deploymentsOf(serviceId));
  }

  async provision(of: ServiceOfTarget, version: string, signal: AbortSignal): Promise<ProvisionOutcome> {
    signal.throwIfAborted();
    const service = await this.#own(of);
    await this.#client.apply('services', toServiceManifest(service, this.#options));
    const kept = new Set([version, ...servingOf(service.weights).map((share) => share.version)]);
    for (const deployment of await this.#deploymentsOf(of.serviceId)) {
      if (!kept.has(versionOf(deployment))) await this.#client.remove('deployments', deployment.metadata.name);
    }
    await this.#applyDeployments(service, [...kept]);
    const endMs = this.#clock.monotonic() + this.#settleMs;
    for (;;) {
      const failure = await this.#failureOf(of.serviceId, version);
      if (failure.kind !== 'pending') return failure;
      if (this.#clock.monotonic() >= endMs)
        return { kind: 'failed', reason: `it was not ready within ${this.#settleMs} ms` };
      await sleep(this.#clock, this.#pollMs, signal);
    }
  }

  async setTraffic(of: ServiceOfTarget, shares: readonly TrafficShare[]): Promise<void> {
    const before = await this.#own(of);
    const serving = servingOf(shares);
    const present = (await this.#deploymentsOf(of.serviceId)).map(versionOf);
    const versions = [...new Set([...present, ...serving.map(({ version }) => version)])];
    const after = areSameShares(before.weights, serving) ? before : { ...before, weights: serving };
    // Room for what comes before what goes has less: pods of both until the Service has changed.
    await this.#applyDeployments(after, versions, replicasOf(before, present));
    await this.#settle(after);
    await this.#client.apply('services', toServiceManifest(after, this.#options));
    await this.#applyDeployments(after, versions);
    await this.#settle(after);
  }

  async healthOf(serviceId: string, version: string): Promise<VersionHealth> {
    const found = await this.#client.get('deployments', deploymentNameOf(serviceId, version));
    if (found === undefined) return 'unknown';
    const { ready, failure } = deploymentStateOf(found);
    return ready === 0 || failure !== undefined ? 'unhealthy' : 'healthy';
  }

  async retire(of: ServiceOfTarget, version: string): Promise<void> {
    const found = await this.#find(of.serviceId);
    if (found === undefined) return;
    const service = await this.#own(of);
    const weights = service.weights.filter((share) => share.version !== version);
    const isServing = weights.length !== service.weights.length;
    if (isServing) {
      await this.#client.apply('services', toServiceManifest({ ...service, weights }, this.#options));
    }
    await this.#client.remove('deployments', deploymentNameOf(of.serviceId, version));
    const left = (await this.#deploymentsOf(of.serviceId)).filter((one) => versionOf(one) !== version);
    if (left.length > 0) return;
    await this.#client.remove('secrets', settingsNameOf(of.serviceId));
    await this.#client.remove('services', resourceNameOf(of.serviceId));
  }

  async setLimits(of: ServiceOfTarget, limits: ServiceLimits): Promise<void> {
    if (limits.concurrency !== undefined) {
      throw computeErrors.create('LIMIT_UNSUPPORTED', { computeTarget: this.name, limit: 'concurrency' });
    }
    const before = await this.#own(of);
    const { minReplicas, maxReplicas } = limits;
    const after = { ...before, limits: { minReplicas, maxReplicas } };
    await this.#client.apply('services', toServiceManifest(after, this.#options));
    await this.#applyPresent(after);
  }

  async applySettings(
    of: ServiceOfTarget,
    settings: SettingValues,
    { remove = [] }: SettingsOrder = {},
  ): Promise<SettingsOutcome> {
    const service = await this.#own(of);
    await this.#client.apply('services', toServiceManifest(service, this.#options));
    const present = await this.#client.get('secrets', settingsNameOf(of.serviceId));
    const given = [...settings].map(([name, value]) => [name, toBase64(value.reveal())] as const);
    const all = Object.entries({ ...present?.data, ...Object.fromEntries(given) });
    const data = Object.fromEntries(all.filter(([name]) => !remove.includes(name)));
    await this.#client.apply('secrets', toSecretManifest(of.serviceId, data, this.#options));
    await this.#applyPresent(service);
    return 'restarted';
  }

  async readSettings(serviceId: string, names: readonly string[]): Promise<SettingValues> {
    const service = await this.#find(serviceId);
    const secret = service === undefined ? undefined : await this.#client.get('secrets', settingsNameOf(serviceId));
    if (service === undefined || secret === undefined) return new Map();
    const serving = new Set(servingOf(service.weights).map(({ version }) => version));
    const deployments = await this.#deploymentsOf(serviceId);
    const isStale = deployments.some(
      (one) =>
        serving.has(versionOf(one)) &&
        (settingsStateOf(one) !== secret.metadata.resourceVersion || !deploymentStateOf(one).isDone),
    );
    if (isStale) return new Map();
    return new Map(
      names.flatMap((name) => {
        const value = secret.data[name];
        return value === undefined ? [] : [[name, new Secret(Buffer.from(value, 'base64').toString('utf8'))] as const];
      }),
    );
  }

  async restart(of: ServiceOfTarget): Promise<void> {
    const before = await this.#own(of);
    const after = { ...before, restarts: before.restarts + 1 };
    await this.#client.apply('services', toServiceManifest(after, this.#options));
    await this.#applyPresent(after);
  }

  async #applyPresent(service: ClusterService): Promise<void> {
    const present = (await this.#deploymentsOf(service.serviceId)).map(versionOf);
    await this.#applyDeployments(service, present);
    await this.#settle(service);
  }

  async #applyDeployments(
    service: ClusterService,
    versions: readonly string[],
    atLeast: ReadonlyMap<string, number> = new Map(),
  ): Promise<void> {
    if (versions.length === 0) return;
    const secret = await this.#client.get('secrets', settingsNameOf(service.serviceId));
    const settings = secret?.metadata.resourceVersion ?? '';
    for (const [version, count] of replicasOf(service, versions)) {
      const replicas = Math.max(count, atLeast.get(version) ?? 0);
      const manifest = toDeploymentManifest({ service, version, replicas, settings }, this.#options);
      await this.#client.apply('deployments', manifest);
    }
  }

  /** Resolves when every version with traffic has its pods; rejects when that does not come about. */
  async #settle({ serviceId, weights }: ClusterService): Promise<void> {
    const serving = new Set(servingOf(weights).map(({ version }) => version));
    const endMs = this.#clock.monotonic() + this.#settleMs;
    for (;;) {
      const deployments = (await this.#deploymentsOf(serviceId)).filter((one) => serving.has(versionOf(one)));
      const states = deployments.map(deploymentStateOf);
      if (states.every(({ isDone }) => isDone)) return;
      const failure = states.find((state) => state.failure !== undefined)?.failure;
      if (failure !== undefined || this.#clock.monotonic() >= endMs) {
        const reason = failure ?? 'not every pod is ready';
        const details = { computeTarget: this.name, serviceId, limitMs: this.#settleMs, reason };
        throw computeErrors.create('TARGET_NOT_SETTLED', details);
      }
      await sleep(this.#clock, this.#pollMs);
    }
  }

  async #failureOf(serviceId: string, version: string): Promise<ProvisionOutcome | { readonly kind: 'pending' }> {
    const found = await this.#client.get('deployments', deploymentNameOf(serviceId, version));
    if (found === undefined) return { kind: 'failed', reason: 'it was taken away' };
    const { isDone, failure } = deploymentStateOf(found);
    if (isDone) return { kind: 'ready' };
    const { [clusterLabels.service]: service = '', [clusterLabels.version]: digest = '' } = found.metadata.labels;
    const labels = { [clusterLabels.service]: service, [clusterLabels.version]: digest };
    const reason = failure ?? podFailureOf(await this.#client.listAll('pods', labels));
    return reason === undefined ? { kind: 'pending' } : { kind: 'failed', reason };
  }

  async #find(serviceId: string): Promise<ClusterService | undefined> {
    const found = await this.#client.get('services', resourceNameOf(serviceId));
    const service = found === undefined ? undefined : parseClusterService(found);
    return service?.serviceId === serviceId ? service : undefined;
  }

  /** The service of its tenant; a new one where there is none. */
  async #own({ serviceId, tenantId }: ServiceOfTarget): Promise<ClusterService> {
    const found = await this.#client.get('services', resourceNameOf(serviceId));
    if (found === undefined) return { serviceId, tenantId, weights: [], limits: {}, restarts: 0 };
    const service = parseClusterService(found);
    if (service?.serviceId === serviceId && service.tenantId === tenantId) return service;
    throw computeErrors.create('SERVICE_FOREIGN', { serviceId, tenantId, computeTarget: this.name });
  }

  #deploymentsOf(serviceId: string): Promise<readonly ClusterResource[]> {
    const { installation } = this.#options;
    return this.#client.listAll('deployments', {
      [clusterLabels.installation]: installation,
      [clusterLabels.service]: resourceNameOf(serviceId),
    });
  }

  #observe(service: ClusterService, deployments: readonly ClusterResource[]): ObservedService {
    const { serviceId, tenantId, weights, limits } = service;
    const serving = new Set(servingOf(weights).map(({ version }) => version));
    const own = deployments.filter(
      (one) => one.metadata.labels[clusterLabels.service] === resourceNameOf(serviceId) && serving.has(versionOf(one)),
    );
    const states = own.map(deploymentStateOf);
    const replicas = states.reduce((sum, { ready }) => sum + ready, 0);
    return {
      ...{ serviceId, tenantId, componentType: 'container', version: heaviestOf(weights), weights: [...weights] },
      ...{ replicas, limits: { ...limits } },
      status: serving.size === 0 ? 'stopped' : statusOf(states, serving.size),
      endpointUrl: `http://${resourceNameOf(serviceId)}.${this.#options.namespace}.svc`,
    };
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? defaultPollMs;
  }

  get #settleMs(): number {
    return this.#options.settleMs ?? defaultSettleMs;
  }
}

function statusOf(
  states: readonly { readonly ready: number; readonly wanted: number }[],
  versions: number,
): ObservedService['status'] {
  if (states.every(({ ready }) => ready === 0)) return 'failed';
  const isWhole = states.length === versions && states.every(({ ready, wanted }) => ready >= wanted);
  return isWhole ? 'running' : 'degraded';
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
