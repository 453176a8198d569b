import { assertNever } from '@switchyard/kernel';
import type { ScaleClamp, ScaleDecision } from './decide.ts';
import type { ScaleRule } from './rules.ts';
import { defaultScaleTuning, type ScalePolicy, type ScaleTuning } from './scale-policy.ts';
import type { ScaleSignals } from './signals.ts';

/** A decision in one or two sentences, with the numbers that it rests on. */
export function explainDecision(
  decision: ScaleDecision,
  signals: ScaleSignals,
  policy: ScalePolicy,
  tuning: ScaleTuning = defaultScaleTuning,
): string {
  const reason = reasonOf(decision, signals, policy, tuning);
  const clamps = decision.clamps.map((clamp) => clampText(clamp, decision, policy));
  return [`${reason}.`, ...clamps.map((text) => `${text}.`)].join(' ');
}

function reasonOf(
  { rule, target, wanted, demand, smoothedDemand }: ScaleDecision,
  signals: ScaleSignals,
  policy: ScalePolicy,
  tuning: ScaleTuning,
): string {
  const { readyCount, startingCount, cpuShare = 0, blockedCount, refusedCount } = signals;
  const high = percent(tuning.highShare);
  const known: Record<ScaleRule, () => string> = {
    none: () => 'Nothing runs, nothing waits and no worker is kept',
    steady: () => `What is there is right: the load is ${number(smoothedDemand)} workers' worth, the target ${target}`,
    wake: () => 'Invocations wait and no worker is there: the app is woken',
    'queue-length': () =>
      readyCount === 0
        ? `${messagesOf(signals)} messages wait outside and no worker is there: the app is woken`
        : `${messagesOf(signals)} messages wait outside; ${wanted} workers end them in ${seconds(tuning.oldestMessageMs)}`,
    burst: () =>
      `A burst: the load is ${number(demand)} workers' worth, at least ${tuning.burstFactor} times the ${readyCount + startingCount} there are; ${wanted} would be ${high} busy`,
    utilization: () =>
      `The load is ${number(smoothedDemand)} workers' worth on average, over ${high} of what is there; ${wanted} are enough`,
    'event-rate': () => `More events come than ${readyCount} workers can end; ${wanted} can`,
    cpu: () =>
      `The workers use ${percent(cpuShare)} of their processors, over ${percent(policy.targetCpuShare)}; ${wanted} would use less`,
    'back-pressure': () =>
      `${blockedCount} workers take nothing more and ${refusedCount} invocations were refused: ${wanted} may do`,
    'oldest-message': () =>
      `A message has waited for ${seconds(oldestOf(signals))}, over ${seconds(tuning.oldestMessageMs)}: one more worker`,
    'low-load': () =>
      `Less than ${percent(tuning.lowShare)} was busy for ${seconds(policy.stabilizationMs)}: ${wanted} are enough for the most of that time`,
    idle: () => `Nothing has happened for ${seconds(policy.idleMs)}: the app keeps ${wanted}`,
  };
  return known[rule]();
}

function clampText(clamp: ScaleClamp, { target, wanted }: ScaleDecision, policy: ScalePolicy): string {
  switch (clamp) {
    case 'always-ready':
      return `${policy.alwaysReady} are always kept`;
    case 'minimum':
      return `An active app keeps at least ${policy.minimum}`;
    case 'maximum':
      return `${wanted} are wanted, and the most is ${policy.maximum}`;
    case 'tenant-quota':
      return `The quota of the tenant leaves ${policy.tenantAllowance ?? target}`;
    case 'failing':
      return 'Starts have failed in a row, so no more are tried at once';
    default:
      return assertNever(clamp);
  }
}

const number = (value: number): string => String(Math.round(value * 100) / 100);

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const seconds = (durationMs: number): string => `${Math.round(durationMs / 1_000)} s`;

function messagesOf({ sources }: ScaleSignals): number {
  return sources.reduce((sum, { messageCount }) => sum + messageCount, 0);
}

function oldestOf({ sources }: ScaleSignals): number {
  return Math.max(0, ...sources.map(({ oldestMs }) => oldestMs ?? 0));
}
