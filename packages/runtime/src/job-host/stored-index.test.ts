/** What a JobHost with a stored index does. */
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeFunction,
  invocationSuccess,
  toRpcFunctionMetadata,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { RuntimeApplication } from '../contract.ts';
import { call } from '../testing/fake-http.ts';
import { behindSidecar } from '../testing/fake-sidecar.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication, functionFile, sampleProfile } from '../testing/sample-application.ts';

const stored: readonly FakeFunction[] = [
  { name: 'hello', functionId: 'stored-id' },
  { name: 'heard', functionId: 'heard-id', bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] },
];

const index = { functions: stored.map(toRpcFunctionMetadata), useDefaultIndexing: false } as const;

const sleep = { alwaysReady: 0, idleMs: 1_000 } as const;

function createRun() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  return { clock, log, ...createHarness({ clock, random: createSeededRandom(1), log }) };
}

const indexed = (given: Parameters<typeof createApplication>[0] = {}): RuntimeApplication =>
  createApplication({ index, scale: sleep, ...given });

describe('JobHost with a stored index', () => {
  test('knows its functions at once, and workers load them under the stored ids without being asked', async () => {
    const { clock, runtime, supply, dial } = createRun();
    const status = await runtime.addApplication(indexed());
    expect(status).toMatchObject({
      state: 'dormant',
      functions: [{ name: 'heard' }, { name: 'hello', route: { template: 'api/hello' } }],
      versions: [{ weight: 100, state: 'dormant', workers: [] }],
    });
    expect(supply.requests).toEqual([]);
    const { reply } = call(runtime, '/api/hello');
    const worker = createFakeWorker(dial('w1'), { workerId: 'w1', onInvocation: () => invocationSuccess() });
    expect((await clock.runUntil(reply)).status).toBe(204);
    expect(worker.bodies('functionsMetadataRequest')).toEqual([]);
    expect(worker.bodies('functionLoadRequest').map(({ functionId }) => functionId)).toEqual(['heard-id', 'stored-id']);
    expect(worker.bodies('invocationRequest')[0]?.functionId).toBe('stored-id');
  });

  test('a worker that comes by WorkerConnect is matched by name, whatever ids it lists', async () => {
    const { clock, runtime, supply, connect } = createRun();
    await runtime.addApplication(indexed());
    const functions = [
      { name: 'Hello', functionId: 'own-1' },
      { ...stored[1], name: 'heard', functionId: 'own-2' },
    ];
    const listed = functions.map(toRpcFunctionMetadata);
    const worker = createFakeWorker(behindSidecar(connect(), { workerId: 'w1', functions: listed }), {
      workerId: 'w1',
    });
    await clock.settle();
    expect(runtime.status()[0]?.workers).toMatchObject([{ workerId: 'w1', state: 'ready' }]);
    expect(worker.bodies('functionLoadRequest').map(({ functionId }) => functionId)).toEqual(['heard-id', 'stored-id']);
    expect(supply.released).toEqual([]);
  });

  test.each([
    ['lacks a function', [{ name: 'hello' }], "'heard' is missing"],
    ['has another function', [...stored, { name: 'more' }], "'more' is new"],
  ])('a worker that %s is sent away', async (_what, functions, difference) => {
    const { clock, log, runtime, supply, connect } = createRun();
    await runtime.addApplication(indexed());
    const listed = functions.map(toRpcFunctionMetadata);
    createFakeWorker(behindSidecar(connect(), { workerId: 'w1', functions: listed }), { workerId: 'w1' });
    await clock.settle();
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'start-failed' }]);
    expect(log.records.some(({ message }) => message.includes(difference))).toBe(true);
  });

  test('functions of function.json are read from the files, with no worker', async () => {
    const { clock, runtime, dial } = createRun();
    const bindings = [{ type: 'httpTrigger', direction: 'in', name: 'req', authLevel: 'anonymous' }];
    const added = runtime.addApplication(
      indexed({
        index: { functions: [], useDefaultIndexing: true },
        worker: { ...sampleProfile, workerIndexing: true },
        files: [functionFile('FromFile', { bindings })],
      }),
    );
    expect(await added).toMatchObject({ state: 'dormant', functions: [{ name: 'FromFile' }] });
    const { reply } = call(runtime, '/api/FromFile');
    const worker = createFakeWorker(dial('w1'), { workerId: 'w1', onInvocation: () => invocationSuccess() });
    expect((await clock.runUntil(reply)).status).toBe(200);
    expect(worker.bodies('functionsMetadataRequest')).toEqual([]);
  });

  test('a function of the index that is broken is rejected alone', async () => {
    const { runtime } = createRun();
    const broken = { ...toRpcFunctionMetadata({ name: '__proto__' }), rawBindings: ['{'] };
    const status = await runtime.addApplication(
      indexed({ index: { functions: [broken, ...index.functions], useDefaultIndexing: false } }),
    );
    expect(status.functions.map(({ name }) => name)).toEqual(['heard', 'hello']);
    expect(status.rejected).toMatchObject([{ name: '__proto__' }]);
  });

  test('its listeners listen before there is a worker; those of a standby version once it is promoted', async () => {
    const { runtime, kinds } = createRun();
    await runtime.addApplication(indexed());
    expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start']]);
    const next = { ...indexed().definition, metadataVersion: '2' };
    await runtime.addApplication(indexed({ definition: next }), { standby: true });
    expect(kinds.listeners).toHaveLength(1);
    await runtime.promoteApplication('sample:2');
    expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start', 'drain', 'close'], ['start']]);
  });

  test('an app that keeps a worker listens at once, and is ready with that worker', async () => {
    const { clock, runtime, supply, dial, kinds } = createRun();
    let isReady = false;
    const added = runtime.addApplication(indexed({ scale: { alwaysReady: 1, idleMs: 1_000 } })).then((status) => {
      isReady = true;
      return status;
    });
    await clock.settle();
    expect([kinds.listeners.length, isReady]).toEqual([1, false]);
    expect(supply.requests).toMatchObject([{ count: 1, urgency: 'normal', reason: 'activate' }]);
    createFakeWorker(dial('w1'), { workerId: 'w1' });
    expect(await added).toMatchObject({ state: 'active' });
    await clock.advance(60_000);
    expect(supply.released).toEqual([]);
  });

  test('workers of another code version load the same functions from their own folder', async () => {
    const { clock, runtime, dial } = createRun();
    const functions = [
      toRpcFunctionMetadata({ name: 'hello', directory: '/apps/blue/hello', scriptFile: '/apps/blue/dist/index.js' }),
      toRpcFunctionMetadata({ name: 'other', directory: '/apps/bluebird', scriptFile: 'index.js' }),
    ];
    const green = { ...indexed().definition, codeVersion: '2' };
    const given = { index: { functions, useDefaultIndexing: false } };
    await runtime.addApplication(indexed({ ...given, scriptRoot: '/apps/blue' }));
    await runtime.addApplication(indexed({ ...given, scriptRoot: '/apps/green', definition: green }));
    const worker = createFakeWorker(dial('w1', green), { workerId: 'w1' });
    await clock.settle();
    expect(worker.bodies('workerInitRequest')[0]?.functionAppDirectory).toBe('/apps/green');
    const places = worker
      .bodies('functionLoadRequest')
      .map(({ metadata }) => [metadata?.directory, metadata?.scriptFile]);
    expect(places).toEqual([
      ['/apps/green/hello', '/apps/green/dist/index.js'],
      ['/apps/bluebird', 'index.js'],
    ]);
  });
});
