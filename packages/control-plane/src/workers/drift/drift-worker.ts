/**
 * DriftDetectionWorker: finds what is otherwise than it ought to be.
 *
 * Keys are environments.
 *
 * I1 Equal differences are one finding; what was found before and is still so writes nothing and tells nothing.
 * I2 A finding whose difference is gone is resolved without anybody's doing.
 * I3 What is being deployed has no drift.
 * I4 A difference that somebody has adopted is not told again as long as it stays the same.
 * I5 No value of a setting stands in a finding, only that it differs.
 */
import type { EventEnvelope } from '@switchyard/protocol';
import type {
  Finding as DriftFinding,
  Environment,
  RuntimeDeployment,
  RuntimeService,
  ServiceLimits,
  ServiceSpec,
} from '@switchyard/protocol/control-api';
import { put, type RecordPut } from '../../domain/records.ts';
import type { ActingRun, Batch, DomainView, EventDraft, Finding, Run, Worker } from '../../frame/contract.ts';
import type { ComputeTargets } from '../../targets/contract.ts';
import type { Vault } from '../../targets/vault.ts';
import { differingSettings } from '../configuration/apply-settings.ts';
import { resolveSettings } from '../configuration/resolve-settings.ts';
import { isUnderWay } from '../deployment/causes.ts';
import { isPresent } from '../inventory/inventory-plan.ts';
import type { DesiredStateReader } from './desired-state.ts';
import { type DriftDelta, planDrift } from './drift-plan.ts';

export interface DriftDeps {
  readonly targets: ComputeTargets;
  readonly vault: Vault;
  readonly readDesired: DesiredStateReader;
}

/** So long after a deployment the inventory may not have seen yet what it did: the target is asked. */
const settleMs = 10_000;

export class DriftWorker implements Worker {
  readonly name = 'drift';
  readonly #deps: DriftDeps;

  constructor(deps: DriftDeps) {
    this.#deps = deps;
  }

  async keysOf({ environmentId }: EventEnvelope): Promise<readonly string[]> {
    return environmentId === undefined ? [] : [environmentId];
  }

  async keysOfTick(view: DomainView): Promise<readonly string[]> {
    const environments = await view.list('environment');
    return environments.filter(({ status }) => status === 'provisioned').map(({ environmentId }) => environmentId);
  }

  async look({ key: environmentId, view, nowMs }: Run): Promise<Finding> {
    const environment = await view.get('environment', environmentId);
    if (environment?.status !== 'provisioned') return { kind: 'rest' };
    const { tenantId } = environment;
    const filter = { tenantId, environmentId };
    const [desired, services, specs, policies, deployments, findings, requests] = await Promise.all([
      this.#deps.readDesired(environment, view),
      view.list('service', filter),
      view.list('serviceSpec', filter),
      view.list('scalingPolicy', filter),
      view.list('deployment', filter),
      view.list('finding', filter),
      view.list('workRequest', filter),
    ]);
    // What was only ever deployed is as somebody last deployed it.
    const loose = new Set(specs.filter(({ origin }) => origin === 'deployment').map(({ serviceId }) => serviceId));
    const known = services.filter((service) => isPresent(service) && !loose.has(service.serviceId));
    const unsettled = deployments.filter((one) => isUnderWay(one) || (one.finishedAt ?? 0) > nowMs - settleMs);
    const { present, deploying } = await this.#settle(known, unsettled);
    const adoptions = requests.filter(({ kind }) => kind === 'adopt');
    const settings = await this.#settingsOf(specs, present, deploying, view);
    const sight = {
      ...{ tenantId, environmentId, desired, services: present, settings, deploying, findings },
      policies: new Map(policies.map((policy) => [policy.serviceId, policy])),
      adopted: new Set(adoptions.map(({ subject }) => subject)),
    };
    const delta = planDrift(sight, nowMs);
    if (delta.puts.length + adoptions.length === 0) {
      const settledMs = Math.max(0, ...unsettled.map(({ finishedAt = 0 }) => finishedAt)) + settleMs;
      return { kind: 'rest', ...(settledMs > nowMs ? { wakeAtMs: settledMs } : {}) };
    }
    const act = async (run: ActingRun): Promise<Batch> => {
      for (const slice of slicesOf(delta)) {
        await run.commit({ puts: slice.puts.map((finding) => put('finding', finding)), events: eventsOf(slice) });
      }
      return {
        puts: adopt(environment, delta, specs, present),
        removes: adoptions.map(({ requestId }) => ({ kind: 'workRequest', id: requestId }) as const),
      };
    };
    return { kind: 'work', what: 'compare', tenantId, environmentId, act };
  }

