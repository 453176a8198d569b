import { describe, expect, it } from 'vitest';
import { judge } from './judge.ts';
import { defaultGate } from './rollout.ts';
import { addCounters, healthBetween, noCounters, type VersionHealth } from './version-health.ts';

const health = (calls: number, errorRate: number, p99Ms: number | undefined = 10): VersionHealth => ({
  calls,
  errorRate,
  p99Ms,
});

describe('judge, at and beside each threshold', () => {
  it.each([
    ['too few calls', health(19, 1), health(100, 0), 'unknown'],
    ['enough', health(20, 1), health(100, 0), 'bad'],
    ['errors at the limit', health(100, 0.02), health(100, 0), 'good'],
    ['over it', health(100, 0.03), health(100, 0), 'bad'],
    ['as bad as the old one', health(100, 0.12), health(100, 0.1), 'good'],
    ['p99 at the limit', health(100, 0, 200), health(100, 0, 100), 'good'],
    ['p99 over it', health(100, 0, 201), health(100, 0, 100), 'bad'],
    ['both fast', health(100, 0, 20), health(100, 0, 2), 'good'],
    ['not so fast', health(100, 0, 21), health(100, 0, 2), 'bad'],
    ['nothing to compare with', health(100, 0, 9_000), health(0, 0, undefined), 'good'],
    ['too little to compare with', health(100, 0, 9_000), health(19, 0, 10), 'good'],
  ])('%s', (_, fresh, old, kind) => {
    expect(judge(defaultGate, fresh, old).kind).toBe(kind);
  });
});

describe('healthBetween', () => {
  const classesMs = [1, 10, 100];

  it('compares counts, and takes those that went back for new ones', () => {
    const before = { ended: 10, failed: 1, durationCounts: [10, 0, 0, 0] };
    const now = { ended: 110, failed: 6, durationCounts: [10, 98, 2, 0] };
    expect(healthBetween(before, now, classesMs)).toEqual({ calls: 100, errorRate: 0.05, p99Ms: 100 });
    expect(healthBetween(now, before, classesMs)).toEqual({ calls: 10, errorRate: 0.1, p99Ms: 1 });
    expect(healthBetween(now, now, classesMs)).toEqual({ calls: 0, errorRate: 0, p99Ms: undefined });
  });

  it('names the last class for what is beyond all of them, and adds functions up', () => {
    const work = { name: 'a', activeCount: 0, startedCount: 0, endedCount: 2, failedCount: 1, totalMs: 0 };
    const counters = addCounters([
      { ...work, durationCounts: [0, 0, 0, 2] },
      { ...work, durationCounts: [1, 1] },
    ]);
    expect(counters).toEqual({ ended: 4, failed: 2, durationCounts: [1, 1, 0, 2] });
    expect(healthBetween(noCounters, counters, classesMs).p99Ms).toBe(100);
  });
});
