import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  invocationFailure,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { call } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication, functionFile, httpBindings, sampleProfile } from '../testing/sample-application.ts';
import { createSampleKinds } from '../testing/sample-kinds.ts';
import { jobHostEdges } from './job-host.ts';

const listening = [
  { name: 'one', bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] },
  { name: 'two', bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] },
] as const;

function createRun(kinds = createSampleKinds()) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const harness = createHarness({ clock, random: createSeededRandom(1), log, kinds });
  const errors = () => log.records.filter(({ level }) => level === 'error').map(({ message }) => message);
  return { clock, log, errors, ...harness };
}

describe('the JobHost machine', () => {
  test('goes one way, and may be drained before it is indexed', () => {
    expect(jobHostEdges).toEqual({
      created: ['indexing', 'draining', 'faulted'],
      indexing: ['dormant', 'draining', 'faulted'],
      dormant: ['active', 'draining', 'faulted'],
      active: ['dormant', 'draining', 'faulted'],
      draining: ['stopped', 'faulted'],
      stopped: ['faulted'],
      faulted: [],
    });
  });
});

describe('JobHost', () => {
  test('I1: asks the first worker for the functions, and later ones only to load them', async () => {
    const { clock, runtime, dial } = createRun();
    const added = runtime.addApplication(createApplication());
    const first = createFakeWorker(dial('w1'), { workerId: 'w1', functions: [{ name: 'a' }, { name: 'b' }] });
    await added;
    const second = createFakeWorker(dial('w2'), { workerId: 'w2', functions: [{ name: 'other' }] });
    await clock.settle();
    expect(first.bodies('functionsMetadataRequest')).toHaveLength(1);
    expect(second.bodies('functionsMetadataRequest')).toHaveLength(0);
    const loads = [first, second].map((worker) =>
      worker.bodies('functionLoadRequest').map(({ functionId }) => functionId),
    );
    expect(loads).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(runtime.status()[0]?.workers.map(({ state }) => state)).toEqual(['ready', 'ready']);
  });

  test('I1: when the worker that was asked dies, the next one is asked', async () => {
    const { clock, runtime, dial } = createRun();
    const added = runtime.addApplication(createApplication());
    const first = createFakeWorker(dial('w1'), {
      workerId: 'w1',
      script: { functionsMetadataRequest: () => undefined },
    });
    const second = createFakeWorker(dial('w2'), { workerId: 'w2', functions: [{ name: 'a' }] });
    await clock.settle();
    expect(second.bodies('functionsMetadataRequest')).toHaveLength(0);
    first.crash();
    expect(await added).toMatchObject({ state: 'active', functions: [{ name: 'a' }] });
    expect(second.bodies('functionsMetadataRequest')).toHaveLength(1);
  });

  test('I1: an app whose worker does not index is read from its files, and the worker is never asked', async () => {
    const { runtime, dial } = createRun();
    const bindings = httpBindings({}, 'res');
    const added = runtime.addApplication(
      createApplication({
        worker: { ...sampleProfile, workerIndexing: false },
        stack: { runtime: 'java', version: '', architecture: 'x64' },
        files: [
          functionFile('Hello', { scriptFile: '../app.jar', entryPoint: 'demo.Fn.hello', bindings }, ['function.json']),
        ],
      }),
    );
    const worker = createFakeWorker(dial('w1'), { workerId: 'w1' });
    expect(await added).toMatchObject({
      state: 'active',
      functions: [{ name: 'Hello', route: { template: 'api/Hello' } }],
    });
    expect(worker.received.map(({ content }) => content?.$case)).toEqual(['workerInitRequest', 'functionLoadRequest']);
    expect(worker.bodies('functionLoadRequest')[0]?.metadata).toMatchObject({
      name: 'Hello',
      directory: '/app/Hello',
      scriptFile: '/app/app.jar',
      entryPoint: 'demo.Fn.hello',
    });
  });

  test('I1: a worker that wants the default index has function.json read for it', async () => {
    const { runtime, dial, errors } = createRun();
    const bindings = [{ type: 'eventTrigger', direction: 'in', name: 'event' }];
    const added = runtime.addApplication(
      createApplication({
        files: [functionFile('Bad', '{ "bindings": [ }'), functionFile('Good', { bindings })],
      }),
    );
    createFakeWorker(dial('w1'), {
      workerId: 'w1',
      script: {
        functionsMetadataRequest: () => ({
          $case: 'functionMetadataResponse',
          value: { functionMetadataResults: [], result: undefined, useDefaultMetadataIndexing: true },
        }),
      },
    });
    const status = await added;
    expect(status.functions).toMatchObject([{ name: 'Good', trigger: 'eventTrigger' }]);
    expect(status.rejected).toMatchObject([{ name: 'Bad', reason: expect.stringContaining('/app/Bad/function.json') }]);
    expect(errors()).toEqual(["The '{functionName}' function is in error: {reason}"]);
  });

  test('I2: listeners start with the first worker, and stay when the last one goes', async () => {
    const { clock, runtime, dial, kinds } = createRun();
    const added = runtime.addApplication(createApplication());
    const link = dial('w1');
    await clock.settle();
    expect(kinds.listeners).toHaveLength(0);
    const worker = createFakeWorker(link, { workerId: 'w1', functions: listening });
    await added;
    expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start'], ['start']]);
    worker.crash();
    await clock.settle();
    expect(runtime.status()[0]?.state).toBe('dormant');
    expect(kinds.listeners.map(({ heard }) => heard)).toEqual([['start'], ['start']]);
  });

  test('I3: an event while there is no worker wakes one and is run by it', async () => {
    const { clock, runtime, supply, dial, kinds } = createRun();
    const added = runtime.addApplication(createApplication());
    const worker = createFakeWorker(dial('w1'), { workerId: 'w1', functions: listening });
    await added;
    worker.crash();
    await clock.advance(2_000);
    const before = supply.requests.length;
    const outcome = kinds.listeners[0]?.context.invoke({
      data: { data: { $case: 'string', value: 'x' } },
      metadata: new Map(),
      reason: 'test',
    });
    expect(supply.requests.slice(before)).toMatchObject([{ urgency: 'urgent', reason: 'activate', count: 1 }]);
    await clock.advance(10_000);
    createFakeWorker(dial('w2'), { workerId: 'w2', functions: listening, onInvocation: () => invocationSuccess() });
    expect(await outcome).toMatchObject({ kind: 'succeeded' });
    expect(runtime.status()[0]?.state).toBe('active');
  });

  test('I4: is told by its state that a caller waits in vain', async () => {
    const { clock, runtime } = createRun();
    const added = runtime.addApplication(createApplication());
    const refused = expect(added).rejects.toMatchObject({ code: 'APPLICATION_STOPPED' });
    await runtime.removeApplication('sample:1', 1_000);
    await refused;
    await clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  test('I5: a failed start rejects with its reason; the next worker that is ready heals the app', async () => {
    const { clock, runtime, supply, dial, errors } = createRun();
    const application = createApplication();
    const states: string[] = [];
    runtime.watch(({ state, error }) => states.push(`${state}${error === undefined ? '' : '!'}`));
    const added = runtime.addApplication(application);
    supply.expect('w1', application.definition);
    supply.exit('w1', 1, ['Error: Cannot find module "x"']);
    await expect(added).rejects.toMatchObject({
      code: 'WORKER_EXITED',
      message: expect.stringContaining('Cannot find module "x"'),
    });
    expect(runtime.status()).toMatchObject([{ state: 'indexing', error: expect.stringContaining('exit code 1') }]);
    expect(errors()).toHaveLength(1);
    const again = runtime.addApplication(application);
    createFakeWorker(dial('w2'), { workerId: 'w2', functions: [{ name: 'a' }] });
    expect(await again).toMatchObject({ state: 'active' });
    expect(await runtime.addApplication(application)).toMatchObject({ state: 'active' });
    await clock.settle();
    expect(runtime.status()[0]?.error).toBeUndefined();
    expect(states).toContain('indexing!');
    expect(states.at(-1)).toBe('active');
  });

  test('an app without functions runs, and says why it is empty', async () => {
    const { runtime, supply, dial, errors } = createRun();
    const added = runtime.addApplication(createApplication());
    const link = dial('w1');
    supply.emit({ kind: 'console', workerId: 'w1', stream: 'stderr', line: 'Error: entry boom' });
    createFakeWorker(link, {
      workerId: 'w1',
      script: {
        functionsMetadataRequest: () => ({
          $case: 'functionMetadataResponse',
          value: { functionMetadataResults: [], result: undefined, useDefaultMetadataIndexing: true },
        }),
      },
    });
    const status = await added;
    expect(status).toMatchObject({ state: 'active', functions: [] });
    expect(status.error).toContain('has no functions');
    expect(status.error).toContain('Error: entry boom');
    expect(errors()).toContain(status.error);
  });

  test('function.json files that cannot be read fault an app that has nothing else, and leave nothing behind', async () => {
    const { runtime, supply } = createRun();
    const application = createApplication({
      worker: { ...sampleProfile, workerIndexing: false },
      functionFiles: { list: () => Promise.reject(new Error('EACCES')) },
    });
    await expect(runtime.addApplication(application)).rejects.toMatchObject({
      code: 'APPLICATION_FILES_UNREADABLE',
      message: expect.stringContaining('EACCES'),
    });
    expect(runtime.status()).toEqual([]);
    expect(supply.requests.at(-1)).toMatchObject({ count: 0 });
  });

  test('files that are never read are an error too', async () => {
    const { clock, runtime } = createRun();
    const application = createApplication({
      worker: { ...sampleProfile, workerIndexing: false },
      functionFiles: { list: () => new Promise(() => {}) },
    });
    const added = runtime.addApplication(application);
    const refused = expect(added).rejects.toMatchObject({ code: 'APPLICATION_FILES_UNREADABLE' });
    await clock.advance(60_000);
    await refused;
  });

  test('a function of an unknown kind is rejected with the kinds that there are; the others run', async () => {
    const { runtime, dial } = createRun();
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [
        { name: 'good' },
        { name: 'odd', bindings: [{ type: 'pigeonTrigger', direction: 'in', name: 'p' }] },
        {
          name: 'out',
          bindings: [
            { type: 'eventTrigger', direction: 'in', name: 'e' },
            { type: 'pigeon', direction: 'out', name: 'p' },
          ],
        },
        {
          name: 'in',
          bindings: [
            { type: 'eventTrigger', direction: 'in', name: 'e' },
            { type: 'pigeon', direction: 'in', name: 'p' },
          ],
        },
      ],
    });
    const status = await added;
    expect(status.functions.map(({ name }) => name)).toEqual(['good']);
    expect(Object.fromEntries(status.rejected.map(({ name, reason }) => [name, reason]))).toEqual({
      odd: expect.stringMatching(/'p' has the type 'pigeonTrigger', .* no trigger .* httpTrigger, eventTrigger\./),
      out: expect.stringMatching(/no output binding .* http, collector\./),
      in: expect.stringMatching(/no input binding .* lookup\./),
    });
  });

  test('of two functions with the same route and method the later one is rejected', async () => {
    const { runtime, dial } = createRun();
    const added = runtime.addApplication(createApplication());
    const http = (methods?: readonly string[]) => [
      { type: 'httpTrigger', direction: 'in', name: 'req', route: 'items/{id}', ...(methods ? { methods } : {}) },
      { type: 'http', direction: 'out', name: '$return' },
    ];
    const worker = createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [
        { name: 'a', bindings: http(['get']) },
        { name: 'b', bindings: http(['post']) },
        { name: 'c', bindings: http() },
      ],
    });
    const status = await added;
    expect(status.functions.map(({ name, route }) => [name, route?.template, route?.methods])).toEqual([
      ['a', 'api/items/{id}', ['GET']],
      ['b', 'api/items/{id}', ['POST']],
    ]);
    expect(status.rejected).toMatchObject([{ name: 'c', reason: expect.stringContaining('items/{id}') }]);
    expect(worker.bodies('functionLoadRequest').map(({ functionId }) => functionId)).toEqual(['a', 'b']);
  });

  test('disabled functions are loaded last, listed as disabled, and not listened for', async () => {
    const { runtime, dial, kinds } = createRun();
    const added = runtime.addApplication(createApplication({ settings: { 'AzureWebJobs.one.Disabled': 'true' } }));
    const worker = createFakeWorker(dial('w1'), { workerId: 'w1', functions: listening });
    const status = await added;
    expect(status.functions.map(({ name, disabled }) => [name, disabled])).toEqual([
      ['one', true],
      ['two', false],
    ]);
    expect(worker.bodies('functionLoadRequest').map(({ functionId }) => functionId)).toEqual(['two', 'one']);
    expect(kinds.listeners.map(({ context }) => context.functionName)).toEqual(['two']);
  });

  test('drains: listeners first, then what runs, then the workers', async () => {
    const { clock, runtime, supply, dial, kinds } = createRun();
    const added = runtime.addApplication(createApplication());
    const answers: (() => void)[] = [];
    const worker = createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: listening,
      onInvocation: () => new Promise((resolve) => answers.push(() => resolve(invocationSuccess()))),
    });
    await added;
    const outcome = kinds.listeners[0]?.context.invoke({
      data: { data: undefined },
      metadata: new Map(),
      reason: 'test',
    });
    await clock.settle();
    const removed = runtime.removeApplication('sample:1', 10_000);
    await clock.settle();
    expect(runtime.status()[0]?.state).toBe('draining');
    expect(kinds.listeners[0]?.heard).toEqual(['start', 'drain', 'close']);
    expect(worker.bodies('workerTerminate')).toHaveLength(0);
    answers[0]?.();
    expect(await outcome).toMatchObject({ kind: 'succeeded' });
    await clock.runUntil(removed);
    expect(worker.bodies('workerTerminate')).toHaveLength(1);
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'application-stopped' }]);
    expect(runtime.status()).toEqual([]);
  });

  test('drains: what does not end in time is lost', async () => {
    const { clock, runtime, supply, dial, kinds } = createRun();
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w1'), { workerId: 'w1', functions: listening, onInvocation: () => new Promise(() => {}) });
    await added;
    const outcome = kinds.listeners[0]?.context.invoke({
      data: { data: undefined },
      metadata: new Map(),
      reason: 'test',
    });
    const removed = runtime.removeApplication('sample:1', 10_000);
    await clock.advance(10_000);
    expect(await outcome).toMatchObject({ kind: 'lost' });
    await clock.runUntil(removed);
    supply.exit('w1', 0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('I6: a second call may shorten the time that what runs has left, and joins the first', async () => {
    const { clock, runtime, dial, kinds } = createRun();
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w1'), { workerId: 'w1', functions: listening, onInvocation: () => new Promise(() => {}) });
    await added;
    const outcome = kinds.listeners[0]?.context.invoke({
      data: { data: undefined },
      metadata: new Map(),
      reason: 'test',
    });
    let ended = 0;
    const count = (): void => {
      ended += 1;
    };
    const long = runtime.removeApplication('sample:1', 600_000).then(count);
    await clock.advance(60_000);
    const short = runtime.removeApplication('sample:1', 1_000).then(count);
    await clock.advance(999);
    expect(runtime.status()[0]?.state).toBe('draining');
    await clock.advance(20_000);
    expect(await outcome).toMatchObject({ kind: 'lost' });
    await Promise.all([long, short]);
    expect(ended).toBe(2);
    expect(runtime.status()).toEqual([]);
  });

  test('I6: draining waits for callers, and ends with the last of them', async () => {
    const { clock, runtime, dial } = createRun();
    const added = runtime.addApplication(createApplication());
    let answer = (): void => {};
    createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [{ name: 'f' }],
      onInvocation: () =>
        new Promise((resolve) => {
          answer = () => resolve(invocationSuccess());
        }),
    });
    await added;
    const { reply } = call(runtime, '/api/f', { method: 'POST', body: 'text' });
    await clock.settle();
    const removed = runtime.removeApplication('sample:1', 600_000);
    await clock.advance(60_000);
    expect(runtime.status()[0]?.state).toBe('draining');
    answer();
    expect((await reply).status).toBe(204);
    await clock.runUntil(removed);
    expect(runtime.status()).toEqual([]);
  });

  test('I6: callers keep their retries while the app drains; events go back to their sources', async () => {
    const { clock, runtime, dial, kinds } = createRun();
    const added = runtime.addApplication(createApplication());
    const retryOptions = {
      maxRetryCount: 5,
      delayInterval: { seconds: 60n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
      retryStrategy: 1,
    } as const;
    const fails = new Set(['f', 'one']);
    createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [
        { name: 'f', retryOptions },
        { ...listening[0], retryOptions },
      ],
      onInvocation: ({ functionId }) => (fails.delete(functionId) ? invocationFailure('once') : invocationSuccess()),
    });
    await added;
    const { reply } = call(runtime, '/api/f');
    const outcome = kinds.listeners[0]?.context.invoke({ data: { data: undefined }, metadata: new Map(), reason: 'x' });
    await clock.settle();
    const removed = runtime.removeApplication('sample:1', 600_000);
    expect(await outcome).toMatchObject({ kind: 'lost', reason: 'stopping' });
    expect(runtime.status()[0]?.state).toBe('draining');
    await clock.runUntil(removed);
    expect((await reply).status).toBe(204);
  });

  test('names functions that a worker could not load', async () => {
    const { runtime, dial } = createRun();
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [{ name: 'good' }, { name: 'bad' }],
      script: {
        functionLoadRequest: ({ functionId }) => ({
          $case: 'functionLoadResponse',
          value: {
            functionId,
            isDependencyDownloaded: false,
            result: {
              status: functionId === 'bad' ? 0 : 1,
              result: '',
              exception: { source: '', stackTrace: 'at bad.js:1', message: 'broken', isUserException: true, type: '' },
              logs: [],
            },
          },
        }),
      },
    });
    expect((await added).unloaded).toEqual([{ name: 'bad', message: 'broken', stack: 'at bad.js:1' }]);
  });

  test('I7: a code version that joins gets nothing, and taking it out touches no other', async () => {
    const { clock, runtime, dial } = createRun();
    const green = { ...createApplication().definition, codeVersion: 'green' };
    const added = runtime.addApplication(createApplication());
    const worker = createFakeWorker(dial('w1'), { workerId: 'w1', functions: [{ name: 'f' }] });
    await added;
    const joined = runtime.addApplication(createApplication({ definition: green }));
    const other = createFakeWorker(dial('w2', green), { workerId: 'w2', functions: [{ name: 'f' }] });
    expect(await joined).toMatchObject({ versions: [{ weight: 100 }, { weight: 0, state: 'active' }] });
    await call(runtime, '/api/f').reply;
    await clock.runUntil(runtime.removeVersion(green, 1_000));
    await call(runtime, '/api/f').reply;
    expect([worker, other].map((one) => one.bodies('invocationRequest').length)).toEqual([2, 0]);
    expect(runtime.status()).toMatchObject([{ state: 'active', workers: [{ workerId: 'w1', state: 'ready' }] }]);
  });
});
