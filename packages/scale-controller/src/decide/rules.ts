/** The rules by which an app gets more workers, or could do with fewer. Each is a few lines over the same view. */
import type { ScaleMemory } from './decide.ts';
import { type ScalePolicy, type ScaleTuning, targetOf } from './scale-policy.ts';
import type { ScaleSignals } from './signals.ts';

/** Why a target is what it is. */
export type ScaleRule =
  /** Nothing is there and nothing is asked for. */
  | 'none'
  /** What is there is right. */
  | 'steady'
  /** Something waits and nobody is there. */
  | 'wake'
  /** Far more is asked for than is there. */
  | 'burst'
  | 'utilization'
  | 'queue-length'
  | 'oldest-message'
  | 'event-rate'
  | 'cpu'
  | 'back-pressure'
  /** Every rule has been content with fewer for long enough. */
  | 'low-load'
  /** Nothing has happened for long. */
  | 'idle';

/** What the rules look at. */
export interface RuleView {
  readonly signals: ScaleSignals;
  readonly policy: ScalePolicy;
  readonly tuning: ScaleTuning;
  /** The target that holds. */
  readonly current: number;
  /** Demand in workers at their targets. */
  readonly demand: number;
  readonly smoothedDemand: number;
  readonly memory: ScaleMemory | undefined;
  readonly nowMs: number;
}

export interface Proposals {
  /** The rule that wants most, and what it wants; `steady` with what there is when none wants more. */
  readonly rule: ScaleRule;
  readonly wanted: number;
  readonly isBurst: boolean;
  /** How many would do; undefined while a rule says that what is there is needed. */
  readonly low: number | undefined;
}

export function proposals(view: RuleView): Proposals {
  const { current } = view;
  const isBurst = burst(view) > current;
  let rule: ScaleRule = 'steady';
  let wanted = current;
  for (const [name, want] of growing) {
    const count = want(view);
    if (count <= wanted) continue;
    rule = name;
    wanted = count;
  }
  return { rule, wanted, isBurst, low: lowOf(view) };
}

/** In order: of two rules that want the same, the first is named. */
const growing: readonly (readonly [rule: ScaleRule, want: (view: RuleView) => number])[] = [
  ['wake', wake],
  ['queue-length', queueLength],
  ['burst', burst],
  ['utilization', utilization],
  ['event-rate', eventRate],
  ['back-pressure', backPressure],
  ['cpu', cpu],
  ['oldest-message', oldestMessage],
];

/** Something waits here, and no worker is there or on its way. */
function wake({ demand, current }: RuleView): number {
  return current === 0 && demand > 0 ? 1 : 0;
}

/** Messages lie outside, and no worker is there, or too few are to end them in the time that a message may wait. */
function queueLength(view: RuleView): number {
  const { signals, current, tuning } = view;
  if (current === 0) return signals.sources.some(({ messageCount }) => messageCount > 0) ? 1 : 0;
  return hasSettled(view, tuning.settleMs) ? backlogWorkers(view) : 0;
}

/**
 * Workers for what waits outside: as many as its app wants for so much, else those that would end it in time, at the pace of
 * those that are there; 0 before anything has ended.
 */
function backlogWorkers({ signals: { sources, functions, readyCount }, policy, tuning }: RuleView): number {
  let workers = 0;
  for (const { functionName, messageCount, targetPerWorker } of sources) {
    if (targetPerWorker !== undefined) {
      workers += messageCount / targetPerWorker;
      continue;
    }
    const load = functions.find(({ name }) => name === functionName);
    if (messageCount === 0 || readyCount === 0 || load?.durationMs === undefined) continue;
    const atOnce = Math.min(targetOf(policy, functionName), Math.max(1, load.runningCount / readyCount));
    workers += (messageCount * load.durationMs) / atOnce / tuning.oldestMessageMs;
  }
  return Math.ceil(workers);
}

/** Two looks in a row have found far more than what is there can take. */
function burst({ demand, memory, signals, tuning }: RuleView): number {
  const sustained = Math.min(demand, memory?.lastDemand ?? demand);
  const present = signals.readyCount + signals.startingCount;
  return sustained >= tuning.burstFactor * Math.max(1, present) ? atHighShare(sustained, tuning) : 0;
}

