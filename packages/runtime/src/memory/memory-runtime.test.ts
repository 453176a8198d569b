/** What a Runtime does that runs short of memory. */
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { call } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';

const functions = [
  { name: 'f' },
  { name: 'heard', bindings: [{ type: 'eventTrigger', direction: 'in' as const, name: 'event' }] },
];

async function createRun(workers = 1) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const heard: number[] = [];
  const use = { now: 0.5 };
  const memory = { memory: { utilization: () => use.now }, onMemoryPressure: (used: number) => heard.push(used) };
  const harness = createHarness({ clock, log, random: createSeededRandom(1), memory });
  const settings = { FUNCTIONS_WORKER_PROCESS_COUNT: String(workers) };
  const added = harness.runtime.addApplication(createApplication({ settings }));
  const fakes = Array.from({ length: workers }, (_, index) => {
    const workerId = `w${index + 1}`;
    return createFakeWorker(harness.dial(workerId), { workerId, functions, onInvocation: () => invocationSuccess() });
  });
  await clock.runUntil(added);
  await clock.settle();
  return { clock, log, heard, use, fakes, settings, ...harness };
}

describe('a Runtime that runs short of memory', () => {
  test('takes no requests and no events, and takes them again when there is room', async () => {
    const { clock, runtime, kinds, use, heard, dial } = await createRun();
    expect((await call(runtime, '/api/f').reply).status).toBe(204);
    use.now = 0.95;
    await clock.advance(10_000);
    const turnedAway = await call(runtime, '/api/f').reply;
    expect([turnedAway.status, turnedAway.headers['Retry-After'] ?? turnedAway.headers['retry-after']]).toEqual([
      503,
      '5',
    ]);
    expect(kinds.listeners.map((listener) => listener.heard)).toEqual([['start', 'drain', 'close']]);
    expect(heard).toEqual([0.95]);
    use.now = 0.6;
    await clock.advance(10_000);
    const { reply } = call(runtime, '/api/f');
    // Its only worker was drained, and is replaced.
    createFakeWorker(dial('w2'), { workerId: 'w2', functions, onInvocation: () => invocationSuccess() });
    expect((await clock.runUntil(reply)).status).toBe(204);
    expect(kinds.listeners.map((listener) => listener.heard)).toEqual([['start', 'drain', 'close'], ['start']]);
    await clock.runUntil(runtime.drain(0));
    expect(clock.pendingTimers).toBe(0);
  });

  test('lets the two oldest workers end, one after the other as they are done, and asks for others', async () => {
    const { clock, runtime, fakes, supply, use } = await createRun(3);
    use.now = 0.95;
    const before = supply.requests.length;
    await clock.advance(10_000);
    expect(fakes.map((worker) => worker.bodies('workerTerminate').length)).toEqual([1, 1, 0]);
    expect(runtime.status()[0]?.workers.find(({ workerId }) => workerId === 'w3')?.state).toBe('ready');
    expect(supply.requests.slice(before)).toContainEqual(expect.objectContaining({ count: 3, reason: 'replace' }));
    await clock.runUntil(runtime.drain(0));
  });

  test('lets an app that comes meanwhile not listen before there is room', async () => {
    const { clock, runtime, kinds, dial, use, settings } = await createRun();
    use.now = 0.95;
    await clock.advance(10_000);
    const definition = { applicationId: 'late', metadataVersion: 'm1', codeVersion: 'c1' };
    const added = runtime.addApplication(createApplication({ definition, settings }));
    createFakeWorker(dial('w9', definition), { workerId: 'w9', functions });
    await clock.settle();
    expect(kinds.listeners).toHaveLength(1);
    use.now = 0.5;
    await clock.advance(10_000);
    await added;
    expect(kinds.listeners.slice(1).map(({ heard: told }) => told)).toEqual([['start'], ['start']]);
    await clock.runUntil(runtime.drain(0));
  });
});
