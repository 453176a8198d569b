import type { Link } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorker,
  type FakeWorkerOptions,
  invocationSuccess,
  toRpcFunctionMetadata,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { call } from '../testing/fake-http.ts';
import { behindSidecar, type SidecarClaims } from '../testing/fake-sidecar.ts';
import { createHarness, type HarnessParts } from '../testing/runtime-harness.ts';
import { createApplication, functionFile, httpBindings, sampleProfile } from '../testing/sample-application.ts';

type Claims = Partial<Omit<SidecarClaims, 'functions'>> & Partial<FakeWorkerOptions> & { readonly workerId: string };

/** A specialized worker behind a sidecar. */
function createFakeSidecar(link: Link, { functions = [{ name: 'f' }], ...options }: Claims): FakeWorker {
  const claims = { ...options, functions: functions.map(toRpcFunctionMetadata) };
  return createFakeWorker(behindSidecar(link, claims), { ...options, functions });
}

function createRun(parts: Pick<HarnessParts, 'verifyWorker'> = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  return { clock, log, ...createHarness({ ...parts, clock, random: createSeededRandom(1), log }) };
}

const answering = (text: string) => ({
  onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'string', value: text } } } as const),
});

describe('workers that come by WorkerConnect', () => {
  test('serve: the first one brings the functions, and is asked neither for them nor to initialize', async () => {
    const { clock, runtime, connect } = createRun();
    const added = runtime.addApplication(createApplication());
    const worker = createFakeSidecar(connect(), { workerId: 'w1', ...answering('late') });
    expect(await added).toMatchObject({ state: 'active', functions: [{ name: 'f' }], workers: [{ workerId: 'w1' }] });
    await clock.settle();
    expect(worker.received.map(({ content }) => content?.$case)).toEqual([
      'functionLoadRequest',
      'workerConnectResponse',
      'workerSpecializedNotification',
    ]);
    expect((await call(runtime, '/api/f').reply).body).toBe('late');
  });

  test('are refused by a Runtime that cannot tell who they are', async () => {
    const { clock, runtime, connect } = createRun({ verifyWorker: null });
    runtime.addApplication(createApplication()).catch(() => {});
    const link = connect();
    createFakeSidecar(link, { workerId: 'w1' });
    expect(await link.closed).toMatchObject({ code: 7, message: expect.stringContaining('no way to verify') });
    await clock.settle();
    expect(runtime.status()[0]?.workers).toEqual([]);
  });

  test('load the ids that were offered, beside workers of the classic kind', async () => {
    const { clock, runtime, connect, dial } = createRun();
    const functions = [{ name: 'f', functionId: 'id-of-f' }];
    const added = runtime.addApplication(createApplication());
    const classic = createFakeWorker(dial('w1'), { workerId: 'w1', functions });
    await added;
    const late = createFakeSidecar(connect(), { workerId: 'w2', functions });
    await clock.settle();
    for (const worker of [classic, late]) {
      expect(worker.bodies('functionLoadRequest').map(({ functionId }) => functionId)).toEqual(['id-of-f']);
    }
    expect(runtime.status()[0]?.workers.map(({ state }) => state)).toEqual(['ready', 'ready']);
  });

  test('bring the functions while another worker is still asked for them', async () => {
    const { clock, runtime, connect, dial } = createRun();
    const added = runtime.addApplication(createApplication());
    let answer: (() => void) | undefined;
    const classic = createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [{ name: 'f' }],
      script: {
        functionsMetadataRequest: () =>
          new Promise((resolve) => {
            answer = () =>
              resolve({
                $case: 'functionMetadataResponse',
                value: { functionMetadataResults: [], result: okResult, useDefaultMetadataIndexing: false },
              });
          }),
      },
    });
    await clock.settle();
    createFakeSidecar(connect(), { workerId: 'w2' });
    await added;
    expect(classic.bodies('functionLoadRequest')).toEqual([]);
    answer?.();
    await clock.settle();
    expect(runtime.status()[0]?.workers.map(({ state }) => state)).toEqual(['ready', 'ready']);
  });

  test('with other functions than the JobHost has are refused, and the others serve on', async () => {
    const { clock, runtime, connect } = createRun();
    const added = runtime.addApplication(createApplication());
    createFakeSidecar(connect(), { workerId: 'w1', ...answering('fine') });
    await added;
    const link = connect();
    createFakeSidecar(link, { workerId: 'w2', functions: [{ name: 'f' }, { name: 'g' }] });
    expect(await link.closed).toMatchObject({ code: 9, message: expect.stringContaining("'g' is new") });
    await clock.settle();
    expect((await call(runtime, '/api/f').reply).body).toBe('fine');
  });

  test('may leave the functions to the files of the app', async () => {
    const { runtime, connect } = createRun();
    const bindings = httpBindings({}, 'res');
    const files = [functionFile('f', { bindings })];
    const worker = { ...sampleProfile, workerIndexing: false };
    const added = runtime.addApplication(createApplication({ worker, files }));
    createFakeSidecar(connect(), { workerId: 'w1', functions: [], useDefaultIndexing: true });
    expect(await added).toMatchObject({ state: 'active', functions: [{ name: 'f' }] });
  });

  test('come back also much later: nobody else ends the process of a worker that came by itself', async () => {
    const { clock, log, runtime, connect } = createRun();
    const added = runtime.addApplication(createApplication());
    const worker = createFakeSidecar(connect(), { workerId: 'w1', epoch: 1, ...answering('before') });
    await added;
    worker.crash();
    await clock.advance(10_000);
    const { reply } = call(runtime, '/api/f');
    await clock.settle();
    const again = createFakeSidecar(connect(), { workerId: 'w1', epoch: 2, ...answering('after') });
    expect((await clock.runUntil(reply)).body).toBe('after');
    // It counts as one of the app's workers again: its next loss is news.
    again.crash();
    await clock.settle();
    const losses = log.records.filter(({ message }) => message === 'The stream of a worker dropped.');
    expect(losses).toHaveLength(2);
  });

  test('come back with the next epoch within a second, and nobody is replaced', async () => {
    const { clock, runtime, connect, supply } = createRun();
    const added = runtime.addApplication(createApplication());
    const first = createFakeSidecar(connect(), { workerId: 'w1', onInvocation: () => new Promise(() => {}) });
    await added;
    const { reply } = call(runtime, '/api/f');
    await clock.settle();
    first.crash();
    expect((await reply).status).toBe(500);
    const second = createFakeSidecar(connect(), { workerId: 'w1', epoch: 2, ...answering('back') });
    await clock.advance(2_000);
    expect(runtime.status()[0]?.workers).toMatchObject([{ workerId: 'w1', state: 'ready' }]);
    expect(supply.released).toEqual([]);
    expect((await call(runtime, '/api/f').reply).body).toBe('back');
    expect(second.bodies('functionLoadRequest')).toHaveLength(1);
  });

  test('that nobody announced are forgotten some time after they are gone', async () => {
    const { clock, runtime, connect } = createRun();
    const added = runtime.addApplication(createApplication());
    createFakeSidecar(connect(), { workerId: 'w1' });
    await added;
    const second = createFakeSidecar(connect(), { workerId: 'w2' });
    await clock.settle();
    second.crash();
    await clock.advance(299_000);
    expect(runtime.status()[0]?.workers.map(({ workerId, state }) => `${workerId} ${state}`)).toEqual([
      'w1 ready',
      'w2 lost',
    ]);
    await clock.advance(2_000);
    expect(runtime.status()[0]?.workers).toMatchObject([{ workerId: 'w1', state: 'ready' }]);
  });

  test('that reopen their stream supersede the one before; an older epoch does not', async () => {
    const { clock, runtime, connect } = createRun();
    const added = runtime.addApplication(createApplication());
    const old = connect();
    createFakeSidecar(old, { workerId: 'w1', epoch: 3 });
    await added;
    createFakeSidecar(connect(), { workerId: 'w1', epoch: 4, ...answering('fourth') });
    expect(await old.closed).toMatchObject({ code: 10 });
    const late = connect();
    createFakeSidecar(late, { workerId: 'w1', epoch: 3 });
    expect(await late.closed).toMatchObject({ code: 10, message: expect.stringContaining('epoch 3') });
    await clock.settle();
    expect((await call(runtime, '/api/f').reply).body).toBe('fourth');
  });
});

const okResult = { status: 1, result: '', exception: undefined, logs: [] } as const as never;
