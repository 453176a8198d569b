/**
 * How many workers an app should have: one pure function of what is seen, what is allowed, what was decided before, and
 * the time.
 *
 * A rule that wants more is obeyed at once, the one that wants most; workers are given back only when every rule agrees and
 * has agreed for `stabilizationMs`. What is given back leaves room for the highest demand of that time, so a scale-in is
 * not followed by a scale-out that it caused.
 *
 * I1 The target is within [0, maximum] and never above what the tenant has left, whatever the signals say.
 * I2 Between a target that grew and one that shrinks lie at least `stabilizationMs`, unless the clamps shrink it or the app
 *    is idle.
 * I3 Signals that do not change lead to a target that does not change, after the first scale-in at the latest.
 * I4 The same arguments give the same decision, and none of them is changed.
 * I5 Rules that add one worker after the other wait for those on their way, and for `settleMs`.
 */
import { proposals, type ScaleRule } from './rules.ts';
import { defaultScaleTuning, type ScalePolicy, type ScaleTuning, targetOf } from './scale-policy.ts';
import type { ScaleSignals } from './signals.ts';

/** What a decision leaves for the next one. */
export interface ScaleMemory {
  readonly atMs: number;
  readonly target: number;
  /** Demand in workers, smoothed. */
  readonly smoothedDemand: number;
  /** Demand in workers at the last look. */
  readonly lastDemand: number;
  /** Since when every rule would give workers back; undefined while one would not. */
  readonly lowSinceMs: number | undefined;
  /** The most workers that any look since then has needed. */
  readonly lowPeak: number;
  /** When the target grew last. */
  readonly grewAtMs: number | undefined;
  /** Nothing is given back before this. */
  readonly panicUntilMs: number;
}

/** What kept a target from being what a rule wanted. */
export type ScaleClamp = 'always-ready' | 'minimum' | 'maximum' | 'tenant-quota' | 'failing';

export interface ScaleDecision {
  readonly target: number;
  /** Why it is that many. */
  readonly rule: ScaleRule;
  /** What the rule wanted. */
  readonly wanted: number;
  readonly clamps: readonly ScaleClamp[];
  /** Demand in workers, now and smoothed: what `wanted` was made of. */
  readonly demand: number;
  readonly smoothedDemand: number;
  readonly memory: ScaleMemory;
}

export function decide(
  signals: ScaleSignals,
  policy: ScalePolicy,
  memory: ScaleMemory | undefined,
  nowMs: number,
  tuning: ScaleTuning = defaultScaleTuning,
): ScaleDecision {
  const current = signals.wantedCount;
  const demand = demandOf(signals, policy);
  const smoothedDemand = smooth(demand, memory, nowMs, tuning);
  // Who woke the app in between has made it grow, too.
  const grewAtMs = memory !== undefined && current > memory.target ? nowMs : memory?.grewAtMs;
  const view = { signals, policy, tuning, current, demand, smoothedDemand, memory, nowMs };
  const { rule, wanted, isBurst, low } = proposals(view);
  const lowSinceMs = low === undefined ? undefined : (memory?.lowSinceMs ?? nowMs);
  const lowPeak = low === undefined ? 0 : Math.max(low, memory?.lowPeak ?? 0);
  const panicUntilMs = isBurst ? nowMs + tuning.panicMs : (memory?.panicUntilMs ?? Number.NEGATIVE_INFINITY);
  const chosen = choose();
  const { target, clamps } = clamp(chosen.wanted, view.signals, policy, tuning, chosen.rule === 'idle');
  const hasGrown = target > current;
  const hasShrunk = target < current;
  return {
    target,
    rule: chosen.rule,
    wanted: chosen.wanted,
    clamps,
    demand,
    smoothedDemand,
    memory: {
      atMs: nowMs,
      target,
      smoothedDemand,
      lastDemand: demand,
      lowSinceMs: hasGrown ? undefined : hasShrunk ? nowMs : lowSinceMs,
      lowPeak: hasGrown || hasShrunk ? 0 : lowPeak,
      grewAtMs: hasGrown ? nowMs : grewAtMs,
      panicUntilMs,
    },
  };

  function choose(): { readonly rule: ScaleRule; readonly wanted: number } {
    if (wanted > current) return { rule, wanted };
    const floor = policy.alwaysReady;
    if (isIdle(signals, policy) && current > floor) return { rule: 'idle', wanted: floor };
    const isLow = lowSinceMs !== undefined && nowMs - lowSinceMs >= policy.stabilizationMs;
    const mayShrink =
      isLow && nowMs >= panicUntilMs && nowMs - (grewAtMs ?? Number.NEGATIVE_INFINITY) >= policy.stabilizationMs;
    if (mayShrink && lowPeak < current) return { rule: 'low-load', wanted: lowPeak };
    return { rule: current === 0 ? 'none' : 'steady', wanted: current };
  }
}

/** How many workers at their targets the present invocations would fill. */
function demandOf({ functions }: ScaleSignals, policy: ScalePolicy): number {
  let demand = 0;
  for (const load of functions) demand += (load.runningCount + load.waitingCount) / targetOf(policy, load.name);
  return demand;
}

/** An exponential mean: what is older than the time constant counts little. The first look counts in full. */
function smooth(demand: number, memory: ScaleMemory | undefined, nowMs: number, { smoothingMs }: ScaleTuning): number {
  if (memory === undefined) return demand;
  const share = Math.exp(-Math.max(0, nowMs - memory.atMs) / smoothingMs);
  return memory.smoothedDemand * share + demand * (1 - share);
}

function isIdle({ quietMs, sources }: ScaleSignals, { idleMs }: ScalePolicy): boolean {
  return quietMs >= idleMs && sources.every(({ messageCount }) => messageCount === 0);
}

const noClamps: readonly ScaleClamp[] = [];

function clamp(
  wanted: number,
  signals: ScaleSignals,
  policy: ScalePolicy,
  tuning: ScaleTuning,
  isIdleNow: boolean,
): { readonly target: number; readonly clamps: readonly ScaleClamp[] } {
  const { readyCount, startFailureCount } = signals;
  const { alwaysReady, minimum, maximum, tenantAllowance = Number.POSITIVE_INFINITY } = policy;
  let target = wanted;
  let clamps = noClamps;
  if (target < alwaysReady) {
    target = alwaysReady;
    clamps = [...clamps, 'always-ready'];
  }
  if (target > 0 && !isIdleNow && target < minimum) {
    target = minimum;
    clamps = [...clamps, 'minimum'];
  }
  // One try at a time goes on, so that the app comes up as soon as it can.
  if (startFailureCount >= tuning.failingStarts && target > Math.max(readyCount, 1)) {
    target = Math.max(readyCount, 1);
    clamps = [...clamps, 'failing'];
  }
  if (target > maximum) {
    target = Math.max(0, maximum);
    clamps = [...clamps, 'maximum'];
  }
  if (target > tenantAllowance) {
    target = Math.max(0, tenantAllowance);
    clamps = [...clamps, 'tenant-quota'];
  }
  return { target, clamps };
}
