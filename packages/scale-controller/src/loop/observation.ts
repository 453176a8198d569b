/**
 * Turns what a Runtime counts into what scale is decided on: differences into rates, smoothed over a few seconds.
 *
 * Ownership: the loop owns one per version.
 *
 * I1 Counters that go back, because the version was hosted anew, give no negative rate.
 * I2 A look at the same moment as the one before changes nothing.
 * I3 A worker's share of its processors is taken between two readings, by their own times: readings come less often than looks.
 * I4 What waits for a turn of the Runtime alone counts neither as running nor as time: no worker would shorten that wait.
 */
import type { WorkerUsage } from '@switchyard/protocol';
import type { FunctionLoad, ScaleSignals, SourceBacklog } from '../decide/signals.ts';
import type { ObservedFunction, ObservedVersion } from './scaled-runtime.ts';

export interface ObservedExtras {
  readonly sources: readonly SourceBacklog[];
  readonly usageOf: (workerId: string) => WorkerUsage | undefined;
}

/** Changed in place: one for every function that is awake. */
interface FunctionBefore {
  startedCount: number;
  endedCount: number;
  totalMs: number;
  eventsPerSecond: number;
  durationMs: number | undefined;
}

/** What was read of a worker last, and the share between that and the reading before. */
interface CpuBefore {
  readonly usage: WorkerUsage;
  readonly share: number | undefined;
}

/** The time constant of rates and durations. */
const smoothingMs = 10_000;

export class Observation {
  #atMs: number | undefined;
  #refused = 0;
  readonly #functions = new Map<string, FunctionBefore>();
  #cpu = new Map<string, CpuBefore>();
  #cpuShare: number | undefined;
  #onWorkers = 1;
  #signals: ScaleSignals | undefined;

  /** The signals of now. */
  look(version: ObservedVersion, extras: ObservedExtras, nowMs: number): ScaleSignals {
    if (this.#signals !== undefined && this.#atMs === nowMs) return this.#signals;
    const elapsedMs = this.#atMs === undefined ? 0 : Math.max(0, nowMs - this.#atMs);
    const refusedCount = this.#atMs === undefined ? 0 : Math.max(0, version.refusedCount - this.#refused);
    this.#atMs = nowMs;
    this.#refused = version.refusedCount;
    this.#cpuShare = this.#lookAtCpu(version.workerIds, extras.usageOf, elapsedMs);
    const keep = Math.exp(-elapsedMs / smoothingMs);
    const onWorkers = this.#lookAtTurns(version);
    const functions: FunctionLoad[] = version.functions.map((one) =>
      this.#lookAtFunction(one, onWorkers, elapsedMs, keep),
    );
    if (version.waitingCount > 0) functions.push({ ...noFunction, waitingCount: version.waitingCount });
    this.#signals = {
      wantedCount: version.wantedCount,
      readyCount: version.readyCount,
      startingCount: version.startingCount,
      functions,
      sources: extras.sources,
      cpuShare: this.#cpuShare,
      blockedCount: version.blockedCount,
      refusedCount,
      startFailureCount: version.startFailureCount,
      quietMs: version.waitingCount > 0 ? 0 : version.quietMs,
    };
    return this.#signals;
  }

  /**
   * The part of what runs or waits that is not only waiting for a turn of the Runtime, now and of what ended since the look
   * before: that has waited before now.
   */
  #lookAtTurns({ functions, pacedCount }: ObservedVersion): { readonly now: number; readonly ended: number } {
    const activeCount = functions.reduce((sum, one) => sum + one.activeCount, 0);
    const now = activeCount === 0 ? 1 : Math.max(0, 1 - pacedCount / activeCount);
    const ended = Math.min(this.#onWorkers, now);
    this.#onWorkers = now;
    return { now, ended };
  }

  #lookAtFunction(
    now: ObservedFunction,
    onWorkers: { readonly now: number; readonly ended: number },
    elapsedMs: number,
    keep: number,
  ): FunctionLoad {
    const before = this.#functions.get(now.name);
    const started = Math.max(0, now.startedCount - (before?.startedCount ?? now.startedCount));
    const ended = Math.max(0, now.endedCount - (before?.endedCount ?? now.endedCount));
    const spentMs = Math.max(0, now.totalMs - (before?.totalMs ?? now.totalMs));
    const rate = elapsedMs > 0 ? (started * 1_000) / elapsedMs : 0;
    const eventsPerSecond = (before?.eventsPerSecond ?? 0) * keep + rate * (1 - keep);
    const lastMs = ended > 0 ? (spentMs / ended) * onWorkers.ended : before?.durationMs;
    const durationMs =
      lastMs === undefined || before?.durationMs === undefined
        ? lastMs
        : before.durationMs * keep + lastMs * (1 - keep);
    const { startedCount, endedCount, totalMs } = now;
    if (before === undefined) {
      this.#functions.set(now.name, { startedCount, endedCount, totalMs, eventsPerSecond, durationMs });
    } else {
      before.startedCount = startedCount;
      before.endedCount = endedCount;
      before.totalMs = totalMs;
      before.eventsPerSecond = eventsPerSecond;
      before.durationMs = durationMs;
    }
    const { name, activeCount } = now;
    return { name, runningCount: Math.ceil(activeCount * onWorkers.now), waitingCount: 0, eventsPerSecond, durationMs };
  }

  /** The mean share of the workers that were read twice. */
  #lookAtCpu(workerIds: readonly string[], usageOf: ObservedExtras['usageOf'], elapsedMs: number): number | undefined {
    if (workerIds.length === 0) {
      if (this.#cpu.size > 0) this.#cpu = new Map();
      return undefined;
    }
    const seen = new Map<string, CpuBefore>();
    let sum = 0;
    let count = 0;
    for (const workerId of workerIds) {
      const usage = usageOf(workerId);
      if (usage === undefined) continue;
      const before = this.#cpu.get(workerId);
      const now = before?.usage.atMs === usage.atMs ? before : { usage, share: shareBetween(before?.usage, usage) };
      seen.set(workerId, now);
      if (now.share === undefined) continue;
      sum += now.share;
      count += 1;
    }
    this.#cpu = seen;
    if (count === 0) return undefined;
    const share = sum / count;
    const keep = Math.exp(-elapsedMs / smoothingMs);
    return this.#cpuShare === undefined ? share : this.#cpuShare * keep + share * (1 - keep);
  }
}

/** Undefined for the first reading, and for one of a clock that began anew. */
function shareBetween(before: WorkerUsage | undefined, { atMs, cpuMs, cpuLimit }: WorkerUsage): number | undefined {
  if (before === undefined || atMs <= before.atMs) return undefined;
  return Math.min(1, Math.max(0, cpuMs - before.cpuMs) / (atMs - before.atMs) / cpuLimit);
}

/** Stands for requests whose function is not called yet. */
const noFunction: FunctionLoad = {
  name: '',
  runningCount: 0,
  waitingCount: 0,
  eventsPerSecond: 0,
  durationMs: undefined,
};
