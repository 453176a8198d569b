import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { IdleWatch } from './idle-watch.ts';

function createRun() {
  const clock = new VirtualClock();
  const state = { quietSinceMs: 0 as number | undefined };
  const idleAt: number[] = [];
  const watch = new IdleWatch(clock, {
    idleMs: 1_000,
    quietSinceMs: () => state.quietSinceMs,
    onIdle: () => idleAt.push(clock.monotonic()),
  });
  return { clock, state, idleAt, watch };
}

describe('IdleWatch', () => {
  test('I1: tells once when nothing has run for the whole time', async () => {
    const { clock, idleAt, watch } = createRun();
    watch.start();
    await clock.advance(10_000);
    expect(idleAt).toEqual([1_000]);
  });

  test('I1: what was quiet before counts only from the start of the watch', async () => {
    const { clock, idleAt, watch } = createRun();
    await clock.advance(5_000);
    watch.start();
    await clock.advance(999);
    expect(idleAt).toEqual([]);
    await clock.advance(1);
    expect(idleAt).toEqual([6_000]);
  });

  test('I1: something that ran meanwhile starts the time anew', async () => {
    const { clock, state, idleAt, watch } = createRun();
    watch.start();
    await clock.advance(600);
    state.quietSinceMs = 600;
    await clock.advance(10_000);
    expect(idleAt).toEqual([1_600]);
  });

  test('I1: while something runs it is never idle', async () => {
    const { clock, state, idleAt, watch } = createRun();
    state.quietSinceMs = undefined;
    watch.start();
    await clock.advance(60_000);
    expect(idleAt).toEqual([]);
    state.quietSinceMs = 60_000;
    await clock.advance(2_000);
    expect(idleAt).toEqual([61_000]);
  });

  test('I2: a second start changes nothing, and a stop ends it', async () => {
    const { clock, idleAt, watch } = createRun();
    watch.start();
    await clock.advance(500);
    watch.start();
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(500);
    expect(idleAt).toEqual([1_000]);
    watch.start();
    watch.stop();
    await clock.advance(10_000);
    expect([idleAt, clock.pendingTimers]).toEqual([[1_000], 0]);
  });
});
