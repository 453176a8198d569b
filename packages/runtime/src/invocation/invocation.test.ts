import type { InvocationRequest, InvocationResponse, TypedData } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeFunction,
  invocationFailure,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import type { InvocationOutcome, TriggerEvent } from '@switchyard/triggers';
import { describe, expect, test } from 'vitest';
import { call } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication, httpBindings } from '../testing/sample-application.ts';

const text = (value: string): TypedData => ({ data: { $case: 'string', value } });
const json = (value: unknown): TypedData => ({ data: { $case: 'json', value: JSON.stringify(value) } });

const trigger = { type: 'eventTrigger', direction: 'in', name: 'event' };
const collector = (name: string) => ({ type: 'collector', direction: 'out', name });

/** An app with one function that listens, and a worker that runs it. */
async function createRun(
  fake: Partial<FakeFunction> = {},
  onInvocation: (request: InvocationRequest) => InvocationResponse | Promise<InvocationResponse> = () =>
    invocationSuccess(),
  capabilities?: Readonly<Record<string, string>>,
  application: Parameters<typeof createApplication>[0] = {},
) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const harness = createHarness({ clock, random: createSeededRandom(1), log });
  const added = harness.runtime.addApplication(createApplication(application));
  const worker = createFakeWorker(harness.dial('w1'), {
    workerId: 'w1',
    functions: [{ name: 'work', bindings: [trigger], ...fake }],
    onInvocation,
    ...(capabilities ? { capabilities } : {}),
  });
  await added;
  const invoke = (event: Partial<TriggerEvent> = {}): Promise<InvocationOutcome> => {
    const listener = harness.kinds.listeners[0];
    if (listener === undefined) throw new Error('no listener');
    return listener.context.invoke({ data: text('hi'), metadata: new Map(), reason: 'A test.', ...event });
  };
  const functionLines = () =>
    log.records
      .filter(({ fields }) => String(fields.category).startsWith('Function.'))
      .map(({ level, message, fields }) => [level, message.split('\n')[0], fields]);
  return { clock, log, worker, invoke, functionLines, ...harness };
}

