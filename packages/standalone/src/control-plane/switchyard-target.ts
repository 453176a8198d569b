/**
 * This installation as a compute target: services are its apps, versions are the codeVersions of stored packages, and
 * whatever is done goes through the catalog, as the API does it. The platform's own reconciler does the rest.
 *
 * I1 Nothing is written that is so already: what a worker does again after a crash changes nothing.
 * I2 A version is ready only when it has come up on trial.
 */
import type {
  ComputeTarget,
  DeploymentRecord,
  ProvisionOutcome,
  ServiceOfTarget,
  ServicePage,
  SettingsOrder,
  SettingsOutcome,
  SettingValues,
  TrafficOrder,
  VersionHealth,
} from '@switchyard/control-plane';
import { createDeferred, Secret } from '@switchyard/kernel';
import type { ObservedService, ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';
import type { JobHostStatus } from '@switchyard/runtime';
import { isSecretReference } from '../application/secret-references.ts';
import { packageVersionOf } from '../up/versions/deployed-version.ts';
import { targetErrors } from './errors.ts';
import type { SwitchyardPlatform } from './platform-port.ts';

/** Apps that one page of a sweep holds. */
const pageSize = 500;

export function createSwitchyardTarget(platform: SwitchyardPlatform): ComputeTarget {
  return new SwitchyardTarget(platform);
}

class SwitchyardTarget implements ComputeTarget {
  readonly name = 'switchyard';
  readonly #platform: SwitchyardPlatform;

  constructor(platform: SwitchyardPlatform) {
    this.#platform = platform;
  }

  async list(after: string | undefined): Promise<ServicePage> {
    const { catalog } = this.#platform;
    const found = catalog.applications.list({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    // One look at the Runtime for all of them: an installation has thousands of apps.
    const hosts = Map.groupBy(this.#platform.status(), ({ applicationId }) => applicationId);
    const items = await Promise.all(
      found.map(({ applicationId, tenantId }) =>
        this.#observe(applicationId, tenantId, hosts.get(applicationId) ?? []),
      ),
    );
    const last = found.length === pageSize ? found.at(-1) : undefined;
    return { items, ...(last === undefined ? {} : { next: last.applicationId }) };
  }

  async get(serviceId: string): Promise<ObservedService | undefined> {
    const application = this.#platform.catalog.applications.get(serviceId);
    return application === undefined
      ? undefined
      : this.#observe(serviceId, application.tenantId, this.#platform.status(serviceId));
  }

  async provision(service: ServiceOfTarget, version: string, signal: AbortSignal): Promise<ProvisionOutcome> {
    const { catalog, deploy } = this.#platform;
    const { serviceId } = service;
    this.#requireOwn(service);
    const stored = catalog.versions.get(serviceId, version);
    if (stored === undefined) {
      const reason = `there is no version ${version} of ${serviceId} in the catalog; upload it with switchyard deploy`;
      return { kind: 'failed', reason };
    }
    const known = catalog.deployments.list(serviceId).find(({ codeVersion }) => codeVersion === version);
    const isUseful = known !== undefined && known.state !== 'failed' && stored.status.kind !== 'failed';
    if (isUseful) return this.#settled(known.deploymentId, signal);
    const outcome = catalog.deployments.create({
      ...{ applicationId: serviceId, sha256: stored.sha256, message: stored.message, promote: false },
      ...{ stack: stored.stack, createdBy: 'switchyard/deployment' },
    });
    if (outcome.kind === 'refused') throw outcome.error;
    deploy(outcome.value);
    return this.#settled(outcome.value.deploymentId, signal);
  }

  async setTraffic(
    service: ServiceOfTarget,
    shares: readonly TrafficShare[],
    { reason = 'deployment', revision }: TrafficOrder = {},
  ): Promise<void> {
    const { serviceId } = service;
    this.#requireOwn(service);
    const { traffic } = this.#platform.catalog;
    const weights = shares.map(({ version, weight }) => ({ codeVersion: version, weight }));
    const present = traffic.check(serviceId, { weights });
    // What is so already was perhaps done before a crash: then the revision has moved on with it.
    const seen = revision === undefined || (present.kind === 'sound' && present.isSame) ? {} : { revision };
    const outcome = traffic.set(serviceId, { weights, reason, ...seen });
    if (outcome.kind === 'refused') throw outcome.error;
    await this.#look(serviceId);
  }

  async healthOf(serviceId: string, version: string): Promise<VersionHealth> {
    const hosts = this.#platform.status(serviceId);
    const host = hosts.find(({ versions }) => versions.some((one) => isOf(one.definition.codeVersion, version)));
    if (this.#platform.errorOf(serviceId) !== undefined) return 'unhealthy';
    if (host === undefined) return 'unknown';
    return host.state === 'faulted' || host.error !== undefined ? 'unhealthy' : 'healthy';
  }

  /** A version without traffic leaves the Runtime by itself; the catalog keeps it for a way back. */
  async retire(service: ServiceOfTarget): Promise<void> {
    if (this.#platform.catalog.applications.get(service.serviceId) === undefined) return;
    this.#requireOwn(service);
    await this.#platform.look(service.serviceId);
  }

  async setLimits(service: ServiceOfTarget, limits: ServiceLimits): Promise<void> {
    this.#requireOwn(service);
    await this.#platform.limits.set(service.serviceId, limits);
  }

  async applySettings(
    service: ServiceOfTarget,
    settings: SettingValues,
    { remove = [], revision }: SettingsOrder = {},
  ): Promise<SettingsOutcome> {
    const { serviceId } = service;
    this.#requireOwn(service);
    const { catalog } = this.#platform;
    const before = this.#platform.servingOf(serviceId)?.definition;
    const change = { set: new Map([...settings].map(reveal)), remove };
    const present = catalog.settings.check(serviceId, change);
    // What is so already was perhaps done before a crash: then the revision has moved on with it.
    const seen = revision === undefined || (present.kind === 'sound' && present.isSame) ? {} : { revision };
    const outcome = catalog.settings.patch(serviceId, { ...change, ...seen });
    if (outcome.kind === 'refused') throw outcome.error;
    await this.#look(serviceId);
    const after = this.#platform.servingOf(serviceId)?.definition;
    // Where the version is another one, new workers took over from the old ones, which finish what they have.
    return before !== undefined && before === after ? 'reloaded' : 'restarted';
  }

  async readSettings(serviceId: string, names: readonly string[]): Promise<SettingValues> {
    const running = this.#platform.servingOf(serviceId)?.values;
    // An app that is not hosted yet has nothing running: what it will get is in the catalog.
    const stored = this.#platform.catalog.settings.get(serviceId).values;
    const settingOf = (name: string): Secret | undefined => {
      if (running === undefined) return stored.get(name);
      const value = running.get(name);
      const written = stored.get(name);
      // What it stands for is the app's own business: the reference has arrived.
      if (value !== undefined && written !== undefined && isSecretReference(written.reveal())) return written;
      return value === undefined ? undefined : new Secret(value);
    };
    return new Map(
      names.flatMap((name) => {
        const value = settingOf(name);
        return value === undefined ? [] : [[name, value] as const];
      }),
    );
  }

  async restart(service: ServiceOfTarget): Promise<void> {
    this.#requireOwn(service);
    await this.#platform.restartWorkers(service.serviceId);
  }

  async #observe(serviceId: string, tenantId: string, own: readonly JobHostStatus[]): Promise<ObservedService> {
    const { catalog, limits, urlOf } = this.#platform;
    const { weights } = catalog.traffic.get(serviceId);
    const [first] = [...weights].sort((left, right) => right.weight - left.weight);
    return {
      ...{ serviceId, tenantId, componentType: 'function-app', version: first?.codeVersion ?? '' },
      weights: weights.map(({ codeVersion, weight }) => ({ version: codeVersion, weight })),
      replicas: own.reduce((sum, { workers }) => sum + workers.length, 0),
      limits: await limits.get(serviceId),
      status: this.#statusOf(serviceId, own),
      endpointUrl: urlOf(serviceId),
    };
  }

  #statusOf(serviceId: string, hosts: readonly JobHostStatus[]): ObservedService['status'] {
    if (hosts.length === 0) return this.#absenceOf(serviceId);
    const serving = hosts.filter(({ versions }) => versions.some(({ weight }) => weight > 0));
    if (serving.some(({ state }) => state === 'faulted')) return 'failed';
    const isWrong = this.#platform.errorOf(serviceId) !== undefined || serving.some(({ error }) => error !== undefined);
    return isWrong ? 'degraded' : 'running';
  }

  /** What has no traffic is stopped; what has some and is not hosted is on its way, unless something keeps it from that. */
  #absenceOf(serviceId: string): ObservedService['status'] {
    const { catalog, errorOf } = this.#platform;
    if (catalog.traffic.get(serviceId).weights.length === 0) return 'stopped';
    return errorOf(serviceId) === undefined ? 'unknown' : 'failed';
  }

  async #look(serviceId: string): Promise<void> {
    await this.#platform.look(serviceId);
    const reason = this.#platform.errorOf(serviceId);
    if (reason !== undefined) throw targetErrors.create('TARGET_UNSETTLED', { serviceId, reason });
  }

  /** Resolves when the version has come up on trial, or failed to. */
  async #settled(deploymentId: string, signal: AbortSignal): Promise<ProvisionOutcome> {
    const { deployments } = this.#platform.catalog;
    const changed = { now: createDeferred<void>() };
    const stop = deployments.watch(deploymentId, () => changed.now.resolve());
    const onAbort = (): void => changed.now.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        const outcome = outcomeOf(deployments.get(deploymentId));
        if (outcome !== undefined) return outcome;
        signal.throwIfAborted();
        await changed.now.promise;
        changed.now = createDeferred<void>();
      }
    } finally {
      stop();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** A service of another tenant is none of ours, whatever its name. */
  #requireOwn({ serviceId, tenantId }: ServiceOfTarget): void {
    const application = this.#platform.catalog.applications.get(serviceId);
    if (application?.tenantId === tenantId) return;
    throw targetErrors.create('TARGET_APP_UNKNOWN', { serviceId, tenantId });
  }
}

function outcomeOf(record: DeploymentRecord | undefined): ProvisionOutcome | undefined {
  if (record === undefined) return { kind: 'failed', reason: 'the deployment was forgotten' };
  const failed = record.steps.find(({ name }) => name === 'failed');
  if (failed !== undefined) return { kind: 'failed', reason: failed.problem?.message ?? 'it did not come up' };
  // The version has come up; what its own deployment does with it afterwards is another matter.
  return record.steps.some(({ name }) => name === 'ready') ? { kind: 'ready' } : undefined;
}

function reveal([name, value]: readonly [string, Secret]): readonly [string, string] {
  return [name, value.reveal()];
}

function isOf(effective: string, version: string): boolean {
  return packageVersionOf(effective) === version;
}