/** More is asked for on average than what is there should take. */
function utilization({ smoothedDemand, current, tuning }: RuleView): number {
  return smoothedDemand > tuning.highShare * current && current > 0 ? atHighShare(smoothedDemand, tuning) : 0;
}

/** More events come per second than the ready workers can end in one. */
function eventRate({ signals, policy, tuning }: RuleView): number {
  const offered = offeredLoad(signals, policy);
  return signals.readyCount > 0 && offered > signals.readyCount ? atHighShare(offered, tuning) : 0;
}

/** A worker takes nothing, or somebody was refused. */
function backPressure(view: RuleView): number {
  const { signals, current } = view;
  const isPressed = signals.blockedCount > 0 || signals.refusedCount > 0;
  return isPressed && hasSettled(view, 0) ? current + Math.max(1, Math.ceil(current / 2)) : 0;
}

function cpu(view: RuleView): number {
  const { signals, policy, current, tuning } = view;
  const { cpuShare, readyCount } = signals;
  if (cpuShare === undefined || cpuShare <= policy.targetCpuShare || !hasSettled(view, tuning.settleMs)) return 0;
  return Math.max(current + 1, Math.ceil((readyCount * cpuShare) / policy.targetCpuShare));
}

function oldestMessage(view: RuleView): number {
  const { signals, current, tuning } = view;
  const isLate = signals.sources.some(({ oldestMs }) => (oldestMs ?? 0) > tuning.oldestMessageMs);
  return isLate && hasSettled(view, tuning.settleMs) ? current + 1 : 0;
}

/** Those on their way have come, and the last growth has had time to help. */
function hasSettled({ signals, memory, current, nowMs }: RuleView, settleMs: number): boolean {
  if (signals.startingCount > 0 || signals.readyCount < current) return false;
  return nowMs - (memory?.grewAtMs ?? Number.NEGATIVE_INFINITY) >= settleMs;
}

/** How many would do; undefined while any rule says that it is not few. */
function lowOf(view: RuleView): number | undefined {
  const { signals, policy, tuning, current, demand, smoothedDemand } = view;
  const { cpuShare, readyCount, sources, blockedCount, refusedCount } = signals;
  if (current === 0 || blockedCount > 0 || refusedCount > 0) return undefined;
  if (sources.some(({ oldestMs }) => (oldestMs ?? 0) > tuning.oldestMessageMs)) return undefined;
  const forBacklog = backlogWorkers(view);
  if (forBacklog >= current) return undefined;
  const needed = Math.max(demand, smoothedDemand);
  if (needed >= tuning.lowShare * current) return undefined;
  // As a part of the app's own target, so that it can be compared with the load.
  const cpuLoad = ((cpuShare ?? 0) * tuning.highShare) / policy.targetCpuShare;
  if (Math.max(cpuLoad, cpuShare ?? 0) >= tuning.lowShare) return undefined;
  const offered = offeredLoad(signals, policy);
  if (offered > 0 && offered >= tuning.lowRateShare * current) return undefined;
  const byCpu = cpuLoad * readyCount;
  // The last worker goes when the app is idle, not when it is slow.
  return Math.max(1, forBacklog, atHighShare(Math.max(needed, offered, byCpu), tuning));
}

/** What comes per second times how long it takes, in workers at their targets. */
function offeredLoad({ functions }: ScaleSignals, policy: ScalePolicy): number {
  let offered = 0;
  for (const { name, eventsPerSecond, durationMs } of functions) {
    if (durationMs !== undefined) offered += (eventsPerSecond * durationMs) / 1_000 / targetOf(policy, name);
  }
  return offered;
}

/** Workers enough that each is as busy as it should be at most. */
function atHighShare(demand: number, { highShare }: ScaleTuning): number {
  // Binary fractions: 7 / 0.7 is a little more than 10.
  return Math.ceil(demand / highShare - 1e-9);
}
