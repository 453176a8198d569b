import { VirtualClock } from '@switchyard/testkit';
import { expect, test } from 'vitest';
import { parseManifest } from '../registry/capability-manifest.ts';
import { Warmth } from './warmth.ts';

const manifest = parseManifest({
  name: 'a',
  version: '1.0.0',
  tier: 2,
  kind: 'thread',
  entry: 'x.mjs',
  estimatedLoadMs: 70,
});

function open() {
  const clock = new VirtualClock();
  const preloads: number[] = [];
  const warmth = new Warmth(
    { clock },
    { fixedKeepAliveMs: 60_000, minSamples: 5, intervalMs: 60_000, preload: () => preloads.push(clock.monotonic()) },
  );
  return { clock, warmth, preloads };
}

test('I1: the load time follows what was measured', () => {
  const { warmth } = open();
  expect(warmth.estimatedLoadMs(manifest)).toBe(70);
  warmth.loaded(manifest, 10);
  expect(warmth.estimatedLoadMs(manifest)).toBe(10);
  for (let index = 0; index < 20; index += 1) warmth.loaded(manifest, 20);
  expect(warmth.estimatedLoadMs(manifest)).toBeCloseTo(20, 0);
});

test('I2: what is used every half hour is loaded ahead once, shortly before', async () => {
  const { clock, warmth, preloads } = open();
  expect(warmth.keepAliveMs(manifest)).toBe(60_000);
  for (let use = 0; use < 10; use += 1) {
    warmth.use(manifest);
    if (use < 9) await clock.advance(30 * 60_000);
  }
  const usedAtMs = clock.monotonic();
  preloads.length = 0;
  await clock.advance(30 * 60_000);
  expect(preloads).toHaveLength(1);
  expect((preloads[0] ?? 0) - usedAtMs).toBeGreaterThan(27 * 60_000);
  expect((preloads[0] ?? 0) - usedAtMs).toBeLessThan(30 * 60_000);
  expect(warmth.keepAliveMs(manifest)).toBe(31 * 60_000);
  warmth.close();
  expect(clock.pendingTimers).toBe(0);
});
