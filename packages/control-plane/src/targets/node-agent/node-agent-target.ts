/**
 * Services as container pods on node agents: a version is an image, a replica is a pod of the job API.
 *
 * What a service ought to be is written down first; the pods follow, by a plan that is made anew from what the agents tell.
 * So whoever comes after a crash goes on, and a pod that is gone is replaced by the keeper without anybody asking.
 *
 * Ownership: the composition root starts the keeper and stops it; pods stay when it ends.
 *
 * I1 Traffic moves only once the pods that take it are ready.
 * I2 What replaces pods brings up the new ones first; the service is never without a ready one for it.
 * I3 Doing again what is so already starts and stops nothing.
 * I4 Of several processes one keeps the pods; all of them know where requests go.
 */
import { type Clock, createDeferred, type Log, messageOf, sleep } from '@switchyard/kernel';
import type { ObservedService, ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';
import type { Leases } from '../../store/contract.ts';
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
import type { AgentPods } from './agent-pods.ts';
import type { AgentService, AgentServices } from './agent-services.ts';
import { planPods, replicasOf, type SeenPod } from './plan-pods.ts';
import type { ServiceRoutes } from './service-routes.ts';

export interface NodeAgentTargetDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly services: AgentServices;
  readonly pods: AgentPods;
  readonly routes: ServiceRoutes;
  readonly leases: Pick<Leases, 'acquire'>;
}

export interface NodeAgentTargetOptions {
  readonly name: string;
  /** Tells this process from others. */
  readonly holder: string;
  /** Where a service answers. */
  readonly urlOf: (serviceId: string) => string;
  /** How often pods are looked at while something is waited for. */
  readonly pollMs?: number;
  /** How long a version may take to come up. */
  readonly settleMs?: number;
}

export interface NodeAgentTarget extends ComputeTarget {
  /** Looks at every service once, and brings it to what it ought to be where this process keeps the pods. */
  keep(): Promise<void>;
}

const defaultPollMs = 500;
const defaultSettleMs = 120_000;
/** Longer than the time between two looks of the keeper. */
const leaseMs = 45_000;
/** A container that was started anew so often will not come up. */
const maxRestarts = 3;

export function createNodeAgentTarget(deps: NodeAgentTargetDeps, options: NodeAgentTargetOptions): NodeAgentTarget {
  return new AgentTarget(deps, options);
}