  /** What was deployed a moment ago is asked of the target; what cannot be seen there is still on its way. */
  async #settle(
    known: readonly RuntimeService[],
    unsettled: readonly RuntimeDeployment[],
  ): Promise<{ readonly present: readonly RuntimeService[]; readonly deploying: ReadonlySet<string> }> {
    const { targets } = this.#deps;
    const deploying = new Set(unsettled.filter(isUnderWay).map(({ serviceId }) => serviceId));
    const recent = new Set(unsettled.map(({ serviceId }) => serviceId).filter((id) => !deploying.has(id)));
    const present = await Promise.all(
      known.map(async (service): Promise<RuntimeService> => {
        const { serviceId, computeTarget, tenantId } = service;
        if (!recent.has(serviceId) || !targets.names.includes(computeTarget)) return service;
        const seen = await targets.find(computeTarget).get(serviceId);
        if (seen === undefined || (seen.tenantId ?? tenantId) !== tenantId) return service;
        recent.delete(serviceId);
        return { ...service, ...seen, tenantId };
      }),
    );
    return { present, deploying: new Set([...deploying, ...recent]) };
  }

  /** The names of settings that running services have otherwise than their configuration says. */
  async #settingsOf(
    specs: readonly ServiceSpec[],
    services: readonly RuntimeService[],
    deploying: ReadonlySet<string>,
    view: DomainView,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const running = new Set(services.map(({ serviceId }) => serviceId));
    const rotating = await rotatingServices(view);
    const differing = new Map<string, readonly string[]>();
    for (const { serviceId, computeTarget, configurationId } of specs) {
      const isOnItsWay = deploying.has(serviceId) || rotating.has(serviceId);
      const isReachable = this.#deps.targets.names.includes(computeTarget);
      if (configurationId === undefined || !running.has(serviceId) || isOnItsWay || !isReachable) continue;
      const [configuration, sync] = await Promise.all([
        view.get('configuration', configurationId),
        view.get('configurationSync', `${serviceId}/${configurationId}`),
      ]);
      // What has not arrived yet is not drift: it is on its way.
      if (configuration === undefined || sync?.version !== configuration.version || sync.mode === 'restart-required')
        continue;
      const settings = await resolveSettings({ view, vault: this.#deps.vault }, configuration);
      const names = await differingSettings(this.#deps.targets.find(computeTarget), serviceId, settings);
      if (names.length > 0) differing.set(serviceId, names);
    }
    return differing;
  }
}

/** Findings that one commit holds. */
const maxFindings = 400;

/** A finding and what is told of it are never parted. */
function slicesOf({ puts, detected, resolved }: DriftDelta): readonly DriftDelta[] {
  return Array.from({ length: Math.ceil(puts.length / maxFindings) }, (_, at) => {
    const slice = puts.slice(at * maxFindings, (at + 1) * maxFindings);
    const ids = new Set(slice.map(({ findingId }) => findingId));
    const here = (findings: readonly DriftFinding[]): readonly DriftFinding[] =>
      findings.filter(({ findingId }) => ids.has(findingId));
    return { puts: slice, detected: here(detected), resolved: here(resolved) };
  });
}

/** Services whose secrets change hands at the moment. */
async function rotatingServices(view: DomainView): Promise<ReadonlySet<string>> {
  const rotations = (await view.list('secretRotation')).filter(({ pendingVersion }) => pendingVersion !== undefined);
  const bindings = await Promise.all(
    rotations.map(({ secretBindingId }) => view.get('secretBinding', secretBindingId)),
  );
  return new Set(bindings.flatMap((binding) => binding?.serviceIds ?? []));
}

/** What was adopted becomes what was applied, where the applied specifications are what is desired. */
function adopt(
  { desiredState }: Environment,
  { puts }: DriftDelta,
  specs: readonly ServiceSpec[],
  services: readonly RuntimeService[],
): readonly RecordPut[] {
  if (desiredState.kind !== 'applied') return [];
  return puts
    .filter(({ state }) => state === 'adopted')
    .flatMap(({ serviceId, kind }) => {
      const spec = specs.find((one) => one.serviceId === serviceId);
      const service = services.find((one) => one.serviceId === serviceId);
      if (spec === undefined || service === undefined) return [];
      if (kind === 'version') return [put('serviceSpec', { ...spec, version: service.version })];
      if (kind === 'limits') return [put('serviceSpec', { ...spec, limits: merge(spec.limits, service.limits) })];
      return [];
    });
}

function merge(
  spec: ServiceLimits,
  { minReplicas, maxReplicas, concurrency }: RuntimeService['limits'],
): ServiceLimits {
  return {
    minReplicas: minReplicas ?? spec.minReplicas,
    maxReplicas: maxReplicas ?? spec.maxReplicas,
    ...(concurrency === undefined ? {} : { concurrency }),
  };
}

function eventsOf({ detected, resolved }: DriftDelta): readonly EventDraft[] {
  return [
    ...detected.map((finding) => toEvent(finding, 'RuntimeDriftDetected')),
    ...resolved.map((finding) => toEvent(finding, 'RuntimeDriftResolved')),
  ];
}

function toEvent(finding: DriftFinding, eventType: EventDraft['eventType']): EventDraft {
  const { tenantId, environmentId, serviceId, findingId, kind, path, severity, revision } = finding;
  const payload = { serviceId, findingId, kind, path, severity, revision };
  return { eventType, tenantId, environmentId, subject: serviceId, payload };
}
