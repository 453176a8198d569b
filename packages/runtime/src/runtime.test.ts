import { type LinkEnd, StreamingMessage } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  failureResult,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { RuntimeOptions } from './runtime.ts';
import { call } from './testing/fake-http.ts';
import { createHarness } from './testing/runtime-harness.ts';
import { createApplication, sampleProfile } from './testing/sample-application.ts';
import { sampleDefinition } from './testing/sample-worker.ts';

function createRun(options: Partial<RuntimeOptions> = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const harness = createHarness({ clock, random: createSeededRandom(1), log, options });
  const errors = () => log.records.filter(({ level }) => level === 'error').map(({ message }) => message);
  return { clock, log, errors, ...harness };
}

const answering = (text: string) => ({
  functions: [{ name: 'f' }],
  onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'string', value: text } } } as const),
});

/** An app that answers on /api/f, so that a test can see that it does so still. */
async function addBystander(run: ReturnType<typeof createRun>) {
  const definition = { applicationId: 'bystander', metadataVersion: '1', codeVersion: '1' };
  const added = run.runtime.addApplication(createApplication({ definition }));
  createFakeWorker(run.dial('bystander-worker', definition), {
    workerId: 'bystander-worker',
    ...answering('unharmed'),
  });
  await added;
  return async (): Promise<string> =>
    (await call(run.runtime, '/api/f', { headers: { host: 'bystander.localhost' } }).reply).body;
}