describe('an invocation', () => {
  test('I1, I3: gives the event to the worker and its answer to the listener', async () => {
    const { worker, invoke } = await createRun();
    const metadata = new Map([['Id', text('7')]]);
    expect(await invoke({ metadata })).toMatchObject({ kind: 'succeeded', invocationId: expect.any(String) });
    const [request] = worker.bodies('invocationRequest');
    expect(request).toMatchObject({
      functionId: 'work',
      inputData: [{ name: 'event', rpcData: { $case: 'data', value: text('hi') } }],
      triggerMetadata: metadata,
      retryContext: undefined,
    });
    expect(request?.traceContext?.traceParent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('goes on with the trace of its event', async () => {
    const { worker, invoke } = await createRun();
    await invoke({ traceParent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`, traceState: 'x=y' });
    const trace = worker.bodies('invocationRequest')[0]?.traceContext;
    expect(trace?.traceParent).toMatch(/^00-a{32}-[0-9a-f]{16}-00$/);
    expect(trace?.traceParent).not.toContain('b'.repeat(16));
    expect(trace?.traceState).toBe('x=y');
  });

  test('logs in the words of the official host', async () => {
    const { invoke, functionLines } = await createRun();
    const outcome = await invoke({ details: { MessageId: '1', DequeueCount: '2' } });
    const { invocationId } = outcome;
    const common = { applicationId: 'sample', category: 'Function.work', functionName: 'work', invocationId };
    expect(functionLines()).toEqual([
      [
        'information',
        "Executing 'Functions.{functionName}' (Reason='{reason}', Id={invocationId})",
        { ...common, reason: 'A test.' },
      ],
      ['information', 'Trigger Details: {details}', { ...common, details: 'MessageId: 1, DequeueCount: 2' }],
      [
        'information',
        "Executed 'Functions.{functionName}' (Succeeded, Id={invocationId}, Duration={durationMs}ms)",
        { ...common, durationMs: 0 },
      ],
    ]);
  });

  test('logs a failure with the three lines of the official host', async () => {
    const { invoke, functionLines } = await createRun({}, () => invocationFailure('kaboom'));
    expect(await invoke()).toMatchObject({ kind: 'failed', error: { message: 'kaboom', stack: 'Error: kaboom' } });
    expect(functionLines().at(-1)).toMatchObject([
      'error',
      "Executed 'Functions.{functionName}' (Failed, Id={invocationId}, Duration={durationMs}ms)",
      { exception: 'Result: Failure\nException: kaboom\nStack: Error: kaboom' },
    ]);
  });

  test('a response without a result is a failure', async () => {
    const { invoke } = await createRun({}, () => ({ ...invocationSuccess(), result: undefined }));
    expect(await invoke()).toMatchObject({ kind: 'failed' });
  });

  test('reads the inputs before the function runs, and leaves out those that are not there', async () => {
    const input = (name: string, key: string) => ({ type: 'lookup', direction: 'in', name, key });
    const { worker, invoke } = await createRun({
      bindings: [trigger, input('a', 'Id'), input('b', 'nothing'), input('c', 'x')],
    });
    await invoke({ metadata: new Map([['Id', text('7')]]) });
    expect(worker.bodies('invocationRequest')[0]?.inputData).toEqual([
      { name: 'event', rpcData: { $case: 'data', value: text('hi') } },
      { name: 'a', rpcData: { $case: 'data', value: text('7') } },
      { name: 'c', rpcData: { $case: 'data', value: text('value of x') } },
    ]);
  });

  test('an input that cannot be read fails the invocation, and no worker hears of it', async () => {
    const bindings = [trigger, { type: 'lookup', direction: 'in', name: 'a', key: 'throws' }];
    const { worker, invoke } = await createRun({ bindings });
    expect(await invoke()).toMatchObject({ kind: 'failed', error: { message: 'the lookup failed' } });
    expect(worker.bodies('invocationRequest')).toEqual([]);
  });

  test('I3: writes the outputs, without those that are empty, before it succeeds', async () => {
    const bindings = [trigger, collector('one'), collector('two'), collector('three')];
    const answer = () => invocationSuccess({ outputs: { one: text('1'), two: json(null), extra: text('x') } });
    const { invoke, kinds } = await createRun({ bindings }, answer);
    expect(await invoke()).toMatchObject({ kind: 'succeeded' });
    expect(kinds.collected).toEqual([{ binding: 'one', value: text('1') }]);
  });

  test('I3: an output that cannot be written fails the invocation', async () => {
    const { invoke, kinds } = await createRun({ bindings: [trigger, collector('one')] }, () =>
      invocationSuccess({ outputs: { one: text('1') } }),
    );
    kinds.failWrites('the queue is full');
    expect(await invoke()).toMatchObject({ kind: 'failed', error: { message: 'the queue is full' } });
  });

  test('the return value goes to the binding of that name', async () => {
    const { invoke, kinds } = await createRun({ bindings: [trigger, collector('$return')] }, () =>
      invocationSuccess({ returnValue: text('back'), outputs: { $return: text('not this') } }),
    );
    await invoke();
    expect(kinds.collected).toEqual([{ binding: '$return', value: text('back') }]);
  });

  test('without such a binding a returned object is taken apart', async () => {
    const bindings = [trigger, collector('one'), collector('two'), collector('three')];
    const { invoke, kinds } = await createRun({ bindings }, () =>
      invocationSuccess({ returnValue: json({ one: 'text', two: { a: [1] }, three: null, four: 4 }) }),
    );
    await invoke();
    expect(kinds.collected).toEqual([
      { binding: 'one', value: text('text') },
      { binding: 'two', value: json({ a: [1] }) },
    ]);
  });

  test('I2: a function that fails is tried again, with the same id and the state of the policy', async () => {
    const retryOptions = {
      maxRetryCount: 2,
      delayInterval: { seconds: 3n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
      retryStrategy: 1,
    } as const;
    let tries = 0;
    const { clock, worker, invoke } = await createRun({ retryOptions }, () => {
      tries += 1;
      return tries < 3 ? invocationFailure(`try ${tries}`) : invocationSuccess();
    });
    const outcome = invoke();
    await clock.advance(2_999);
    expect(worker.bodies('invocationRequest')).toHaveLength(1);
    expect(await clock.runUntil(outcome)).toMatchObject({ kind: 'succeeded' });
    const requests = worker.bodies('invocationRequest');
    expect(new Set(requests.map(({ invocationId }) => invocationId)).size).toBe(1);
    expect(requests.map(({ retryContext }) => [retryContext?.retryCount, retryContext?.maxRetryCount])).toEqual([
      [0, 2],
      [1, 2],
      [2, 2],
    ]);
    expect(requests.map(({ retryContext }) => retryContext?.exception?.message)).toEqual([undefined, 'try 1', 'try 2']);
  });

  test('I1, I2, I4: spent retries fail, and the policy goes with the first attempt already', async () => {
    const retryOptions = {
      maxRetryCount: 1,
      delayInterval: { seconds: 1n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
      retryStrategy: 1,
    } as const;
    const { clock, worker, invoke } = await createRun({ retryOptions }, () => invocationFailure('always'));
    expect(await clock.runUntil(invoke())).toMatchObject({ kind: 'failed', error: { message: 'always' } });
    expect(worker.bodies('invocationRequest').map(({ retryContext }) => retryContext?.retryCount)).toEqual([0, 1]);
  });

  test('I2: over HTTP every try has an id of its own', async () => {
    const retryOptions = {
      maxRetryCount: 1,
      delayInterval: { seconds: 1n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
      retryStrategy: 1,
    } as const;
    const bindings = httpBindings();
    const { clock, runtime, worker } = await createRun({ retryOptions, bindings }, () => invocationFailure('always'));
    const { reply } = call(runtime, '/api/work');
    expect((await clock.runUntil(reply)).status).toBe(500);
    const ids = worker.bodies('invocationRequest').map(({ invocationId }) => invocationId);
    expect(new Set(ids).size).toBe(2);
  });

  test('I2: started by hand, every try has an id of its own', async () => {
    const retry = { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: '00:00:01' };
    const { clock, runtime, worker } = await createRun({}, () => invocationFailure('always'), undefined, {
      hostJson: { version: '2.0', retry },
    });
    const { reply } = call(runtime, '/admin/functions/work', { method: 'POST', body: '{"input":"by hand"}' });
    expect((await clock.runUntil(reply)).status).toBe(202);
    await clock.advance(10_000);
    const ids = worker.bodies('invocationRequest').map(({ invocationId }) => invocationId);
    expect([ids.length, new Set(ids).size]).toEqual([3, 3]);
  });

  test('I2: a worker that is lost is no failure of the function: nothing is tried again', async () => {
    const retryOptions = {
      maxRetryCount: 5,
      delayInterval: { seconds: 1n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
      retryStrategy: 1,
    } as const;
    const { clock, worker, invoke } = await createRun({ retryOptions }, () => new Promise(() => {}));
    const outcome = invoke();
    await clock.settle();
    worker.crash();
    expect(await outcome).toMatchObject({
      kind: 'lost',
      reason: 'worker-lost',
      error: { type: 'INVOCATION_WORKER_LOST' },
    });
    expect(worker.bodies('invocationRequest')).toHaveLength(1);
  });

  test('waits grow between the tries of a policy with exponential back-off, up to its maximum', async () => {
    const seconds = (count: number) => ({ seconds: BigInt(count), nanos: 0 });
    const retryOptions = {
      maxRetryCount: 4,
      delayInterval: undefined,
      minimumInterval: seconds(1),
      maximumInterval: seconds(5),
      retryStrategy: 0,
    } as const;
    const triedMs: number[] = [];
    const { clock, invoke } = await createRun({ retryOptions }, () => {
      triedMs.push(clock.now());
      return invocationFailure('always');
    });
    expect(await clock.runUntil(invoke())).toMatchObject({ kind: 'failed' });
    const waitsMs = triedMs.slice(1).map((atMs, index) => atMs - (triedMs[index] ?? 0));
    const bounds = [
      [1_800, 2_200],
      [2_600, 3_400],
      [4_200, 5_000],
      [5_000, 5_000],
    ];
    expect(waitsMs).toHaveLength(bounds.length);
    waitsMs.forEach((waitMs, index) => {
      const [atLeast = 0, atMost = 0] = bounds[index] ?? [];
      expect(waitMs).toBeGreaterThanOrEqual(atLeast);
      expect(waitMs).toBeLessThanOrEqual(atMost);
    });
  });

  test('a policy of -1 tries until the function succeeds, and says so to the worker', async () => {
    const retryOptions = {
      maxRetryCount: -1,
      delayInterval: { seconds: 1n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
      retryStrategy: 1,
    } as const;
    let tries = 0;
    const { clock, worker, invoke } = await createRun({ retryOptions }, () => {
      tries += 1;
      return tries <= 50 ? invocationFailure(`try ${tries}`) : invocationSuccess();
    });
    expect(await clock.runUntil(invoke())).toMatchObject({ kind: 'succeeded' });
    const contexts = worker.bodies('invocationRequest').map(({ retryContext }) => retryContext);
    expect(contexts.at(-1)).toMatchObject({ retryCount: 50, maxRetryCount: -1, exception: { message: 'try 50' } });
  });

  test('without a policy there is no retry context, and a failure is the end', async () => {
    const { worker, invoke } = await createRun({}, () => invocationFailure('once'));
    expect(await invoke()).toMatchObject({ kind: 'failed' });
    expect(worker.bodies('invocationRequest').map(({ retryContext }) => retryContext)).toEqual([undefined]);
  });

  test('the policy of host.json holds for a function without one', async () => {
    const retry = { strategy: 'fixedDelay', maxRetryCount: 1, delayInterval: '00:00:02' };
    const { clock, worker, invoke } = await createRun({}, () => invocationFailure('always'), undefined, {
      hostJson: { version: '2.0', retry },
    });
    const beganMs = clock.now();
    expect(await clock.runUntil(invoke())).toMatchObject({ kind: 'failed' });
    expect(clock.now() - beganMs).toBe(2_000);
    expect(worker.bodies('invocationRequest')).toHaveLength(2);
  });

  test('I2: a timeout is logged in the words of the official host, replaces the worker, and is not tried again', async () => {
    const hostJson = {
      version: '2.0',
      functionTimeout: '00:01:30',
      retry: { strategy: 'fixedDelay', maxRetryCount: 3, delayInterval: '00:00:01' },
    };
    const run = await createRun({}, () => new Promise(() => {}), undefined, { hostJson });
    const outcome = run.invoke();
    await run.clock.advance(90_000);
    const { invocationId } = await outcome;
    expect(await outcome).toMatchObject({ kind: 'lost', reason: 'timeout' });
    const text = `Timeout value of 00:01:30 exceeded by function 'Functions.work' (Id: '${invocationId}')`;
    expect(run.functionLines().at(-1)).toMatchObject([
      'error',
      expect.any(String),
      { exception: expect.stringContaining(text) },
    ]);
    expect(run.supply.released).toEqual([{ workerId: 'w1', reason: 'invocation-timeout' }]);
    await run.clock.advance(60_000);
    expect(run.worker.bodies('invocationRequest')).toHaveLength(1);
  });

  test('a wait for a retry ends with the app, and the event is lost, not failed', async () => {
    const retryOptions = {
      maxRetryCount: -1,
      delayInterval: { seconds: 600n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
      retryStrategy: 1,
    } as const;
    const { clock, runtime, invoke } = await createRun({ retryOptions }, () => invocationFailure('always'));
    const outcome = invoke();
    await clock.settle();
    const removed = runtime.removeApplication('sample:1', 1_000);
    expect(await outcome).toMatchObject({ kind: 'lost', reason: 'stopping' });
    await clock.runUntil(removed);
  });

  test('I1: a caller that gives up ends a wait, and a running function where its worker can', async () => {
    const { clock, worker, invoke } = await createRun({}, () => new Promise(() => {}), {
      HandlesInvocationCancelMessage: 'true',
    });
    const caller = new AbortController();
    const outcome = invoke({ signal: caller.signal });
    await clock.settle();
    caller.abort();
    await clock.settle();
    expect(worker.bodies('invocationCancel')).toEqual([
      { invocationId: worker.bodies('invocationRequest')[0]?.invocationId, gracePeriod: undefined },
    ]);
    worker.send({
      $case: 'invocationResponse',
      value: {
        ...invocationFailure('cancelled'),
        invocationId: worker.bodies('invocationRequest')[0]?.invocationId ?? '',
        result: { status: 2, result: '', exception: undefined, logs: [] },
      },
    });
    expect(await outcome).toMatchObject({ kind: 'cancelled' });
    const gone = new AbortController();
    gone.abort();
    worker.crash();
    await clock.settle();
    expect(await invoke({ signal: gone.signal })).toMatchObject({ kind: 'cancelled' });
  });
});
