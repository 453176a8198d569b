import { VirtualClock } from '@switchyard/testkit';
import { expect, test } from 'vitest';
import { parseManifest } from '../registry/capability-manifest.ts';
import { type SavedWarmth, Warmth } from './warmth.ts';

const manifest = parseManifest({
  name: 'a',
  version: '1.0.0',
  tier: 2,
  kind: 'thread',
  entry: 'x.mjs',
  estimatedLoadMs: 70,
});

const shard = 'a:shard-4';
const minuteMs = 60_000;

function open(known: SavedWarmth = { loadMs: {}, gaps: {} }) {
  const clock = new VirtualClock();
  const preloads: number[] = [];
  const places: string[] = [];
  const learned: SavedWarmth[] = [];
  const warmth = new Warmth(
    { clock },
    {
      ...{ fixedKeepAliveMs: minuteMs, minSamples: 5, intervalMs: minuteMs, known },
      preload: (_manifest, place) => {
        preloads.push(clock.monotonic());
        places.push(place);
      },
      remember: (saved) => void learned.push(saved),
    },
  );
  return { clock, warmth, preloads, places, learned };
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
  const { clock, warmth, preloads, places } = open();
  warmth.use(manifest, 'a:shard-1');
  expect(warmth.keepAliveMs(manifest, shard)).toBe(60_000);
  for (let use = 0; use < 10; use += 1) {
    warmth.use(manifest, shard);
    if (use < 9) await clock.advance(30 * 60_000);
  }
  const usedAtMs = clock.monotonic();
  preloads.length = 0;
  await clock.advance(30 * 60_000);
  expect([preloads.length, new Set(places)]).toEqual([1, new Set([shard])]);
  expect((preloads[0] ?? 0) - usedAtMs).toBeGreaterThan(27 * 60_000);
  expect((preloads[0] ?? 0) - usedAtMs).toBeLessThan(30 * 60_000);
  expect(warmth.keepAliveMs(manifest, shard)).toBe(31 * 60_000);
  warmth.close();
  expect(clock.pendingTimers).toBe(0);
});

test('I3: what was learned is handed on while it changes, and goes on after a restart', async () => {
  const first = open();
  for (let use = 0; use < 6; use += 1) {
    first.warmth.use(manifest, shard);
    await first.clock.advance(30 * minuteMs);
  }
  first.warmth.loaded(manifest, 10);
  first.warmth.close();
  const saved = first.learned.at(-1) ?? { loadMs: {}, gaps: {} };
  const handed = first.learned.length;
  expect(handed).toBe(7);
  const second = open(JSON.parse(JSON.stringify(saved)));
  expect(second.warmth.estimatedLoadMs(manifest)).toBe(10);
  expect(second.warmth.keepAliveMs(manifest, shard)).toBe(31 * minuteMs);
  await second.clock.advance(10 * minuteMs);
  expect(second.learned).toEqual([]);
  second.warmth.close();
});
