/** Workers that come and go by `scaleTo`, seen from outside: through a whole Runtime. */
import type { ApplicationDefinition } from '@switchyard/model';
import {
  createMemoryLog,
  createSeededRandom,
  type FakeWorker,
  invocationSuccess,
  toRpcFunctionMetadata,
  VirtualClock,
} from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RuntimeApplication } from '../contract.ts';
import { call } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';
import { createFleet } from '../testing/sample-fleet.ts';

const definition: ApplicationDefinition = { applicationId: 'sample', metadataVersion: '1', codeVersion: '1' };
const index = { functions: [{ name: 'slow' }].map(toRpcFunctionMetadata), useDefaultIndexing: false };

/** An app whose function takes `runMs`. */
async function open(runMs = 1_000, given: Pick<Partial<RuntimeApplication>, 'scale' | 'hostJson'> = {}) {
  const clock = new VirtualClock();
  const harness = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog(clock) });
  const { runtime, supply } = harness;
  let most = 0;
  const running = new Map<FakeWorker, number>();
  const fleet = createFleet(harness, clock, {
    worker: () => ({
      onInvocation: (_, worker) => {
        const now = (running.get(worker) ?? 0) + 1;
        running.set(worker, now);
        most = Math.max(most, now);
        return new Promise((resolve) =>
          clock.schedule(runMs, () => {
            running.set(worker, (running.get(worker) ?? 0) - 1);
            resolve(invocationSuccess({ returnValue: { data: { $case: 'string', value: 'done' } } }));
          }),
        );
      },
    }),
  });
  const scale = { alwaysReady: 0, idleMs: 3_600_000 };
  await clock.runUntil(runtime.addApplication(createApplication({ definition, index, scale, ...given })));
  const load = () => runtime.load('sample')[0];
  return { clock, runtime, supply, fleet, load, most: () => most };
}

const statuses = (calls: readonly ReturnType<typeof call>[]) =>
  Promise.all(calls.map(({ reply }) => reply.then(({ status }) => status)));

const callTimes = (runtime: Parameters<typeof call>[0], count: number) =>
  Array.from({ length: count }, () => call(runtime, '/api/slow'));