describe('createRuntime', () => {
  test('serves an app from its first worker to its end', async () => {
    const { clock, runtime, supply, dial } = createRun();
    const added = runtime.addApplication(createApplication());
    const worker = createFakeWorker(dial('w1'), { workerId: 'w1', ...answering('hello') });
    expect(await added).toMatchObject({
      key: 'sample:1',
      applicationId: 'sample',
      state: 'active',
      functions: [{ name: 'f', trigger: 'httpTrigger', disabled: false, route: { template: 'api/f', methods: [] } }],
      rejected: [],
      workers: [{ workerId: 'w1', state: 'ready', inFlight: 0, runtimeName: 'fake', runtimeVersion: '0.0.0' }],
    });
    expect((await call(runtime, '/api/f').reply).body).toBe('hello');
    await clock.runUntil(runtime.drain(1_000));
    expect(worker.bodies('workerTerminate')).toHaveLength(1);
    expect(runtime.status()).toEqual([]);
    expect(supply.watchers).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('closes the streams that have not said who they are when it drains', async () => {
    const { clock, runtime, connect } = createRun();
    const link = connect();
    await clock.runUntil(runtime.drain(1_000));
    expect(await link.closed).toMatchObject({ code: 14 });
  });

  test('takes a limited number of streams', async () => {
    const { clock, connect } = createRun({ limits: { streams: 2 } });
    const [first, second, third] = [connect(), connect(), connect()];
    expect(await third.closed).toMatchObject({ code: 8 });
    first.cancel({ code: 1, message: '' });
    await clock.settle();
    const fourth = connect();
    let ended: LinkEnd | undefined;
    for (const link of [second, fourth]) {
      link.closed.then(
        (end) => {
          ended = end;
        },
        () => {},
      );
    }
    await clock.settle();
    expect(ended).toBeUndefined();
  });

  test('spreads invocations as it was told to', async () => {
    const { runtime, dial } = createRun({ strategy: 'roundRobin' });
    const added = runtime.addApplication(createApplication());
    const workers = ['w1', 'w2'].map((workerId) => createFakeWorker(dial(workerId), { workerId, ...answering('x') }));
    await added;
    for (let count = 0; count < 6; count += 1) await call(runtime, '/api/f').reply;
    expect(workers.map((worker) => worker.bodies('invocationRequest').length)).toEqual([3, 3]);
  });
});

describe('bad workers harm nobody else', () => {
  test('a malformed frame', async () => {
    const run = createRun();
    const ask = await addBystander(run);
    const link = run.connect();
    link.send(new Uint8Array([0x0a, 0xff]));
    expect(await link.closed).toMatchObject({ code: 3 });
    expect(await ask()).toBe('unharmed');
  });

  test('a malformed frame of a worker that serves: what it ran is lost, it is given back, and replaced', async () => {
    const run = createRun();
    const ask = await addBystander(run);
    const added = run.runtime.addApplication(createApplication());
    const link = run.dial('w1');
    createFakeWorker(link, { workerId: 'w1', functions: [{ name: 'f' }], onInvocation: () => new Promise(() => {}) });
    await added;
    const { reply } = call(run.runtime, '/api/f');
    await run.clock.settle();
    link.send(new Uint8Array([0x0a, 0xff]));
    expect((await reply).status).toBe(500);
    expect(run.supply.released).toEqual([{ workerId: 'w1', reason: 'protocol-error' }]);
    expect(await ask()).toBe('unharmed');
  });

  test('a wrong first message, an unknown id, and silence', async () => {
    const run = createRun();
    const ask = await addBystander(run);
    const [wrong, unknown, silent] = [run.connect(), run.connect(), run.connect()];
    const send = (link: typeof wrong, content: StreamingMessage['content']): boolean =>
      link.send(StreamingMessage.encode({ requestId: '', content }).finish());
    send(wrong, { $case: 'workerHeartbeat', value: {} });
    send(unknown, { $case: 'startStream', value: { workerId: 'stranger', properties: new Map() } });
    await run.clock.advance(30_000);
    const ends = await Promise.all([wrong, unknown, silent].map((link) => link.closed));
    expect(ends.map(({ code }) => code)).toEqual([3, 5, 4]);
    expect(ends[1]?.message).toContain("No worker with the id 'stranger' is expected here");
    expect(await ask()).toBe('unharmed');
  });

  test('a worker that names __proto__ as itself', async () => {
    const run = createRun();
    const link = run.connect();
    createFakeWorker(link, { workerId: '__proto__' });
    expect(await link.closed).toMatchObject({ code: 5 });
  });

  test('a message beyond the size limit ends the stream of its worker', async () => {
    const run = createRun();
    const ask = await addBystander(run);
    const added = run.runtime.addApplication(createApplication());
    const link = run.dial('w1');
    createFakeWorker(link, { workerId: 'w1', functions: [{ name: 'f' }] });
    await added;
    link.send(new Uint8Array(129 * 1024 * 1024));
    expect(await link.closed).toMatchObject({ code: 8 });
    await run.clock.settle();
    expect(run.runtime.status().find(({ applicationId }) => applicationId === 'sample')?.state).toBe('dormant');
    expect(await ask()).toBe('unharmed');
  });

  test('a worker that never answers its initialization', async () => {
    const run = createRun();
    const ask = await addBystander(run);
    const added = run.runtime.addApplication(
      createApplication({ worker: { ...sampleProfile, initializationTimeoutMs: 7_000 } }),
    );
    const failed = expect(added).rejects.toMatchObject({
      code: 'WORKER_INIT_TIMEOUT',
      message: expect.stringMatching(/'w1' of app 'sample' did not answer WorkerInitRequest within 7000 ms/),
    });
    createFakeWorker(run.dial('w1'), { workerId: 'w1', script: { workerInitRequest: () => undefined } });
    await run.clock.advance(7_000);
    await failed;
    expect(run.supply.released).toEqual([{ workerId: 'w1', reason: 'start-failed' }]);
    expect(await ask()).toBe('unharmed');
  });

  test('a worker that does not index', async () => {
    const run = createRun();
    const added = run.runtime.addApplication(createApplication());
    const failed = expect(added).rejects.toMatchObject({
      code: 'WORKER_INDEX_FAILED',
      message: expect.stringContaining('The entry point "index.js" could not be loaded: entry boom'),
    });
    createFakeWorker(run.dial('w1'), {
      workerId: 'w1',
      script: {
        functionsMetadataRequest: () => ({
          $case: 'functionMetadataResponse',
          value: {
            functionMetadataResults: [],
            result: failureResult('The entry point "index.js" could not be loaded: entry boom'),
            useDefaultMetadataIndexing: false,
          },
        }),
      },
    });
    await failed;
    expect(run.errors()).toHaveLength(1);
  });

  test('a function that cannot be loaded fails with the reason, and the others run', async () => {
    const { runtime, dial, errors, log } = createRun();
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [{ name: 'bad' }, { name: 'f' }],
      script: {
        functionLoadRequest: ({ functionId }) => ({
          $case: 'functionLoadResponse',
          value: {
            functionId,
            result:
              functionId === 'bad' ? failureResult('Cannot find module "x"') : { ...failureResult(''), status: 1 },
            isDependencyDownloaded: false,
          },
        }),
      },
    });
    expect(await added).toMatchObject({ state: 'active', functions: [{ name: 'bad' }, { name: 'f' }] });
    expect((await call(runtime, '/api/bad').reply).status).toBe(500);
    expect((await call(runtime, '/api/f').reply).status).toBe(204);
    expect(errors().join('\n')).toContain('could not be loaded');
    const told = log.records.find(({ message }) => message.includes('could not be loaded'));
    expect(told?.fields).toMatchObject({ functionId: 'bad', exception: 'Error: Cannot find module "x"' });
  });

  test('a function whose name or bindings are hostile is rejected alone', async () => {
    const { runtime, dial } = createRun();
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [
        { name: '__proto__' },
        { name: 'host' },
        { name: 'constructor', bindings: [{ type: 'httpTrigger', direction: 'in', name: '__proto__' }] },
        {
          name: 'two',
          bindings: [
            { type: 'eventTrigger', name: 'a' },
            { type: 'eventTrigger', name: 'b' },
          ],
        },
        { name: 'none', bindings: [] },
        { name: 'f' },
      ],
    });
    const status = await added;
    expect(status.functions.map(({ name }) => name)).toEqual(['f']);
    expect(status.rejected.map(({ name }) => name).sort()).toEqual(['__proto__', 'constructor', 'host', 'none', 'two']);
    expect((await call(runtime, '/api/f').reply).status).toBe(204);
  });

  test('a worker that answers twice, late, or for others changes no outcome', async () => {
    const run = createRun();
    const added = run.runtime.addApplication(createApplication());
    const mine = createFakeWorker(run.dial('w1'), {
      workerId: 'w1',
      functions: [{ name: 'f' }],
      onInvocation: () => new Promise(() => {}),
    });
    await added;
    const { reply } = call(run.runtime, '/api/f');
    const { invocationId } = await mine.first('invocationRequest');
    const answer = (text: string): void => {
      const value = invocationSuccess({ returnValue: { data: { $case: 'string', value: text } } });
      mine.send({ $case: 'invocationResponse', value: { ...value, invocationId } });
    };
    mine.send({ $case: 'invocationResponse', value: { ...invocationSuccess(), invocationId: 'stranger' } });
    answer('first');
    answer('second');
    expect((await reply).body).toBe('first');
    expect(run.runtime.status()[0]?.workers[0]?.inFlight).toBe(0);
  });

  test('a worker of the same id that opens a second stream replaces the first', async () => {
    const run = createRun();
    const added = run.runtime.addApplication(createApplication());
    const first = run.dial('w1');
    createFakeWorker(first, { workerId: 'w1', ...answering('first') });
    await added;
    createFakeWorker(run.connect(), { workerId: 'w1', ...answering('second') });
    expect(await first.closed).toMatchObject({ code: 10 });
    await run.clock.settle();
    expect((await call(run.runtime, '/api/f').reply).body).toBe('second');
    await run.clock.advance(10_000);
    expect(run.supply.released).toEqual([]);
    expect(run.supply.requests).toEqual([
      { application: sampleDefinition, count: 1, urgency: 'normal', reason: 'index' },
    ]);
  });
});
