import { silentMeter } from '@switchyard/kernel';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimulatedRuntime } from '../testing/simulated-runtime.ts';
import type { AppScale } from './app-policy.ts';
import { createScaleLoop, type ScaleLoopDeps } from './scale-loop.ts';

function open(scale: AppScale = {}, more: Partial<ScaleLoopDeps> = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const runtime = new SimulatedRuntime(clock);
  const announced: number[] = [];
  const deps = { clock, log, meter: silentMeter, runtime, scaleOf: () => scale };
  const loop = createScaleLoop({ ...deps, announce: (_, count) => announced.push(count), ...more });
  const shop = runtime.add('shop');
  return { clock, log, runtime, loop, shop, announced };
}

const second = 1_000;
const minute = 60 * second;

describe('createScaleLoop', () => {
  it('answers a burst at once, keeps what it has while that may come again, and ends at zero', async () => {
    const { clock, shop, loop, announced } = open({ maximum: 40, stabilizationSeconds: 60 });
    shop.active = 200;
    await clock.advance(500);
    // 200 at once, 10 for each worker, 70 % of them busy.
    expect([shop.wanted, shop.ready]).toEqual([20, 20]);
    shop.active = 0;
    const seen: number[] = [];
    for (let step = 0; step < 700; step += 1) {
      await clock.advance(second);
      if (shop.wanted !== seen.at(-1)) seen.push(shop.wanted);
    }
    // What was smoothed of the burst counts for the first window, and for no other.
    expect(seen).toEqual([20, 6, 1, 0]);
    expect(announced.reduce((sum, count) => sum + count, 0)).toBe(20);
    expect(loop.changesOf('shop').map(({ from, to, rule }) => `${from} ${to} ${rule}`)).toEqual([
      '1 0 idle',
      '6 1 low-load',
      '20 6 low-load',
      expect.stringMatching(/^\d+ 20 burst$/),
    ]);
  });

  it('I1: goes on after a look that failed', async () => {
    const { clock, runtime, shop, log } = open();
    runtime.failure = new Error('the Runtime is away');
    await clock.advance(second);
    runtime.failure = undefined;
    shop.active = 30;
    await clock.advance(second);
    expect(shop.wanted).toBeGreaterThan(1);
    expect(log.withMessage('A look at what is to be scaled failed').length).toBe(5);
  });

  it('I2: tells a number once, and limits when they change', async () => {
    const scale: { perWorkerLimit?: number } = {};
    const { clock, runtime, shop } = open(scale);
    shop.active = 5;
    await clock.advance(10 * second);
    // What has woken it may be the first of many.
    const woken = { count: 1, standing: 0, perWorker: 10, isSoft: true };
    expect(runtime.wishes.map(({ wish }) => wish)).toEqual([woken, { count: 1, standing: 0 }]);
    scale.perWorkerLimit = 8;
    await clock.advance(10 * second);
    expect(runtime.wishes.slice(2).map(({ wish }) => wish)).toEqual([{ count: 1, standing: 0, perWorker: 8 }]);
    expect(shop.perWorker).toBe(8);
  });

  it('I3: shares a quota among the apps of a tenant, and leaves other tenants alone', async () => {
    const { clock, runtime, shop } = open({ maximum: 50 }, { quotaOf: (id) => (id === 'contoso' ? 12 : undefined) });
    const blog = runtime.add('blog');
    const other = runtime.add('other', 'fabrikam');
    for (const app of [shop, blog, other]) app.active = 140;
    await clock.advance(5 * second);
    expect(shop.wanted + blog.wanted).toBe(12);
    expect(other.wanted).toBe(20);
  });

  it('I3: whatever the tenants want and when, none has more than its quota by a decision', async () => {
    const demand = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 400 })), {
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(demand, fc.integer({ min: 4, max: 20 }), async (steps, quota) => {
        const { clock, runtime, loop, shop } = open({ maximum: 50 }, { quotaOf: () => quota });
        const apps = [shop, runtime.add('b'), runtime.add('c'), runtime.add('d')];
        for (const [index, active] of steps) {
          const app = apps[index];
          if (app !== undefined) app.active = active;
          await clock.advance(500);
          // Each app with work keeps one worker, whatever the quota.
          expect(apps.reduce((sum, { wanted }) => sum + wanted, 0)).toBeLessThanOrEqual(quota);
        }
        loop.close();
      }),
      { numRuns: 40 },
    );
  });

  it('I4: forgets what sleeps, and what is gone', async () => {
    const { clock, shop, runtime, loop } = open();
    shop.active = 60;
    await clock.advance(second);
    expect(loop.explain('shop')[0]?.decision.rule).toBe('steady');
    shop.active = 0;
    shop.wanted = 0;
    await clock.advance(second);
    expect(loop.explain('shop')).toMatchObject([{ decision: { rule: 'none', target: 0 } }]);
    expect(loop.changesOf('shop')).toHaveLength(1);
    loop.forget('shop');
    runtime.apps.clear();
    expect([loop.changesOf('shop'), loop.explain('shop')]).toEqual([[], []]);
  });

  it('I5: does nothing after its end', async () => {
    const { clock, runtime, shop, loop } = open();
    loop.close();
    shop.active = 100;
    loop.tick();
    await clock.advance(minute);
    expect([runtime.wishes, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('keeps workers of apps that are always ready, also when they sleep', async () => {
    const { clock, shop } = open({ alwaysReady: 2 }, { keepers: () => ['shop'] });
    await clock.advance(second);
    expect([shop.wanted, shop.standing]).toEqual([2, 2]);
    await clock.advance(20 * minute);
    expect(shop.wanted).toBe(2);
  });

  it('obeys host.json, and the owner before it', async () => {
    const workerModel = { minWorkersPerRuntime: 2, maxWorkersPerRuntime: 4, workerAffinityMode: 'none' } as const;
    const { clock, shop } = open();
    shop.more = { workerModel };
    shop.active = 1;
    await clock.advance(second);
    expect(shop.wanted).toBe(2);
    shop.active = 500;
    await clock.advance(second);
    expect(shop.wanted).toBe(4);
    const owner = open({ maximum: 3 });
    owner.shop.more = { workerModel };
    owner.shop.active = 500;
    await owner.clock.advance(second);
    expect(owner.shop.wanted).toBe(3);
  });

  it('lets what waits outside wake an app, and gives each version its part', async () => {
    const sources = [{ functionName: 'work', messageCount: 1_000, oldestMs: 10 }];
    const { clock, shop, runtime, loop } = open({}, { keepers: () => ['shop'], sourcesOf: () => sources });
    const canary = runtime.add('shop', 'contoso', 'c2');
    const standby = runtime.add('shop', 'contoso', 'c3');
    [shop.weight, canary.weight, standby.weight] = [75, 25, 0];
    await clock.advance(200);
    expect([shop.wanted, canary.wanted, standby.wanted]).toEqual([1, 1, 0]);
    expect(loop.explain('shop').map(({ signals }) => signals.sources[0]?.messageCount)).toEqual([750, 250, undefined]);
    expect(loop.changesOf('shop').map(({ rule }) => rule)).toEqual(['queue-length', 'queue-length']);
  });

  it('leaves a paused app, and everything while another controller decides', async () => {
    const paused = open({ paused: true });
    paused.shop.active = 100;
    await paused.clock.advance(second);
    expect(paused.runtime.wishes).toEqual([]);
    const other = open({}, { mayDecide: () => false });
    other.shop.active = 100;
    await other.clock.advance(second);
    expect(other.runtime.wishes).toEqual([]);
  });

  it('a new controller takes over what it finds and changes nothing of it', async () => {
    const { clock, runtime, shop, loop, log } = open({ maximum: 40 });
    shop.active = 140;
    await clock.advance(second);
    loop.close();
    const before = [shop.wanted, runtime.wishes.length];
    createScaleLoop({ clock, log, meter: silentMeter, runtime, scaleOf: () => ({ maximum: 40 }) });
    await clock.advance(minute);
    // The first look tells the limits anew.
    expect([shop.wanted, runtime.wishes.length - 1]).toEqual(before);
  });

  it('I6: keeps a burst for the workers that come, as long as they may come', async () => {
    const { clock, runtime, shop } = open({ maximum: 20 });
    runtime.startMs = 1_000;
    shop.active = 100;
    await clock.advance(400);
    expect([shop.wanted, shop.perWorker]).toEqual([15, 10]);
    await clock.advance(1_200);
    expect([shop.ready, shop.perWorker]).toEqual([15, undefined]);
    // Workers that do not come in time, and those that fail, keep nothing back.
    const slow = open({ maximum: 20 });
    slow.runtime.startMs = 60_000;
    slow.shop.active = 100;
    await slow.clock.advance(4_000);
    expect(slow.shop.perWorker).toBe(10);
    await slow.clock.advance(2_000);
    expect(slow.shop.perWorker).toBeUndefined();
    const failing = open({ maximum: 20 });
    failing.runtime.startMs = 60_000;
    failing.shop.active = 100;
    await failing.clock.advance(1_000);
    failing.shop.more = { startFailureCount: 1 };
    await failing.clock.advance(400);
    expect(failing.shop.perWorker).toBeUndefined();
  });

  it('I6: keeps a burst also that comes behind the call that wakes the app', async () => {
    const { clock, runtime, shop } = open({ maximum: 20 });
    runtime.startMs = 20;
    await clock.advance(210);
    shop.active = 1;
    runtime.wake(shop.definition);
    await clock.advance(1);
    expect([shop.ready, shop.perWorker]).toEqual([0, 10]);
    shop.active = 100;
    await clock.advance(30);
    expect([shop.ready, shop.wanted, shop.perWorker]).toEqual([1, 1, 10]);
    await clock.advance(25);
    expect([shop.wanted, shop.perWorker]).toEqual([15, 10]);
    await clock.advance(400);
    expect([shop.ready, shop.perWorker]).toEqual([15, undefined]);
  });

  it('I6: what its owner said of the limit holds all the time, and small bursts are no matter', async () => {
    const { clock, runtime, shop } = open({ maximum: 20, perWorkerLimit: 4 });
    runtime.startMs = 1_000;
    shop.active = 100;
    await clock.advance(400);
    expect(shop.perWorker).toBe(4);
    await clock.advance(60_000);
    expect(shop.perWorker).toBe(4);
    const small = open();
    small.shop.active = 20;
    await small.clock.advance(400);
    expect([small.shop.wanted, small.shop.perWorker]).toEqual([3, undefined]);
  });

  it('I1: looks sooner for a while when an app was woken', async () => {
    const { clock, runtime, shop, loop } = open({ maximum: 20 });
    await clock.advance(210);
    shop.active = 100;
    runtime.wake(shop.definition);
    await clock.advance(25);
    expect(shop.wanted).toBe(15);
    const looks = runtime.looks;
    await clock.advance(2_000);
    // Some 12 in the first 300 ms, and 9 afterwards.
    expect(runtime.looks - looks).toBeLessThan(25);
    loop.close();
    runtime.wake(shop.definition);
    expect(clock.pendingTimers).toBe(0);
  });
});
