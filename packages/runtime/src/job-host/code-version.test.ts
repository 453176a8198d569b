import type { RpcFunctionMetadata } from '@switchyard/protocol';
import {
  createMemoryLog,
  createSeededRandom,
  type FakeFunction,
  type FakeWorkerOptions,
  invocationSuccess,
  toRpcFunctionMetadata,
  VirtualClock,
} from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultLimits, type RuntimeLimits } from '../limits.ts';
import { call, type FakeCall } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';
import { createFleet } from '../testing/sample-fleet.ts';
import { sampleDefinition } from '../testing/sample-worker.ts';

const functions: readonly FakeFunction[] = [
  { name: 'hello' },
  { name: 'heard', bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] },
];

const storedFunctions: readonly RpcFunctionMetadata[] = functions.map(toRpcFunctionMetadata);

const index = { functions: storedFunctions, useDefaultIndexing: false } as const;

const answer = invocationSuccess({ returnValue: { data: { $case: 'string', value: 'here' } } } as const);

interface Given {
  readonly limits?: Partial<RuntimeLimits>;
  readonly startMs?: number;
  readonly exitMs?: number;
  readonly onInvocation?: FakeWorkerOptions['onInvocation'];
  readonly capabilities?: Readonly<Record<string, string>>;
}

/** A Runtime with a supply that does what it is asked for. */
function createRun(given: Given = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const options = { limits: { ...defaultLimits, ...given.limits } };
  const harness = createHarness({ clock, random: createSeededRandom(1), log, options });
  const { onInvocation = () => answer, capabilities } = given;
  const worker = { functions, onInvocation, ...(capabilities === undefined ? {} : { capabilities }) };
  const fleet = createFleet(harness, clock, { ...given, worker: () => worker });
  const listen = () => {
    const listener = harness.kinds.listeners[0];
    if (listener === undefined) throw new Error('nothing listens');
    return listener.context.invoke({
      data: { data: { $case: 'string', value: 'x' } },
      metadata: new Map(),
      reason: 'test',
    });
  };
  const versionOf = () => harness.runtime.status()[0]?.versions[0];
  return { clock, log, fleet, listen, versionOf, ...harness };
}

const sleeping = (scale: { readonly idleMs?: number; readonly holdMs?: number } = {}) =>
  createApplication({ index, scale: { alwaysReady: 0, idleMs: 1_000, ...scale } });