class AgentTarget implements NodeAgentTarget {
  readonly settingsFirst = true;
  readonly name: string;
  readonly #deps: NodeAgentTargetDeps;
  readonly #options: NodeAgentTargetOptions;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: NodeAgentTargetDeps, options: NodeAgentTargetOptions) {
    this.name = options.name;
    this.#deps = deps;
    this.#options = options;
  }

  async list(): Promise<ServicePage> {
    const pods = await this.#deps.pods.see();
    return { items: (await this.#deps.services.list()).map((service) => this.#observe(service, pods)) };
  }

  async get(serviceId: string): Promise<ObservedService | undefined> {
    const service = await this.#deps.services.get(serviceId);
    return service === undefined ? undefined : this.#observe(service, await this.#deps.pods.see());
  }

  async provision(of: ServiceOfTarget, version: string, signal: AbortSignal): Promise<ProvisionOutcome> {
    signal.throwIfAborted();
    const service = await this.#deps.services.change(of, (before) => {
      const kept = before.versions.filter((one) => one === version || weightOf(before.planned, one) > 0);
      const versions = kept.includes(version) ? kept : [...kept, version];
      return versions.length === before.versions.length && kept.length === before.versions.length
        ? before
        : { ...before, versions };
    });
    return service === undefined ? { kind: 'failed', reason: 'it was taken away' } : this.#comeUp(of, version, signal);
  }

  async setTraffic(of: ServiceOfTarget, shares: readonly TrafficShare[]): Promise<void> {
    const serving = servingOf(shares);
    await this.#deps.services.change(of, (before) => {
      const missing = serving.map(({ version }) => version).filter((version) => !before.versions.includes(version));
      const isSo = missing.length === 0 && areSameShares(before.planned, serving);
      return isSo ? before : { ...before, versions: [...before.versions, ...missing], planned: serving };
    });
    await this.#settle(of.serviceId);
    await this.#deps.services.change(of, (before) =>
      areSameShares(before.weights, serving) ? before : { ...before, weights: serving },
    );
    await this.#settle(of.serviceId);
  }

  async healthOf(serviceId: string, version: string): Promise<VersionHealth> {
    const service = await this.#deps.services.get(serviceId);
    if (service === undefined || !service.versions.includes(version)) return 'unknown';
    const pods = await this.#deps.pods.see();
    return readyOf(pods, service, version).length > 0 ? 'healthy' : 'unhealthy';
  }

  async retire(of: ServiceOfTarget, version: string): Promise<void> {
    const after = await this.#deps.services.change(of, (before) => {
      if (!before.versions.includes(version)) return before;
      const versions = before.versions.filter((one) => one !== version);
      const without = (shares: readonly TrafficShare[]) => shares.filter((share) => share.version !== version);
      const rest = { ...before, versions, weights: without(before.weights), planned: without(before.planned) };
      return versions.length === 0 ? undefined : rest;
    });
    if (after !== undefined && after.versions.length > 0) return this.#settle(of.serviceId);
    const gone = after ?? {
      ...of,
      versions: [],
      weights: [],
      planned: [],
      limits: {},
      generation: 0,
      settings: new Map(),
    };
    await this.#reconcile(gone);
  }

  async setLimits(of: ServiceOfTarget, limits: ServiceLimits): Promise<void> {
    await this.#deps.services.change(of, (before) =>
      isSameLimits(before.limits, limits) ? before : { ...before, limits },
    );
    await this.#settle(of.serviceId);
  }

  async applySettings(
    of: ServiceOfTarget,
    settings: SettingValues,
    { remove = [] }: SettingsOrder = {},
  ): Promise<SettingsOutcome> {
    await this.#deps.services.change(of, (before) => {
      const isSet = [...settings].every(([name, value]) => before.settings.get(name)?.reveal() === value.reveal());
      if (isSet && !remove.some((name) => before.settings.has(name))) return before;
      const left = [...before.settings, ...settings].filter(([name]) => !remove.includes(name));
      return { ...before, generation: before.generation + 1, settings: new Map(left) };
    });
    await this.#settle(of.serviceId);
    return 'restarted';
  }

  /** What every pod with traffic was started with; nothing while some have the settings of before. */
  async readSettings(serviceId: string, names: readonly string[]): Promise<SettingValues> {
    const service = await this.#deps.services.get(serviceId);
    if (service === undefined) return new Map();
    const serving = new Set(servingOf(service.weights).map(({ version }) => version));
    const pods = serving.size === 0 ? [] : await this.#deps.pods.see();
    const isStale = pods.some(
      (pod) =>
        pod.serviceId === serviceId &&
        serving.has(pod.version) &&
        !pod.isLeaving &&
        pod.generation !== service.generation,
    );
    if (isStale) return new Map();
    return new Map([...service.settings].filter(([name]) => names.includes(name)));
  }

  async restart(of: ServiceOfTarget): Promise<void> {
    await this.#deps.services.change(of, (before) => ({ ...before, generation: before.generation + 1 }));
    await this.#settle(of.serviceId);
  }

  async keep(): Promise<void> {
    const { services, pods, routes, leases, log } = this.#deps;
    const all = await services.list();
    if (all.length === 0) return;
    const seen = await pods.see();
    for (const service of all) routes.set(service, seen);
    const { holder } = this.#options;
    const outcome = await leases.acquire(`target/${this.name}/keeper`, holder, leaseMs);
    if (outcome.kind !== 'held') return;
    for (const service of all) {
      // Whoever deploys it looks at it already, and knows what is to be waited for.
      if (this.#turns.has(service.serviceId)) continue;
      await this.#inTurn(service.serviceId, () => pods.reconcile(service, seen)).catch((thrown: unknown) => {
        const fields = { serviceId: service.serviceId, reason: messageOf(thrown) };
        log.write('warning', 'The pods of a service could not be brought to what they ought to be', fields);
      });
    }
  }

  async #comeUp(of: ServiceOfTarget, version: string, signal: AbortSignal): Promise<ProvisionOutcome> {
    const { clock, services, pods } = this.#deps;
    const { pollMs = defaultPollMs, settleMs = defaultSettleMs } = this.#options;
    const started = new Set<string>();
    const endMs = clock.monotonic() + settleMs;
    for (;;) {
      const service = await services.get(of.serviceId);
      if (service === undefined) return { kind: 'failed', reason: 'it was taken away' };
      const seen = await pods.see();
      const own = seen.filter((pod) => pod.serviceId === of.serviceId && pod.version === version && !pod.isLeaving);
      const restless = own.find(({ restarts }) => restarts >= maxRestarts);
      if (restless !== undefined) {
        const end = await pods.endOf(restless.jobId);
        return { kind: 'failed', reason: end ?? `its container ended ${restless.restarts} times` };
      }
      const gone = [...started].filter((jobId) => !seen.some((pod) => pod.jobId === jobId));
      for (const jobId of gone) {
        const reason = await pods.endOf(jobId);
        if (reason !== undefined) return { kind: 'failed', reason };
      }
      if (readyOf(seen, service, version).length > 0) return { kind: 'ready' };
      if (clock.monotonic() >= endMs) return { kind: 'failed', reason: `it was not ready within ${settleMs} ms` };
      const { serviceId } = of;
      for (const jobId of await this.#inTurn(serviceId, () => pods.reconcile(service, seen))) started.add(jobId);
      await sleep(clock, pollMs, signal);
    }
  }

  /** Brings the pods to what the service ought to be; rejects when they do not get there. */
  async #settle(serviceId: string): Promise<void> {
    const { clock, services, pods, routes } = this.#deps;
    const { pollMs = defaultPollMs, settleMs = defaultSettleMs } = this.#options;
    const endMs = clock.monotonic() + settleMs;
    for (;;) {
      const service = await services.get(serviceId);
      if (service === undefined || service.versions.length === 0) return routes.remove(serviceId);
      const seen = await pods.see();
      routes.set(service, seen);
      const { isSettled, starts, stops } = planPods(service, seen, []);
      if (isSettled && starts.length + stops.length === 0) return;
      await this.#inTurn(serviceId, () => pods.reconcile(service, seen));
      if (clock.monotonic() >= endMs) {
        const reason = 'not every pod is ready';
        throw computeErrors.create('TARGET_NOT_SETTLED', {
          computeTarget: this.name,
          serviceId,
          limitMs: settleMs,
          reason,
        });
      }
      await sleep(clock, pollMs);
    }
  }

  async #reconcile(service: AgentService): Promise<void> {
    const { pods, routes } = this.#deps;
    routes.remove(service.serviceId);
    await this.#inTurn(service.serviceId, async () => pods.reconcile(service, await pods.see()));
  }

  /** One at a time acts on a service in this process. */
  async #inTurn<T>(serviceId: string, act: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(serviceId);
    const over = createDeferred<void>();
    const turn = (before ?? Promise.resolve()).then(() => over.promise);
    this.#turns.set(serviceId, turn);
    try {
      await before;
      return await act();
    } finally {
      over.resolve();
      if (this.#turns.get(serviceId) === turn) this.#turns.delete(serviceId);
    }
  }

  #observe(service: AgentService, pods: readonly SeenPod[]): ObservedService {
    const { serviceId, tenantId, weights, limits } = service;
    const ready = servingOf(weights).map(({ version }) => readyOf(pods, service, version).length);
    const replicas = ready.reduce((sum, count) => sum + count, 0);
    return {
      ...{ serviceId, tenantId, componentType: 'container', version: heaviestOf(weights), weights: [...weights] },
      ...{
        replicas,
        limits: { ...limits },
        status: statusOf(ready, replicasOf(service)),
        endpointUrl: this.#options.urlOf(serviceId),
      },
    };
  }
}

function statusOf(ready: readonly number[], wanted: number): ObservedService['status'] {
  if (ready.length === 0) return 'stopped';
  const sum = ready.reduce((total, count) => total + count, 0);
  if (sum === 0) return 'failed';
  return sum < wanted || ready.includes(0) ? 'degraded' : 'running';
}

function readyOf(pods: readonly SeenPod[], { serviceId }: AgentService, version: string): readonly SeenPod[] {
  return pods.filter((pod) => pod.serviceId === serviceId && pod.version === version && pod.isReady && !pod.isLeaving);
}

function weightOf(shares: readonly TrafficShare[], version: string): number {
  return shares.find((share) => share.version === version)?.weight ?? 0;
}

function isSameLimits(left: Partial<ServiceLimits>, right: Partial<ServiceLimits>): boolean {
  return (
    left.minReplicas === right.minReplicas &&
    left.maxReplicas === right.maxReplicas &&
    left.concurrency === right.concurrency
  );
}
