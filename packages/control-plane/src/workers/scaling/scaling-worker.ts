/**
 * ScalingPolicyWorker: gives services as many replicas, and these as much to do at once, as their policies say.
 *
 * It moves the limits within which the target's own scaling works; it starts and stops nothing itself, so the two never
 * pull at the same rope. Keys are services.
 *
 * I1 What is at its target already is not acted on.
 * I2 Without a measurement, and while a service is not well, nothing gets smaller.
 * I3 After an action the policy's cooldown passes before the next one in the same direction; going down waits until the
 *    wish for it has lasted.
 * I4 Neither the policy's limits nor the tenant's quota are ever passed.
 */
import type { EventEnvelope } from '@switchyard/protocol';
import type { ScalingPolicy, ScalingState } from '@switchyard/protocol/control-api';
import { payloadText } from '../../domain/events.ts';
import { put } from '../../domain/records.ts';
import type { Batch, DomainView, Finding, Run, Worker } from '../../frame/contract.ts';
import type { ComputeTargets } from '../../targets/contract.ts';
import { isPresent } from '../inventory/inventory-plan.ts';
import { planScaling, type ScalingDecision } from './scaling-plan.ts';

/** Live measurements: how much of a metric one replica of a service has; undefined when nothing was measured lately. */
export interface Telemetry {
  read(serviceId: string, metric: string, nowMs: number): Promise<number | undefined>;
}

export interface ScalingDeps {
  readonly targets: ComputeTargets;
  readonly telemetry: Telemetry;
}

export class ScalingWorker implements Worker {
  readonly name = 'scaling';
  readonly #deps: ScalingDeps;
  /** Since when a service could do with less. A restart begins to count anew: that is late, and never too early. */
  readonly #lowSince = new Map<string, number>();

  constructor(deps: ScalingDeps) {
    this.#deps = deps;
  }

  async keysOf({ payload }: EventEnvelope, view: DomainView): Promise<readonly string[]> {
    const serviceId = payloadText(payload, 'serviceId') ?? '';
    return (await view.get('scalingPolicy', serviceId)) === undefined ? [] : [serviceId];
  }

  async keysOfTick(view: DomainView): Promise<readonly string[]> {
    const keys = (await view.list('scalingPolicy')).map(({ serviceId }) => serviceId);
    const known = new Set(keys);
    for (const serviceId of this.#lowSince.keys()) if (!known.has(serviceId)) this.#lowSince.delete(serviceId);
    return keys;
  }

  async look({ key, view, nowMs }: Run): Promise<Finding> {
    const [policy, service, health, state] = await Promise.all([
      view.get('scalingPolicy', key),
      view.get('service', key),
      view.get('health', key),
      view.get('scalingState', key),
    ]);
    const isOurs = policy !== undefined && service !== undefined && service.tenantId === policy.tenantId;
    if (!isOurs || !isPresent(service)) return { kind: 'rest' };
    const observed = await this.#deps.targets.find(service.computeTarget).get(key);
    if (observed === undefined) return { kind: 'rest' };
    const binding = await view.get('tenantBinding', policy.environmentId);
    const measured = new Map<string, number | undefined>();
    for (const { metric } of policy.metrics) measured.set(metric, await this.#deps.telemetry.read(key, metric, nowMs));
    const decision = planScaling(
      {
        ...{ policy, service: observed, state, measured },
        health: health?.status ?? 'unknown',
        quota: binding?.quota.maxReplicas ?? 0,
        lowSinceMs: this.#lowSince.get(key),
      },
      nowMs,
    );
    if (!decision.isLow) this.#lowSince.delete(key);
    else if (!this.#lowSince.has(key)) this.#lowSince.set(key, nowMs);
    const { wakeAtMs } = decision;
    if (!decision.isChange) return { kind: 'rest', ...(wakeAtMs === undefined ? {} : { wakeAtMs }) };
    const { tenantId, environmentId } = policy;
    const act = (): Promise<Batch> => this.#apply(policy, service.computeTarget, { decision, state }, nowMs);
    return { kind: 'work', what: 'scale', tenantId, environmentId, act };
  }

  async #apply(
    policy: ScalingPolicy,
    computeTarget: string,
    { decision, state }: { readonly decision: ScalingDecision; readonly state: ScalingState | undefined },
    nowMs: number,
  ): Promise<Batch> {
    const { serviceId, tenantId, environmentId } = policy;
    const { replicas, concurrency, reason } = decision;
    const limits = {
      minReplicas: replicas,
      maxReplicas: Math.max(policy.maxReplicas, replicas, 1),
      ...(concurrency === undefined ? {} : { concurrency }),
    };
    await this.#deps.targets.find(computeTarget).setLimits({ serviceId, tenantId }, limits);
    const before = state?.replicas ?? replicas;
    const record: ScalingState = {
      ...{ serviceId, tenantId, environmentId, replicas, reason: reason.slice(0, 500) },
      ...(concurrency === undefined ? {} : { concurrency }),
      lastUpAt: replicas > before ? nowMs : (state?.lastUpAt ?? 0),
      lastDownAt: replicas < before ? nowMs : (state?.lastDownAt ?? 0),
    };
    const payload = { serviceId, computeTarget, from: before, to: replicas, reason: record.reason };
    return {
      puts: [put('scalingState', record)],
      events: [{ eventType: 'ScalingPolicyApplied', tenantId, environmentId, subject: serviceId, payload }],
    };
  }
}
