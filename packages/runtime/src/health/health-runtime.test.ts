/** What apps notice of a process that is short of something. */
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

async function createRun(hostJson: Record<string, unknown>, keys?: { levelOf: () => undefined }) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const used = { memory: 0.5, loop: 0.5 };
  const vitals = () => [
    { name: 'memory', used: used.memory, isLoad: false },
    { name: 'event loop', used: used.loop, isLoad: true },
  ];
  const harness = createHarness({ clock, log, random: createSeededRandom(1), vitals });
  const given = { hostJson: { version: '2.0', ...hostJson }, ...(keys === undefined ? {} : { keys }) };
  const added = harness.runtime.addApplication(createApplication(given));
  createFakeWorker(harness.dial('w1'), { workerId: 'w1', functions, onInvocation: () => invocationSuccess() });
  await clock.runUntil(added);
  await clock.settle();
  const statusOf = async (path: string) => (await call(harness.runtime, path).reply).status;
  const read = async (path: string) => JSON.parse((await call(harness.runtime, path).reply).body);
  return { clock, log, used, statusOf, read, ...harness };
}

describe('healthMonitor', () => {
  const soon = { healthCheckInterval: '00:00:01', healthCheckWindow: '00:00:10', healthCheckThreshold: 2 };

  test('an app is unhealthy once its window is over the threshold: probes hear it, and listeners take nothing new', async () => {
    const { clock, log, used, statusOf, read, runtime, kinds } = await createRun({ healthMonitor: soon });
    used.memory = 0.9;
    await clock.advance(2_000);
    expect([await statusOf('/runtime/health/ready'), await statusOf('/admin/host/ping')]).toEqual([200, 200]);
    // What is short at this moment is what the ping tells, as the official host does.
    expect(await statusOf('/admin/host/ping?checkHealth=1')).toBe(429);
    await clock.advance(1_000);
    expect([await statusOf('/runtime/health/ready'), await statusOf('/runtime/health')]).toEqual([500, 500]);
    expect(await statusOf('/runtime/health/live')).toBe(200);
    expect((await read('/runtime/health')).details).toMatchObject({
      short: 'memory 90 %',
      vitals: [{ name: 'memory', used: 0.9 }, { name: 'event loop' }],
    });
    expect((await read('/admin/host/status')).errors).toEqual(['The host is unhealthy: memory 90 %.']);
    expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start', 'drain', 'close']]);
    // Callers who have nobody else are served, and workers stay.
    expect(await statusOf('/api/f')).toBe(204);
    expect(runtime.status()[0]?.workers.map(({ state }) => state)).toEqual(['ready']);
    used.memory = 0.1;
    await clock.advance(10_000);
    expect([await statusOf('/runtime/health/ready'), await statusOf('/admin/host/ping?checkHealth=1')]).toEqual([
      200, 200,
    ]);
    expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start', 'drain', 'close'], ['start']]);
    const told = log.records.filter(({ message }) => message.includes('host is'));
    expect(told.map(({ level }) => level)).toEqual(['error', 'information']);
    await clock.runUntil(runtime.drain(0));
    expect(clock.pendingTimers).toBe(0);
  });

  test('counterThreshold is the app’s own, and load alone makes nobody unhealthy', async () => {
    const { clock, used, statusOf } = await createRun({ healthMonitor: { ...soon, counterThreshold: 0.95 } });
    Object.assign(used, { memory: 0.94, loop: 1 });
    await clock.advance(10_000);
    expect(await statusOf('/runtime/health/ready')).toBe(200);
    used.memory = 0.96;
    await clock.advance(3_000);
    expect(await statusOf('/runtime/health/ready')).toBe(500);
  });

  test('an app without it notices nothing', async () => {
    const { clock, used, statusOf, kinds } = await createRun({ healthMonitor: { ...soon, enabled: false } });
    used.memory = 1;
    await clock.advance(60_000);
    expect([await statusOf('/runtime/health/ready'), await statusOf('/admin/host/ping?checkHealth=1')]).toEqual([
      200, 200,
    ]);
    expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start']]);
  });

  test('strangers learn the word alone', async () => {
    const { read } = await createRun({}, { levelOf: () => undefined });
    expect(await read('/runtime/health')).toEqual({ status: 'healthy' });
  });
});

describe('dynamicThrottlesEnabled', () => {
  const extensions = { http: { dynamicThrottlesEnabled: true } };

  test.each<'memory' | 'loop'>(['memory', 'loop'])(
    'turns requests away while the %s is over the threshold',
    async (vital) => {
      const { clock, used, runtime, statusOf } = await createRun({ extensions });
      expect(await statusOf('/api/f')).toBe(204);
      used[vital] = 0.81;
      await clock.advance(1_000);
      const { status, headers, body } = await call(runtime, '/api/f').reply;
      expect([status, headers['x-function-scaleout'], headers['Retry-After'] ?? headers['retry-after'], body]).toEqual([
        429,
        '1',
        '1',
        '',
      ]);
      expect(await statusOf('/admin/host/ping')).toBe(200);
      used[vital] = 0.8;
      await clock.advance(1_000);
      expect(await statusOf('/api/f')).toBe(204);
    },
  );

  test('an app that does not want it is served', async () => {
    const { clock, used, statusOf } = await createRun({});
    Object.assign(used, { memory: 1, loop: 1 });
    await clock.advance(1_000);
    expect(await statusOf('/api/f')).toBe(204);
  });
});
