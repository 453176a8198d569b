import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdleGaps } from './idle-gaps.ts';

const options = { fixedKeepAliveMs: 60_000, minSamples: 5 };
const minuteMs = 60_000;

function after(gapsMs: readonly number[]): IdleGaps {
  const gaps = new IdleGaps(options);
  let nowMs = 0;
  gaps.use(nowMs);
  for (const gapMs of gapsMs) {
    nowMs += gapMs;
    gaps.use(nowMs);
  }
  return gaps;
}

test('I1: while little is known the fixed time holds', () => {
  expect(after([1, 1, 1]).plan(10)).toEqual({ keepAliveMs: 60_000, preloadAfterMs: undefined });
  const rare = after(Array.from({ length: 9 }, () => 300 * minuteMs));
  expect(rare.plan(10)).toEqual({ keepAliveMs: 60_000, preloadAfterMs: undefined });
});

test('I2: a steady pulse is kept for one pulse', () => {
  expect(after(Array.from({ length: 50 }, () => 10 * minuteMs)).plan(10).keepAliveMs).toBe(11 * minuteMs);
});

test('I3: a rare pulse is loaded again just before it comes', () => {
  const plan = after(Array.from({ length: 50 }, () => 30 * minuteMs)).plan(500);
  expect(plan).toEqual({ keepAliveMs: 31 * minuteMs, preloadAfterMs: 30 * minuteMs - 500 });
});

test('I1, I2, I3: whatever the gaps, the plan stays in its bounds and survives being stored', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 400 * minuteMs }), { maxLength: 60 }),
      fc.nat({ max: 5_000 }),
      (gapsMs, loadMs) => {
        const gaps = after(gapsMs);
        const plan = gaps.plan(loadMs);
        expect(plan.keepAliveMs).toBeGreaterThanOrEqual(minuteMs);
        expect(plan.keepAliveMs).toBeLessThanOrEqual(240 * minuteMs);
        if (plan.preloadAfterMs !== undefined) expect(plan.preloadAfterMs + loadMs).toBeLessThan(plan.keepAliveMs);
        expect(new IdleGaps(options, gaps.save()).plan(loadMs)).toEqual(plan);
      },
    ),
  );
});
