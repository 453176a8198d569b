import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { PodRemovals } from './pod-removals.ts';

function open() {
  const log = createMemoryLog(new VirtualClock());
  const state = { isAway: true };
  const told: string[] = [];
  const removals = new PodRemovals({
    log,
    tell: async (workerId, graceMs) => {
      told.push(`${workerId} ${graceMs}`);
      if (state.isAway) throw new Error('away');
    },
  });
  return { log, state, told, removals };
}

describe('PodRemovals', () => {
  it('I1: tells again what could not be told, and logs that once', async () => {
    const { log, state, told, removals } = open();
    expect(await removals.remove('w-1', 500)).toBe(false);
    await removals.retry();
    expect([removals.open, log.records.length]).toEqual([['w-1'], 1]);
    state.isAway = false;
    await removals.retry();
    await removals.retry();
    expect([removals.open, told]).toEqual([[], ['w-1 500', 'w-1 500', 'w-1 500']]);
    expect(await removals.remove('w-2', 0)).toBe(true);
  });

  it('I2: tries one at a time while nobody answers', async () => {
    const { state, told, removals } = open();
    for (const workerId of ['w-1', 'w-2', 'w-3']) await removals.remove(workerId, 0);
    told.length = 0;
    await removals.retry();
    expect(told).toEqual(['w-1 0']);
    state.isAway = false;
    await removals.retry();
    expect([told.length, removals.open]).toEqual([4, []]);
  });

  it('forgets those beyond a thousand', async () => {
    const { removals } = open();
    for (let count = 0; count < 1_001; count += 1) await removals.remove(`w-${count}`, 0);
    expect(removals.open).toHaveLength(1_000);
  });
});
