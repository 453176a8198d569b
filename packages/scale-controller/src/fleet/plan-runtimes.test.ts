import { describe, expect, it } from 'vitest';
import { type LivingRuntime, planRuntimes, type RuntimeNeeds } from './plan-runtimes.ts';

const runtime = (runtimeId: string, more: Partial<LivingRuntime> = {}): LivingRuntime => ({
  ...{ runtimeId, kind: 'started', emptySinceMs: undefined, isDraining: false },
  ...more,
});

const plan = (more: Partial<RuntimeNeeds>, nowMs = 100_000) =>
  planRuntimes(
    {
      regions: [],
      runtimes: [runtime('local', { kind: 'local' })],
      startingCount: 0,
      region: 'north',
      maximum: 3,
      idleMs: 60_000,
      ...more,
    },
    nowMs,
  );

describe('planRuntimes', () => {
  it('starts one at a time, up to the maximum, where one is needed', () => {
    expect(plan({})).toEqual([]);
    expect(plan({ regions: [undefined] })).toEqual([{ kind: 'start' }]);
    expect(plan({ regions: ['north', 'north'] })).toEqual([{ kind: 'start' }]);
    expect(plan({ regions: [undefined], startingCount: 1 })).toEqual([]);
    expect(plan({ regions: [undefined], runtimes: ['a', 'b', 'c'].map((id) => runtime(id)) })).toEqual([]);
  });

  it('starts none for a region that it cannot start in', () => {
    expect(plan({ regions: ['south'] })).toEqual([]);
  });

  it('ends those that were started here and have been empty for long enough, and no others', () => {
    const runtimes = [
      runtime('local', { kind: 'local', emptySinceMs: 0 }),
      runtime('joined', { kind: 'joined', emptySinceMs: 0 }),
      runtime('just', { emptySinceMs: 40_001 }),
      runtime('long', { emptySinceMs: 40_000 }),
      runtime('going', { emptySinceMs: 0, isDraining: true }),
      runtime('busy'),
    ];
    expect(plan({ runtimes })).toEqual([{ kind: 'end', runtimeId: 'long' }]);
    expect(plan({ runtimes, regions: ['north'] })).toEqual([]);
  });
});
