import { silentMeter } from '@switchyard/kernel';
import { rolloutSchema, scaleSchema } from '@switchyard/protocol/control-api';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { openScaleController } from './scale-controller.ts';
import { openSqliteStore } from './store/sqlite-store.ts';
import { SimulatedRuntime } from './testing/simulated-runtime.ts';

const old = 'aaaaaaaaaaaaaaaa';
const fresh = 'bbbbbbbbbbbbbbbb';

function openRun() {
  const clock = new VirtualClock();
  const store = openSqliteStore(':memory:');
  const runtime = new SimulatedRuntime(clock);
  const shop = runtime.add('shop', 'contoso', `${old}.s1`);
  runtime.add('shop', 'contoso', `${fresh}.s1`).weight = 0;
  let traffic = { revision: 1, weights: [{ codeVersion: old, weight: 100 }] };
  let seed = 0;
  const open = () => {
    seed += 1;
    return openScaleController({
      ...{ clock, store, runtime, log: createMemoryLog(clock), meter: silentMeter, random: createSeededRandom(seed) },
      durationClassesMs: [1, 10],
      catalogVersionOf: (version) => version.split('.')[0] ?? '',
      traffic: {
        get: () => traffic,
        set: async (_, { weights, revision }) => {
          traffic = { revision: revision + 1, weights: [...weights] };
          return traffic;
        },
      },
    });
  };
  return { clock, store, runtime, shop, open, traffic: () => traffic };
}

describe('openScaleController', () => {
  it('asks the sources in the background, wakes an app for what waits there, and shows it', async () => {
    const { clock, runtime, shop, open } = openRun();
    runtime.sources.set('shop', [{ functionName: 'work', messageCount: 4, oldestMs: 2_500 }]);
    const controller = await open();
    await clock.advance(3_000);
    expect(shop.wanted).toBe(1);
    const [version] = (await controller.view('shop')).versions;
    expect(version?.signals).toMatchObject({ messages: 4, oldestMessageMs: 2_500 });
    runtime.sources.set('shop', []);
    await clock.advance(3_000);
    expect((await controller.view('shop')).versions[0]?.signals.messages).toBe(0);
    await controller.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('holds a tenant to its quota, also after a restart, and says so', async () => {
    const { clock, shop, open } = openRun();
    const first = await open();
    expect(await first.quota('contoso')).toMatchObject({ revision: 0, quota: {} });
    await first.putQuota('contoso', { workers: 3 }, 0);
    await expect(first.putQuota('contoso', { workers: 9 }, 0)).rejects.toMatchObject({
      message: expect.stringContaining("quota of tenant 'contoso'"),
    });
    await first.close();
    const controller = await open();
    shop.active = 300;
    await clock.advance(12_000);
    expect(shop.wanted).toBe(3);
    expect(await controller.quota('contoso')).toMatchObject({
      quota: { workers: 3 },
      workers: { wanted: 3, ready: 3 },
    });
    expect((await controller.view('shop')).versions[0]).toMatchObject({
      ...{ limits: { tenantAllowance: 3 }, decision: { clamps: expect.arrayContaining(['tenant-quota']) } },
    });
    await controller.close();
  });

  it('shows what it decides and why, as the API wants it', async () => {
    const { clock, shop, open } = openRun();
    const controller = await open();
    shop.active = 300;
    await controller.put('shop', { maximum: 15 }, 0);
    await clock.advance(2_000);
    const view = await controller.view('shop');
    expect(scaleSchema.parse(view)).toEqual(view);
    expect(view).toMatchObject({
      scale: { maximum: 15 },
      versions: [
        {
          codeVersion: old,
          workers: { wanted: 15, ready: 15 },
          limits: { maximum: 15 },
          decision: { target: 15, clamps: ['maximum'], explanation: expect.stringContaining('the most is 15') },
        },
        { codeVersion: fresh, decision: { target: 0, rule: 'none' } },
      ],
      changes: [{ to: 15, rule: 'burst', codeVersion: old }],
    });
    await controller.forget('shop');
    expect(await controller.view('shop')).toMatchObject({ revision: 0, scale: {}, changes: [] });
    await controller.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('of two on one store one decides; the other goes on when that is gone, and kills nothing', async () => {
    const { clock, runtime, shop, open } = openRun();
    const [one, two] = [await open(), await open()];
    shop.active = 100;
    await clock.advance(5_000);
    expect([shop.wanted, runtime.wishes.length]).toEqual([10, expect.any(Number)]);
    const before = shop.wanted;
    await one.close();
    await clock.advance(60_000);
    expect(shop.wanted).toBe(before);
    await two.put('shop', { maximum: 20 }, undefined);
    await clock.advance(20_000);
    expect(shop.wanted).toBe(15);
    await two.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('runs a roll-out from the request of the API to its end', async () => {
    const { clock, open, traffic } = openRun();
    const controller = await open();
    await clock.settle();
    const steps = [
      { weight: 10, holdSeconds: 5 },
      { weight: 100, holdSeconds: 0 },
    ];
    const started = await controller.startRollout('shop', { to: fresh, steps, gate: { minimumCalls: 5 } });
    expect(rolloutSchema.parse(started)).toEqual(started);
    expect(started).toMatchObject({ state: 'running', step: 0, from: old, to: fresh, health: { verdict: 'unknown' } });
    await clock.advance(8_000);
    expect(await controller.rollout('shop')).toMatchObject({ state: 'promoted' });
    expect(traffic().weights).toEqual([{ codeVersion: fresh, weight: 100 }]);
    await expect(controller.changeRollout('shop', 'pause')).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED' });
    await controller.close();
  });
});
