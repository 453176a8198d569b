/** Decisions and roll-outs as the control API shows them. */
import type {
  AppScaleView,
  RolloutAnswer,
  ScaleVersionView,
  ScaleView,
  TenantQuota,
  TenantQuotaView,
} from '@switchyard/protocol/control-api';
import type { KeptDocument } from './loop/kept-documents.ts';
import type { ExplainedDecision, ScaleChange } from './loop/scale-loop.ts';
import type { ObservedVersion } from './loop/scaled-runtime.ts';
import type { RolloutView } from './rollout/rollout-runner.ts';
import type { VersionHealth } from './rollout/version-health.ts';

const toTime = (timeMs: number): string => new Date(timeMs).toISOString();

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

export function toScaleView(
  { body: scale, revision }: KeptDocument<AppScaleView>,
  decisions: readonly ExplainedDecision[],
  changes: readonly ScaleChange[],
  catalogVersionOf: (codeVersion: string) => string,
): ScaleView {
  return {
    revision,
    scale: { ...scale },
    versions: decisions.map((made) => toVersionView(made, catalogVersionOf)),
    changes: changes.map(({ atMs, codeVersion, ...rest }) => ({
      at: toTime(atMs),
      codeVersion: catalogVersionOf(codeVersion),
      ...rest,
    })),
  };
}

/** What a tenant may have, and what its versions that are awake have together. */
export function toQuotaView(
  { body: quota, revision }: KeptDocument<TenantQuota>,
  versions: readonly Pick<ObservedVersion, 'wantedCount' | 'readyCount'>[],
): TenantQuotaView {
  const sum = (count: 'wantedCount' | 'readyCount'): number => versions.reduce((all, one) => all + one[count], 0);
  return { revision, quota: { ...quota }, workers: { wanted: sum('wantedCount'), ready: sum('readyCount') } };
}

function toVersionView(
  { atMs, version, signals, policy, decision, explanation }: ExplainedDecision,
  catalogVersionOf: (codeVersion: string) => string,
): ScaleVersionView {
  const { functions, sources, cpuShare } = signals;
  const ages = sources.flatMap(({ oldestMs }) => oldestMs ?? []);
  return {
    codeVersion: catalogVersionOf(version.definition.codeVersion),
    weight: version.weight,
    workers: {
      wanted: version.wantedCount,
      ready: version.readyCount,
      starting: version.startingCount,
      draining: version.drainingCount,
    },
    signals: {
      functions: functions.map(({ name, runningCount, waitingCount, eventsPerSecond, durationMs }) => ({
        name,
        active: runningCount + waitingCount,
        eventsPerSecond: round(eventsPerSecond),
        ...(durationMs === undefined ? {} : { durationMs: round(durationMs) }),
      })),
      messages: sources.reduce((sum, { messageCount }) => sum + messageCount, 0),
      ...(ages.length === 0 ? {} : { oldestMessageMs: Math.max(...ages) }),
      ...(cpuShare === undefined ? {} : { cpuShare: round(cpuShare) }),
      blockedWorkers: signals.blockedCount,
      refused: signals.refusedCount,
      startFailures: signals.startFailureCount,
      quietMs: Math.round(signals.quietMs),
    },
    limits: {
      alwaysReady: policy.alwaysReady,
      minimum: policy.minimum,
      maximum: policy.maximum,
      targetConcurrency: policy.targetConcurrency,
      targetCpuPercent: Math.round(policy.targetCpuShare * 100),
      stabilizationSeconds: policy.stabilizationMs / 1_000,
      ...(policy.tenantAllowance === undefined ? {} : { tenantAllowance: policy.tenantAllowance }),
    },
    decision: {
      target: decision.target,
      rule: decision.rule,
      wanted: decision.wanted,
      clamps: [...decision.clamps],
      demand: round(decision.demand),
      smoothedDemand: round(decision.smoothedDemand),
      explanation,
      at: toTime(atMs),
    },
  };
}

export function toRolloutAnswer({ rollout, health }: RolloutView): RolloutAnswer {
  const { state, steps, gate, history, strategy, from, to, startedAtMs } = rollout;
  return {
    ...{ strategy, from, to, state: state.kind },
    ...('reason' in state ? { reason: state.reason } : {}),
    ...('step' in state ? { step: state.step } : {}),
    steps: steps.map(({ weight, holdMs }) => ({ weight, holdSeconds: holdMs / 1_000 })),
    gate: { ...gate },
    startedAt: toTime(startedAtMs),
    ...(health === undefined
      ? {}
      : {
          health: {
            new: toHealth(health.fresh),
            old: toHealth(health.old),
            verdict: health.verdict.kind,
            text: health.verdict.text,
          },
        }),
    history: history.map(({ atMs, text }) => ({ at: toTime(atMs), text })),
  };
}

function toHealth({ calls, errorRate, p99Ms }: VersionHealth) {
  return { calls, errorRate: round(errorRate), ...(p99Ms === undefined ? {} : { p99Ms: round(p99Ms) }) };
}