describe('scaleTo', () => {
  test('brings workers up, which share what comes', async () => {
    const { clock, runtime, fleet, load } = await open();
    expect(runtime.load()).toEqual([]);
    runtime.scaleTo(definition, { count: 3 });
    expect(load()).toMatchObject({ wantedCount: 3, readyCount: 0, startingCount: 3 });
    await clock.advance(100);
    expect(load()).toMatchObject({ wantedCount: 3, readyCount: 3, startingCount: 0, weight: 100 });
    const calls = callTimes(runtime, 30);
    await clock.settle();
    expect(load()?.functions).toMatchObject([{ name: 'slow', activeCount: 30, startedCount: 30 }]);
    expect(await clock.runUntil(statuses(calls))).toEqual(new Array(30).fill(200));
    expect(fleet.workers.map((worker) => worker.bodies('invocationRequest').length)).toEqual([10, 10, 10]);
    expect(load()?.functions).toMatchObject([{ activeCount: 0, endedCount: 30, failedCount: 0 }]);
  });

  test('ends what is too many, the least busy first, once nothing runs on it', async () => {
    const { clock, runtime, fleet, load } = await open(10_000);
    runtime.scaleTo(definition, { count: 3 });
    await clock.advance(100);
    const calls = callTimes(runtime, 2);
    await clock.settle();
    runtime.scaleTo(definition, { count: 1 });
    await clock.advance(100);
    // The idle one is gone, one of the busy ones drains.
    expect([fleet.alive, load()]).toMatchObject([2, { wantedCount: 1, readyCount: 1, drainingCount: 1 }]);
    const later = callTimes(runtime, 4);
    await clock.settle();
    expect(fleet.workers.map((worker) => worker.bodies('invocationRequest').length).sort()).toEqual([0, 1, 5]);
    expect(await clock.runUntil(statuses([...calls, ...later]))).toEqual(new Array(6).fill(200));
    await clock.advance(100);
    expect([fleet.alive, load()]).toMatchObject([1, { wantedCount: 1, readyCount: 1, drainingCount: 0 }]);
  });

  test('takes a draining worker back before another one is started', async () => {
    const { clock, runtime, fleet, load } = await open(10_000);
    runtime.scaleTo(definition, { count: 2 });
    await clock.advance(100);
    const calls = callTimes(runtime, 2);
    await clock.settle();
    runtime.scaleTo(definition, { count: 0 });
    // What runs keeps one of them.
    expect(load()).toMatchObject({ wantedCount: 1, readyCount: 1, drainingCount: 1 });
    const later = callTimes(runtime, 2);
    await clock.settle();
    runtime.scaleTo(definition, { count: 2 });
    expect(load()).toMatchObject({ wantedCount: 2, readyCount: 2, startingCount: 0, drainingCount: 0 });
    expect(await clock.runUntil(statuses([...calls, ...later]))).toEqual([200, 200, 200, 200]);
    expect(fleet.workers).toHaveLength(2);
  });

  test('gives a worker no more at once than it may have; what waits goes to those that come', async () => {
    const { clock, runtime, fleet, load, most } = await open();
    runtime.scaleTo(definition, { count: 1, perWorker: 2 });
    await clock.advance(100);
    const calls = callTimes(runtime, 12);
    await clock.advance(10);
    expect(load()).toMatchObject({ heldCount: 10, blockedCount: 0, refusedCount: 0 });
    runtime.scaleTo(definition, { count: 6, perWorker: 2 });
    await clock.advance(100);
    expect(load()?.heldCount).toBe(0);
    expect(await clock.runUntil(statuses(calls))).toEqual(new Array(12).fill(200));
    expect([most(), fleet.workers.length]).toEqual([2, 6]);
  });

  test('a call that finds nobody while workers are on their way takes nothing back', async () => {
    const { clock, runtime, load } = await open();
    runtime.scaleTo(definition, { count: 5 });
    const calls = callTimes(runtime, 5);
    await clock.advance(500);
    expect(load()).toMatchObject({ wantedCount: 5, readyCount: 5 });
    expect(await clock.runUntil(statuses(calls))).toEqual(new Array(5).fill(200));
  });

  test('counts failed starts until one works, and answers that are errors', async () => {
    const { clock, runtime, fleet, load } = await open();
    fleet.failures = 2;
    runtime.scaleTo(definition, { count: 1, standing: 1 });
    await clock.advance(45);
    expect(load()).toMatchObject({ startFailureCount: 2, readyCount: 0 });
    await clock.advance(500);
    expect(load()).toMatchObject({ startFailureCount: 0, readyCount: 1 });
    const lost = callTimes(runtime, 2);
    await clock.settle();
    fleet.workers.at(-1)?.crash();
    await clock.runUntil(statuses(lost));
    expect(load()?.functions).toMatchObject([{ endedCount: 2, failedCount: 2 }]);
  });

  test('obeys the most that the app was added with, and shows what host.json says', async () => {
    const { clock, runtime, load } = await open(1_000, {
      scale: { alwaysReady: 0, idleMs: 60_000, maximum: 2 },
      hostJson: { version: '2.0', extensions: { workerModel: { maxWorkersPerRuntime: 9 } } },
    });
    runtime.scaleTo(definition, { count: 7 });
    await clock.advance(100);
    expect(load()).toMatchObject({ wantedCount: 2, readyCount: 2, workerModel: { maxWorkersPerRuntime: 9 } });
  });

  test('tells when an app that sleeps is called, once for a burst, and nobody who left', async () => {
    const { clock, runtime } = await open();
    const woken: string[] = [];
    const leave = runtime.watchWakes(({ applicationId }) => woken.push(applicationId));
    const calls = callTimes(runtime, 5);
    await clock.runUntil(statuses(calls));
    expect(woken).toEqual(['sample']);
    leave();
    runtime.scaleTo(definition, { count: 0 });
    await clock.advance(10_000);
    await clock.runUntil(statuses(callTimes(runtime, 1)));
    expect(woken).toEqual(['sample']);
  });

  test('what is not hosted is ignored', async () => {
    const { runtime, supply } = await open();
    const before = supply.requests.length;
    runtime.scaleTo({ ...definition, codeVersion: 'other' }, { count: 3 });
    expect([supply.requests.length, runtime.load('nobody')]).toEqual([before, []]);
  });

  test('loses no invocation, whatever is wanted and when', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('scale'), count: fc.integer({ min: 0, max: 6 }) } as const),
      fc.record({ kind: fc.constant('call'), count: fc.integer({ min: 1, max: 8 }) } as const),
      fc.record({ kind: fc.constant('time'), count: fc.integer({ min: 1, max: 2_000 }) } as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { clock, runtime, fleet, load } = await open();
        const calls: ReturnType<typeof call>[] = [];
        for (const { kind, count } of steps) {
          if (kind === 'scale') runtime.scaleTo(definition, { count });
          else if (kind === 'call') calls.push(...callTimes(runtime, count));
          else await clock.advance(count);
        }
        expect(await clock.runUntil(statuses(calls))).toEqual(calls.map(() => 200));
        runtime.scaleTo(definition, { count: 0 });
        await clock.advance(10_000);
        expect([fleet.alive, load()]).toMatchObject([0, { readyCount: 0, startingCount: 0, drainingCount: 0 }]);
      }),
      { numRuns: 60 },
    );
  });
});
