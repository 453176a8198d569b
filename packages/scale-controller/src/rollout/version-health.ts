import type { ObservedFunction } from '../loop/scaled-runtime.ts';

/** How one version has done within a while. */
export interface VersionHealth {
  readonly calls: number;
  /** Share of the calls that failed, 0 to 1. */
  readonly errorRate: number;
  /** Undefined without calls. */
  readonly p99Ms: number | undefined;
}

/** Counters of a version, added up over its functions. */
export interface HealthCounters {
  readonly ended: number;
  readonly failed: number;
  readonly durationCounts: readonly number[];
}

export const noCounters: HealthCounters = { ended: 0, failed: 0, durationCounts: [] };

export function addCounters(functions: readonly ObservedFunction[]): HealthCounters {
  const durationCounts: number[] = [];
  let ended = 0;
  let failed = 0;
  for (const one of functions) {
    ended += one.endedCount;
    failed += one.failedCount;
    for (const [index, count] of one.durationCounts.entries()) {
      durationCounts[index] = (durationCounts[index] ?? 0) + count;
    }
  }
  return { ended, failed, durationCounts };
}

/** What has happened between two counts. Counts that went back are those of another hosting: then all of `now` is new. */
export function healthBetween(
  before: HealthCounters,
  now: HealthCounters,
  classesMs: readonly number[],
): VersionHealth {
  const base = now.ended < before.ended ? noCounters : before;
  const calls = now.ended - base.ended;
  if (calls === 0) return { calls, errorRate: 0, p99Ms: undefined };
  const failed = Math.max(0, now.failed - base.failed);
  const counts = now.durationCounts.map((count, index) => Math.max(0, count - (base.durationCounts[index] ?? 0)));
  return { calls, errorRate: failed / calls, p99Ms: percentile(counts, 0.99, classesMs) };
}

/** The upper end of the class that has the percentile; that of the last known class for those beyond all. */
function percentile(counts: readonly number[], share: number, classesMs: readonly number[]): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [index, count] of counts.entries()) {
    seen += count;
    if (count > 0 && seen >= total * share) return classesMs[Math.min(index, classesMs.length - 1)];
  }
  return undefined;
}
