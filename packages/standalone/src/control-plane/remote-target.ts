/**
 * An installation elsewhere as the compute target "switchyard": the same as from inside, through its control API. For
 * workers that run in a process of their own.
 */
import type {
  ComputeTarget,
  ProvisionOutcome,
  ServiceOfTarget,
  ServicePage,
  SettingsOutcome,
  SettingValues,
  VersionHealth,
} from '@switchyard/control-plane';
import { type Clock, Secret, sleep } from '@switchyard/kernel';
import type {
  ApplicationView,
  Deployment,
  ObservedService,
  SettingsView,
  StatusView,
  TrafficShare,
  Weight,
} from '@switchyard/protocol/control-api';
import { targetErrors } from './errors.ts';
import { type AppScales, createScaleLimits } from './scale-limits.ts';

/** The control API, as far as it is needed here. What is not there is undefined. */
export interface RemoteControl {
  apps(
    after: string | undefined,
  ): Promise<{ readonly applications: readonly ApplicationView[]; readonly next?: string }>;
  status(applicationId: string): Promise<StatusView | undefined>;
  setTraffic(applicationId: string, weights: readonly Weight[]): Promise<void>;
  /** Newest first. */
  deployments(applicationId: string): Promise<readonly Deployment[]>;
  /** Tries a stored package out, without traffic. */
  tryOut(applicationId: string, sha256: string): Promise<void>;
  /** In clear: the token needs the scope for secrets. */
  settings(applicationId: string): Promise<SettingsView>;
  setSettings(applicationId: string, values: Readonly<Record<string, string>>): Promise<void>;
  readonly scales: AppScales;
}

/** How often the end of a try-out is looked for. */
const pollMs = 500;

export function createRemoteTarget(deps: { readonly clock: Clock; readonly control: RemoteControl }): ComputeTarget {
  return new RemoteTarget(deps);
}

class RemoteTarget implements ComputeTarget {
  readonly name = 'switchyard';
  readonly #clock: Clock;
  readonly #control: RemoteControl;
  readonly #limits;

  constructor({ clock, control }: { readonly clock: Clock; readonly control: RemoteControl }) {
    this.#clock = clock;
    this.#control = control;
    this.#limits = createScaleLimits(control.scales);
  }

  async list(after: string | undefined): Promise<ServicePage> {
    const { applications, next } = await this.#control.apps(after);
    const items: ObservedService[] = [];
    for (const { applicationId } of applications) {
      const found = await this.get(applicationId);
      if (found !== undefined) items.push(found);
    }
    return { items, ...(next === undefined ? {} : { next }) };
  }

  async get(serviceId: string): Promise<ObservedService | undefined> {
    const status = await this.#control.status(serviceId);
    return status === undefined ? undefined : toObserved(status, await this.#limits.get(serviceId));
  }

  async provision(service: ServiceOfTarget, version: string, signal: AbortSignal): Promise<ProvisionOutcome> {
    const { serviceId } = service;
    await this.#requireOwn(service);
    const known = await this.#latestOf(serviceId, version);
    if (known === undefined) return { kind: 'failed', reason: `there is no version ${version} of ${serviceId}` };
    if (outcomeOf(known)?.kind === 'failed') await this.#control.tryOut(serviceId, known.sha256);
    for (;;) {
      const outcome = outcomeOf(await this.#latestOf(serviceId, version));
      if (outcome !== undefined) return outcome;
      await sleep(this.#clock, pollMs, signal);
    }
  }

  async setTraffic(service: ServiceOfTarget, shares: readonly TrafficShare[]): Promise<void> {
    const { versions } = await this.#requireOwn(service);
    const isSo = shares.every(({ version, weight }) => weightOf(versions, version) === weight);
    const weights = shares.map(({ version, weight }) => ({ codeVersion: version, weight }));
    if (!isSo) await this.#control.setTraffic(service.serviceId, weights);
  }

  async healthOf(serviceId: string, version: string): Promise<VersionHealth> {
    const status = await this.#control.status(serviceId);
    if (status === undefined || !status.versions.some(({ codeVersion }) => codeVersion === version)) return 'unknown';
    return status.error !== undefined || status.application.state === 'faulted' ? 'unhealthy' : 'healthy';
  }

  /** A version without traffic leaves the Runtime by itself. */
  async retire(): Promise<void> {}

  async setLimits(service: ServiceOfTarget, limits: Parameters<ComputeTarget['setLimits']>[1]): Promise<void> {
    await this.#requireOwn(service);
    await this.#limits.set(service.serviceId, limits);
  }

  async applySettings(service: ServiceOfTarget, settings: SettingValues): Promise<SettingsOutcome> {
    await this.#requireOwn(service);
    const values = Object.fromEntries([...settings].map(([name, value]) => [name, value.reveal()]));
    await this.#control.setSettings(service.serviceId, values);
    return 'restarted';
  }

  async readSettings(serviceId: string, names: readonly string[]): Promise<SettingValues> {
    const { settings } = await this.#control.settings(serviceId);
    const wanted = new Set(names);
    return new Map(settings.filter(({ name }) => wanted.has(name)).map(({ name, value }) => [name, new Secret(value)]));
  }

  async restart({ serviceId }: ServiceOfTarget): Promise<void> {
    const reason = 'workers cannot be started anew from outside';
    throw targetErrors.create('TARGET_UNSETTLED', { serviceId, reason });
  }

  async #latestOf(serviceId: string, version: string): Promise<Deployment | undefined> {
    return (await this.#control.deployments(serviceId)).find(({ codeVersion }) => codeVersion === version);
  }

  async #requireOwn({ serviceId, tenantId }: ServiceOfTarget): Promise<StatusView> {
    const status = await this.#control.status(serviceId);
    if (status?.application.tenantId === tenantId) return status;
    throw targetErrors.create('TARGET_APP_UNKNOWN', { serviceId, tenantId });
  }
}

function toObserved(
  { application, versions, workers, error }: StatusView,
  limits: ObservedService['limits'],
): ObservedService {
  const { applicationId, tenantId, state, urls } = application;
  const weights = versions.filter(({ weight }) => weight > 0).sort((left, right) => right.weight - left.weight);
  const [endpointUrl] = urls;
  const isUp = state !== 'faulted' && state !== 'empty';
  const broken = state === 'faulted' ? 'failed' : 'stopped';
  return {
    ...{ serviceId: applicationId, tenantId, componentType: 'function-app', version: weights[0]?.codeVersion ?? '' },
    weights: weights.map(({ codeVersion, weight }) => ({ version: codeVersion, weight })),
    ...{ replicas: workers.length, limits, status: isUp ? (error === undefined ? 'running' : 'degraded') : broken },
    ...(endpointUrl === undefined ? {} : { endpointUrl }),
  };
}

function weightOf(versions: StatusView['versions'], version: string): number {
  return versions.find(({ codeVersion }) => codeVersion === version)?.weight ?? 0;
}

function outcomeOf(record: Deployment | undefined): ProvisionOutcome | undefined {
  const failed = record?.steps.find(({ name }) => name === 'failed');
  if (failed !== undefined) return { kind: 'failed', reason: failed.problem?.message ?? 'it did not come up' };
  return record?.steps.some(({ name }) => name === 'ready') === true ? { kind: 'ready' } : undefined;
}