describe('CodeVersion', () => {
  test('I1: a request wakes a sleeping app, and the supply is asked once', async () => {
    const { clock, runtime, supply, fleet, versionOf } = createRun();
    expect(await runtime.addApplication(sleeping())).toMatchObject({ state: 'dormant', workers: [] });
    expect(supply.requests).toEqual([]);
    const calls = [1, 2, 3].map(() => call(runtime, '/api/hello'));
    expect(supply.requests).toEqual([
      { application: sampleDefinition, count: 1, urgency: 'urgent', reason: 'activate' },
    ]);
    expect(versionOf()).toMatchObject({ state: 'starting', invocations: 3 });
    const replies = await clock.runUntil(Promise.all(calls.map(({ reply }) => reply)));
    expect(replies.map(({ status, body }) => [status, body])).toEqual(Array(3).fill([200, 'here']));
    expect(versionOf()).toMatchObject({ state: 'active', invocations: 0 });
    expect(fleet.workers).toHaveLength(1);
  });

  test('I1: a start that somebody waits for is not given up because nothing has run for long', async () => {
    const { clock, runtime, fleet } = createRun({ startMs: 5_000 });
    const first = runtime.addApplication(sleeping(), { standby: true, start: true });
    runtime.scaleTo(sampleDefinition, { count: 0 });
    expect(await clock.runUntil(first)).toMatchObject({ state: 'active' });
    await clock.advance(60_000);
    expect(runtime.status()[0]?.workers).toEqual([]);
    const again = runtime.addApplication(sleeping(), { standby: true, start: true });
    await clock.advance(1_000);
    runtime.scaleTo(sampleDefinition, { count: 0 });
    expect(await clock.runUntil(again)).toMatchObject({ state: 'active' });
    expect(fleet.workers).toHaveLength(2);
  });

  test('I1: an event of a listener wakes it as well', async () => {
    const { clock, runtime, listen, kinds } = createRun();
    await runtime.addApplication(sleeping());
    expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start']]);
    expect(await clock.runUntil(listen())).toMatchObject({ kind: 'succeeded' });
  });

  test('I1: a body stays on the wire until there is a worker, and is read then', async () => {
    const bodies: unknown[] = [];
    const { clock, runtime } = createRun({
      onInvocation: ({ inputData }) => {
        const { rpcData } = inputData[0] ?? {};
        const http = rpcData?.$case === 'data' ? rpcData.value.data : undefined;
        const body = http?.$case === 'http' ? http.value.body?.data : undefined;
        bodies.push(body?.$case === 'bytes' ? Buffer.from(body.value).toString() : body);
        return answer;
      },
    });
    await runtime.addApplication(sleeping());
    const { reply } = call(runtime, '/api/hello', { method: 'POST', body: 'text' });
    expect(await clock.runUntil(reply)).toMatchObject({ status: 200 });
    expect(bodies).toEqual(['text']);
  });

  test('I1: beyond the limit of waiting requests, with and without a body, callers get 503 and when to come back', async () => {
    const { clock, runtime } = createRun({ limits: { heldPerApplication: 2 } });
    await runtime.addApplication(sleeping());
    const bodies = [1, 2, 3].map(() => call(runtime, '/api/hello', { method: 'POST', body: 'x' }));
    const plain = [1, 2, 3].map(() => call(runtime, '/api/hello'));
    const refused = await Promise.all([bodies[2], plain[2]].map((one) => one?.reply));
    expect(refused.map((one) => [one?.status, one?.headers['retry-after']])).toEqual([
      [503, '5'],
      [503, '5'],
    ]);
    const rest = [bodies[0], bodies[1], plain[0], plain[1]].map((one) => one?.reply);
    const replies = await clock.runUntil(Promise.all(rest));
    expect(replies.map((one) => one?.status)).toEqual([200, 200, 200, 200]);
  });

  test('I1: what waits longer than holdMs gets 503 and when to come back', async () => {
    const { clock, runtime } = createRun({ startMs: 10_000 });
    await runtime.addApplication(sleeping({ holdMs: 2_000 }));
    const calls = [call(runtime, '/api/hello'), call(runtime, '/api/hello', { method: 'POST', body: 'x' })];
    await clock.advance(2_000);
    const replies = await Promise.all(calls.map(({ reply }) => reply));
    expect(replies.map(({ status, headers }) => [status, headers['retry-after']])).toEqual([
      [503, '5'],
      [503, '5'],
    ]);
  });

  test('I1: a caller that leaves while its request waits is forgotten', async () => {
    const { clock, runtime, fleet, versionOf } = createRun();
    await runtime.addApplication(sleeping());
    const calls = [call(runtime, '/api/hello'), call(runtime, '/api/hello', { method: 'POST', body: 'x' })];
    for (const one of calls) one.abort();
    await clock.advance(500);
    expect(versionOf()).toMatchObject({ invocations: 0 });
    expect(fleet.workers.flatMap((worker) => worker.bodies('invocationRequest'))).toEqual([]);
  });

  test('I2: an idle worker is told to end and given back, and the next request wakes the app again', async () => {
    const { clock, runtime, supply, fleet, versionOf } = createRun();
    await runtime.addApplication(sleeping());
    await clock.runUntil(call(runtime, '/api/hello').reply);
    await clock.advance(999);
    expect(versionOf()?.state).toBe('active');
    await clock.advance(1);
    expect(runtime.status()).toMatchObject([{ state: 'dormant' }]);
    await clock.advance(100);
    expect(fleet.workers[0]?.bodies('workerTerminate')).toHaveLength(1);
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'idle' }]);
    expect([fleet.alive, fleet.wishOf(sampleDefinition), versionOf()?.workers]).toEqual([0, 0, []]);
    expect((await clock.runUntil(call(runtime, '/api/hello').reply)).status).toBe(200);
    expect(fleet.workers).toHaveLength(2);
  });

  test('I2: neither what runs nor what only just ended lets a worker go', async () => {
    const waiting: (() => void)[] = [];
    const { clock, runtime, fleet } = createRun({
      onInvocation: () => new Promise((resolve) => waiting.push(() => resolve(answer))),
    });
    await runtime.addApplication(sleeping());
    const { reply } = call(runtime, '/api/hello');
    await clock.advance(5_000);
    waiting[0]?.();
    await reply;
    await clock.advance(900);
    expect(fleet.alive).toBe(1);
    await clock.advance(200);
    expect(fleet.alive).toBe(0);
  });

  test('I2: workers that the app keeps stay, those beyond them go', async () => {
    const { clock, runtime, fleet, versionOf } = createRun();
    const settings = { FUNCTIONS_WORKER_PROCESS_COUNT: '3' };
    const added = runtime.addApplication(
      createApplication({ index, settings, scale: { alwaysReady: 1, idleMs: 1_000 } }),
    );
    expect(await clock.runUntil(added)).toMatchObject({ state: 'active' });
    expect(fleet.alive).toBe(1);
    fleet.workers[0]?.crash();
    await clock.settle();
    const { reply } = call(runtime, '/api/hello');
    expect(fleet.wishOf(sampleDefinition)).toBe(3);
    expect((await clock.runUntil(reply)).status).toBe(200);
    await clock.advance(3_000);
    expect(versionOf()).toMatchObject({ state: 'active' });
    expect(fleet.wishOf(sampleDefinition)).toBe(1);
    expect(versionOf()?.workers.filter(({ state }) => state === 'ready')).toHaveLength(1);
  });

  test('I2: maximum bounds what the settings ask for', async () => {
    const { clock, runtime, fleet } = createRun();
    const settings = { FUNCTIONS_WORKER_PROCESS_COUNT: '5' };
    await runtime.addApplication(
      createApplication({ index, settings, scale: { alwaysReady: 0, idleMs: 1_000, maximum: 2 } }),
    );
    await clock.runUntil(call(runtime, '/api/hello').reply);
    expect(fleet.wishOf(sampleDefinition)).toBe(2);
  });

  test('I3: a failed start answers at once, and the next request tries again', async () => {
    const { clock, runtime, fleet, versionOf } = createRun();
    await runtime.addApplication(sleeping());
    fleet.failures = 1;
    const failed = call(runtime, '/api/hello').reply;
    const withBody = call(runtime, '/api/hello', { method: 'POST', body: 'x' }).reply;
    await clock.advance(50);
    expect((await failed).status).toBe(503);
    expect((await failed).headers['retry-after']).toBe('5');
    expect((await withBody).status).toBe(503);
    expect(versionOf()).toMatchObject({ error: expect.stringContaining('exit code 1') });
    expect(fleet.wishOf(sampleDefinition)).toBe(0);
    expect((await clock.runUntil(call(runtime, '/api/hello').reply)).status).toBe(200);
    expect(versionOf()?.error).toBeUndefined();
  });

  test('I3: an app that is added with a start rejects when its worker does not come up, and sleeps on', async () => {
    const { clock, runtime, fleet } = createRun();
    fleet.failures = 1;
    const added = runtime.addApplication(sleeping(), { start: true });
    await expect(clock.runUntil(added)).rejects.toMatchObject({ code: 'WORKER_EXITED' });
    expect(runtime.status()).toMatchObject([{ state: 'dormant' }]);
    expect(await runtime.addApplication(sleeping())).toMatchObject({ state: 'dormant' });
    const both = [1, 2].map(() => runtime.addApplication(sleeping(), { start: true }));
    expect(await clock.runUntil(Promise.all(both))).toMatchObject([{ state: 'active' }, { state: 'active' }]);
    expect(fleet.workers).toHaveLength(1);
  });

  test('I4: a version that is taken out ends what it runs first, or at its deadline', async () => {
    const waiting: (() => void)[] = [];
    const { clock, runtime, fleet } = createRun({
      onInvocation: () => new Promise((resolve) => waiting.push(() => resolve(answer))),
    });
    const green = { ...sampleDefinition, codeVersion: '2' };
    const shares = [{ metadataVersion: '1', codeVersion: '2', weight: 100 }];
    await runtime.addApplication(sleeping());
    await runtime.addApplication({ ...sleeping(), definition: green });
    const [first, second] = [call(runtime, '/api/hello').reply, call(runtime, '/api/hello').reply];
    await clock.advance(100);
    await runtime.setTraffic('sample', shares);
    const removed = runtime.removeVersion(sampleDefinition, 5_000);
    waiting[0]?.();
    expect((await first).status).toBe(200);
    await clock.advance(4_000);
    expect(runtime.status()[0]?.versions[0]).toMatchObject({ state: 'draining', invocations: 1 });
    await clock.advance(1_000);
    expect((await second).status).toBe(500);
    await clock.runUntil(removed);
    await clock.advance(100);
    expect(runtime.status()[0]?.versions).toMatchObject([{ definition: green, weight: 100 }]);
    expect(fleet.alive).toBe(0);
  });

  test('I4: a version that is wanted again before it has ended goes on', async () => {
    const waiting: (() => void)[] = [];
    const { clock, runtime } = createRun({
      onInvocation: () => new Promise((resolve) => waiting.push(() => resolve(answer))),
    });
    const green = { ...sampleDefinition, codeVersion: '2' };
    await runtime.addApplication(sleeping());
    await runtime.addApplication({ ...sleeping(), definition: green });
    const { reply } = call(runtime, '/api/hello');
    await clock.advance(100);
    await runtime.setTraffic('sample', [{ metadataVersion: '1', codeVersion: '2', weight: 100 }]);
    const removed = runtime.removeVersion(sampleDefinition, 60_000);
    expect(await runtime.addApplication(sleeping())).toMatchObject({
      versions: [{ definition: sampleDefinition, weight: 0, state: 'active' }, { definition: green }],
    });
    waiting[0]?.();
    expect((await reply).status).toBe(200);
    await clock.runUntil(removed);
    expect(runtime.status()[0]?.versions).toHaveLength(2);
  });

  test('I1, I2: whatever comes around the moment of release, every request is answered once and the app falls asleep', async () => {
    const arrival = fc.record({
      /** Pauses lie around `idleMs`, and around what a worker takes to end and to come up. */
      pauseMs: fc.oneof(
        fc.integer({ min: 980, max: 1_060 }),
        fc.integer({ min: 0, max: 60 }),
        fc.constantFrom(999, 1_000, 1_001, 1_005, 1_025),
      ),
      kind: fc.constantFrom('get', 'post', 'event', 'abort'),
      runMs: fc.integer({ min: 0, max: 30 }),
    });
    const timing = fc.record({
      startMs: fc.integer({ min: 0, max: 40 }),
      exitMs: fc.integer({ min: 0, max: 60 }),
      endsItself: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(arrival, { minLength: 1, maxLength: 8 }), timing, async (arrivals, given) => {
        let runMs = 0;
        const capabilities = given.endsItself ? { HandlesWorkerTerminateMessage: 'true' } : {};
        const { clock, runtime, fleet, listen, ...run } = createRun({
          ...given,
          capabilities,
          onInvocation: () => new Promise((resolve) => clock.schedule(runMs, () => resolve(answer))),
        });
        await runtime.addApplication(sleeping());
        const outcomes: Promise<unknown>[] = [];
        const statusOf = ({ reply }: FakeCall): Promise<number> => reply.then(({ status }) => status);
        for (const one of arrivals) {
          await clock.advance(one.pauseMs);
          ({ runMs } = one);
          if (one.kind === 'get') outcomes.push(statusOf(call(runtime, '/api/hello')));
          if (one.kind === 'post') outcomes.push(statusOf(call(runtime, '/api/hello', { method: 'POST', body: 'x' })));
          if (one.kind === 'event') outcomes.push(listen().then(({ kind }) => (kind === 'succeeded' ? 200 : kind)));
          if (one.kind === 'abort') call(runtime, '/api/hello').abort();
        }
        await clock.advance(5_000);
        expect(await Promise.all(outcomes)).toEqual(outcomes.map(() => 200));
        expect(runtime.status()).toMatchObject([{ state: 'dormant', versions: [{ invocations: 0 }] }]);
        expect([fleet.alive, fleet.wishOf(sampleDefinition)]).toEqual([0, 0]);
        expect(run.supply.released.every(({ reason }) => reason === 'idle')).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
