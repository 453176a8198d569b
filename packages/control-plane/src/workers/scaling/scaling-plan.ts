/** How many replicas a service ought to have. Pure. */
import type { HealthStatus, RuntimeService, ScalingPolicy, ScalingState } from '@switchyard/protocol/control-api';

export interface ScalingSight {
  readonly policy: ScalingPolicy;
  /** How much of each metric one replica has, on average; undefined when nothing was measured lately. */
  readonly measured: ReadonlyMap<string, number | undefined>;
  /** As the target has it now. */
  readonly service: Pick<RuntimeService, 'limits' | 'replicas'>;
  readonly health: HealthStatus;
  readonly state: ScalingState | undefined;
  /** How many replicas the environment's tenant may have of this service at most. */
  readonly quota: number;
  /** Since when fewer replicas would have been enough without a break. */
  readonly lowSinceMs: number | undefined;
}

export interface ScalingDecision {
  readonly replicas: number;
  readonly concurrency: number | undefined;
  readonly reason: string;
  /** Whether fewer would be enough now; what `lowSinceMs` is made of. */
  readonly isLow: boolean;
  /** False: it is so already, or must stay so for now. */
  readonly isChange: boolean;
  /** When to look again, if something other than a measurement keeps it from changing. */
  readonly wakeAtMs?: number;
}

export function planScaling(sight: ScalingSight, nowMs: number): ScalingDecision {
  const { policy, service, state, quota } = sight;
  const maximum = Math.min(policy.maxReplicas, quota);
  const minimum = Math.min(policy.minReplicas, maximum);
  // What is there counts, not what was asked for last: a crash may lie between the two.
  const current = service.limits.minReplicas ?? state?.replicas ?? service.replicas;
  const wish = wishOf(sight, current);
  const wanted = Math.min(maximum, Math.max(minimum, wish.replicas));
  const decision = { current, wanted, maximum, minimum, reason: wish.reason };
  const outcome = wanted < current ? planDown(sight, decision, nowMs) : planUp(sight, decision, nowMs);
  // The number of replicas may stand still while the throughput of each is to change.
  const tuned = state === undefined ? service.limits.concurrency : state.concurrency;
  const isTuned = policy.concurrency === undefined || policy.concurrency === tuned;
  // A policy that is new is taken up once, whatever it finds: then its limits hold.
  const isChange = outcome.isChange || state?.replicas !== outcome.replicas || !isTuned;
  return { ...outcome, concurrency: policy.concurrency, isChange };
}

interface Wish {
  readonly current: number;
  readonly wanted: number;
  readonly maximum: number;
  readonly minimum: number;
  readonly reason: string;
}

type Outcome = Omit<ScalingDecision, 'concurrency'>;

function planUp({ policy, state }: ScalingSight, { current, wanted, reason }: Wish, nowMs: number): Outcome {
  const held = { replicas: current, isLow: false, isChange: false };
  if (wanted === current) return { ...held, reason };
  const readyMs = (state?.lastUpAt ?? 0) + policy.upCooldownMs;
  if (state !== undefined && state.lastUpAt > 0 && nowMs < readyMs) {
    return { ...held, reason: 'it was scaled up just now', wakeAtMs: readyMs };
  }
  return { replicas: wanted, isLow: false, isChange: true, reason };
}

function planDown(sight: ScalingSight, { current, wanted, maximum, reason }: Wish, nowMs: number): Outcome {
  const { policy, state, health, lowSinceMs } = sight;
  // What is above what is allowed at all goes at once.
  if (current > maximum)
    return { replicas: maximum, isLow: false, isChange: true, reason: `at most ${maximum} are allowed` };
  const held = { replicas: current, isLow: true, isChange: false };
  if (health === 'unhealthy' || health === 'degraded') return { ...held, isLow: false, reason: `it is ${health}` };
  const steadyMs = (lowSinceMs ?? nowMs) + policy.downStabilisationMs;
  if (nowMs < steadyMs)
    return { ...held, reason: 'fewer would be enough, but not for long enough yet', wakeAtMs: steadyMs };
  const readyMs = Math.max(state?.lastDownAt ?? 0, state?.lastUpAt ?? 0) + policy.downCooldownMs;
  if (state !== undefined && nowMs < readyMs && readyMs > policy.downCooldownMs) {
    return { ...held, reason: 'it was scaled just now', wakeAtMs: readyMs };
  }
  return { replicas: wanted, isLow: true, isChange: true, reason };
}

/** The highest demand of all metrics wins. A metric that is missing holds: it never makes a service smaller. */
function wishOf(
  { policy, measured }: ScalingSight,
  current: number,
): { readonly replicas: number; readonly reason: string } {
  let highest = { replicas: 0, reason: 'nothing is measured' };
  for (const { metric, target } of policy.metrics) {
    const value = measured.get(metric);
    const ratio = value === undefined ? 1 : value / target;
    const isNear = Math.abs(ratio - 1) * 100 <= policy.tolerancePercent;
    // From nothing there is no average to multiply: any demand needs one to begin with.
    const base = Math.max(current, value !== undefined && value > 0 ? 1 : current);
    const replicas = isNear || value === undefined ? current : Math.ceil(base * ratio);
    const said = value === undefined ? `${metric} is not measured` : `${metric} is ${value} of ${target}`;
    if (replicas >= highest.replicas) highest = { replicas, reason: said };
  }
  return highest;
}
