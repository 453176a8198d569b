/** The scale loop and a whole Runtime on virtual time: bursts of any kind, with workers that take time to come and to go. */
import { silentMeter } from '@switchyard/kernel';
import { type AppScale, createScaleLoop, type ScaleLoop } from '@switchyard/scale-controller';
import {
  createMemoryLog,
  createSeededRandom,
  invocationSuccess,
  toRpcFunctionMetadata,
  VirtualClock,
} from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call } from '../../packages/runtime/src/testing/fake-http.ts';
import { createHarness } from '../../packages/runtime/src/testing/runtime-harness.ts';
import { createApplication } from '../../packages/runtime/src/testing/sample-application.ts';
import { createFleet } from '../../packages/runtime/src/testing/sample-fleet.ts';

const definition = { applicationId: 'sample', metadataVersion: '1', codeVersion: '1' } as const;
const index = { functions: [{ name: 'slow' }].map(toRpcFunctionMetadata), useDefaultIndexing: false };
const minuteMs = 60_000;

async function openRun(scale: AppScale, runMs: number, startMs = 80, intervalMs = 200) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const harness = createHarness({ clock, random: createSeededRandom(1), log });
  const { runtime } = harness;
  const fleet = createFleet(harness, clock, {
    startMs,
    worker: () => ({
      onInvocation: () =>
        new Promise((resolve) =>
          clock.schedule(runMs, () =>
            resolve(invocationSuccess({ returnValue: { data: { $case: 'string', value: 'done' } } })),
          ),
        ),
    }),
  });
  const rules = { alwaysReady: 0, idleMs: minuteMs, holdMs: minuteMs };
  await clock.runUntil(runtime.addApplication(createApplication({ definition, index, scale: rules })));
  const deps = { clock, log, meter: silentMeter, runtime, scaleOf: () => scale };
  const loop: ScaleLoop = createScaleLoop(deps, { intervalMs });
  let most = 0;
  const watch = (): void => {
    most = Math.max(most, fleet.alive);
    clock.schedule(intervalMs / 2, watch);
  };
  watch();
  const burst = (count: number) =>
    Promise.all(Array.from({ length: count }, () => call(runtime, '/api/slow').reply.then(({ status }) => status)));
  return { clock, runtime, fleet, loop, burst, most: () => most };
}

/** How often the number of workers has turned from growing to shrinking or back. */
function turnsOf(loop: ScaleLoop): number {
  const ways = loop
    .changesOf('sample')
    .map(({ from, to }) => Math.sign(to - from))
    .reverse();
  return ways.filter((way, at) => at > 0 && way !== ways[at - 1]).length;
}

describe('the scale loop and a Runtime', () => {
  it('0 -> 200 at once -> 0: out to what is needed, back to nothing, no error, at most one turn', async () => {
    const { clock, fleet, loop, burst, most } = await openRun({ maximum: 20, stabilizationSeconds: 60 }, 500);
    const statuses = burst(200);
    expect(await clock.runUntil(statuses)).toEqual(new Array(200).fill(200));
    expect(most()).toBe(20);
    const shares = fleet.workers.map((worker) => worker.bodies('invocationRequest').length);
    // Ten for each, as its target says, but for what was on its way when the last ones came.
    expect(Math.max(...shares)).toBeLessThanOrEqual(20);
    await clock.advance(3 * minuteMs);
    expect(fleet.alive).toBe(0);
    expect(turnsOf(loop)).toBeLessThanOrEqual(1);
  });

  it('steady load is served by a steady number of workers', async () => {
    const { clock, runtime, burst, loop } = await openRun({ maximum: 20 }, 1_000);
    const all: Promise<number[]>[] = [];
    // 30 calls a second that take a second each: three workers' worth.
    for (let second = 0; second < 120; second += 1) {
      all.push(burst(30));
      await clock.advance(1_000);
    }
    const statuses = (await clock.runUntil(Promise.all(all))).flat();
    expect(new Set(statuses)).toEqual(new Set([200]));
    const load = runtime.load('sample')[0];
    expect(load?.readyCount).toBeGreaterThanOrEqual(4);
    expect(load?.readyCount).toBeLessThanOrEqual(8);
    expect(turnsOf(loop)).toBe(0);
  });

  it('whatever comes and when: no error, never more than the maximum, nothing left, and no flapping', async () => {
    const step = fc.record({ count: fc.integer({ min: 0, max: 150 }), waitMs: fc.integer({ min: 0, max: 90_000 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 5, max: 3_000 }),
        fc.integer({ min: 5, max: 2_000 }),
        fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
        async (steps, maximum, runMs, startMs, limit) => {
          const scale: AppScale = { maximum, stabilizationSeconds: 30, ...(limit ? { perWorkerLimit: limit } : {}) };
          const { clock, fleet, loop, burst, most } = await openRun(scale, runMs, startMs, 1_000);
          const all: Promise<number[]>[] = [];
          // What must wait for its turn behind a hard limit must get it before its caller is told that nobody comes.
          const isFeasible = limit === undefined || (150 / (limit * maximum)) * runMs * steps.length < 30_000;
          for (const { count, waitMs } of steps) {
            all.push(burst(isFeasible ? count : Math.min(count, limit ?? count)));
            await clock.advance(isFeasible ? waitMs : Math.max(waitMs, 10_000));
          }
          const statuses = (await clock.runUntil(Promise.all(all))).flat();
          expect(statuses.filter((status) => status !== 200)).toEqual([]);
          // One that drains may still be there when another one comes.
          expect(most()).toBeLessThanOrEqual(2 * maximum);
          expect(turnsOf(loop)).toBeLessThanOrEqual(2 * steps.length);
          await clock.advance(3 * minuteMs);
          expect(fleet.alive).toBe(0);
          loop.close();
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);
});
