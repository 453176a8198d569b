import type { HealthGate } from './rollout.ts';
import type { VersionHealth } from './version-health.ts';

export type Verdict =
  | { readonly kind: 'good'; readonly text: string }
  /** Too few calls to say. */
  | { readonly kind: 'unknown'; readonly text: string }
  | { readonly kind: 'bad'; readonly text: string };

/** Classes of durations are a quarter wide, so two of them apart may still be the same. */
const leastP99Ms = 20;

/** Compares the new version with the old one. `old` may be of an earlier time, where it gets nothing at the moment. */
export function judge(gate: HealthGate, fresh: VersionHealth, old: VersionHealth): Verdict {
  const calls = `${fresh.calls} calls`;
  if (fresh.calls < gate.minimumCalls) return { kind: 'unknown', text: `${calls} say too little` };
  const oldRate = old.calls === 0 ? 0 : old.errorRate;
  if (fresh.errorRate > oldRate + gate.maxErrorRateIncrease) {
    return {
      kind: 'bad',
      text: `${percent(fresh.errorRate)} of ${calls} failed, ${percent(oldRate)} of the old version's`,
    };
  }
  const isComparable = old.calls >= gate.minimumCalls && old.p99Ms !== undefined && fresh.p99Ms !== undefined;
  if (isComparable) {
    const limitMs = Math.max(leastP99Ms, (old.p99Ms ?? 0) * gate.maxP99Ratio);
    if ((fresh.p99Ms ?? 0) > limitMs) {
      return { kind: 'bad', text: `p99 is ${ms(fresh.p99Ms)} over ${calls}, the old version's ${ms(old.p99Ms)}` };
    }
  }
  return { kind: 'good', text: `${percent(fresh.errorRate)} of ${calls} failed, p99 is ${ms(fresh.p99Ms)}` };
}

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

const ms = (value: number | undefined): string => (value === undefined ? 'unknown' : `${Math.round(value)} ms`);
