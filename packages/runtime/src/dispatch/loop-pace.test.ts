import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { LoopPace, type Pace } from './loop-pace.ts';

/** An event loop that is as busy as the calls that are started make it. */
function createRun({ busyShare = 0.5, costMs = 0.2 } = {}) {
  const clock = new VirtualClock();
  const loop = { workMs: 0, askedAtMs: 0, elseBusy: 0, nowMs: 0, spentMs: 0 };
  const meter = {
    utilization(): number {
      const passedMs = Math.max(clock.monotonic() - loop.askedAtMs, 0.001);
      const utilization = Math.min(1, loop.workMs / passedMs + loop.elseBusy);
      loop.workMs = 0;
      loop.askedAtMs = clock.monotonic();
      return utilization;
    },
  };
  const pace = new LoopPace(clock, meter, { busyShare, contentionMs: 1_000 });
  /** Starts what may be started of so many wishes; returns how many that were. */
  const start = (who: Pace, wishes: number): number => {
    if (loop.nowMs !== clock.monotonic()) loop.spentMs = 0;
    loop.nowMs = clock.monotonic();
    let started = 0;
    // The loop does no more than a millisecond's work in a millisecond.
    while (started < wishes && loop.spentMs < 1 && who.mayStart()) {
      who.started();
      started += 1;
      loop.workMs += costMs;
      loop.spentMs += costMs;
    }
    return started;
  };
  return { clock, loop, pace, start };
}

/** A flood for so many milliseconds, beside one call of another tenant every ten. Returns what either has started. */
async function flood(run: ReturnType<typeof createRun>, lengthMs: number, pauseMs = 10) {
  const [loud, quiet] = [run.pace.join(), run.pace.join()];
  const started = { loud: 0, quiet: 0, missed: 0 };
  for (let ms = 0; ms < lengthMs; ms += 1) {
    if (ms % pauseMs === 0) {
      const done = run.start(quiet, 1);
      started.quiet += done;
      started.missed += 1 - done;
    }
    started.loud += run.start(loud, 100);
    await run.clock.advance(1);
  }
  return started;
}

describe('LoopPace', () => {
  test('I1, I3: beside a flood, half of the loop stays free, and the quiet tenant never waits', async () => {
    const { loud, quiet, missed } = await flood(createRun(), 4_000);
    expect({ quiet, missed }).toEqual({ quiet: 400, missed: 0 });
    // Five calls fill a millisecond: half of it is 2.5, and the rate moves around that.
    expect(loud / 4_000).toBeGreaterThan(1.8);
    expect(loud / 4_000).toBeLessThan(3.2);
  });

  test('I3: what it costs the flood follows the setting, and all of the loop is no limit', async () => {
    const [little, half, all] = await Promise.all(
      [0.25, 0.5, 1].map((busyShare) => flood(createRun({ busyShare }), 4_000)),
    );
    expect(little?.loud).toBeLessThan((half?.loud ?? 0) * 0.7);
    expect(half?.loud).toBeLessThan((all?.loud ?? 0) * 0.7);
  });

  test('I1: a tenant that is alone is not paced, nor is it when the others have been away for long', async () => {
    const run = createRun();
    const [loud, quiet] = [run.pace.join(), run.pace.join()];
    run.start(quiet, 1);
    for (let ms = 0; ms < 2_000; ms += 1) {
      run.start(loud, 100);
      await run.clock.advance(1);
    }
    expect(run.start(loud, 5)).toBe(5);
  });

  test('I1: tenants that ask for the same are not paced, however busy the loop is', async () => {
    const run = createRun({ costMs: 0.16 });
    const tenants = [run.pace.join(), run.pace.join(), run.pace.join()];
    for (let ms = 0; ms < 500; ms += 1) {
      for (const tenant of tenants) expect(run.start(tenant, 2)).toBe(2);
      await run.clock.advance(1);
    }
  });

  test('I2: a loop that others keep busy stops nobody', async () => {
    const run = createRun();
    run.loop.elseBusy = 1;
    await flood(run, 1_000);
    const before = await flood(run, 1_000, 20);
    expect(before.loud).toBeGreaterThanOrEqual(190);
    expect(before.quiet).toBe(50);
  });
});
