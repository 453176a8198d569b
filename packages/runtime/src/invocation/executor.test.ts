import { silentLog, silentMeter } from '@switchyard/kernel';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import type { InvocationOutcome } from '@switchyard/triggers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import { defaultLimits } from '../limits.ts';
import { freeShare } from '../testing/free-share.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';
import { createReadyWorker, sampleAnswer } from '../testing/sample-worker.ts';
import { noCapabilities } from '../worker-registry/capabilities.ts';
import { Executor } from './executor.ts';

const labels = { succeeded: {}, failed: {}, cancelled: {}, lost: {} };
const entry = {
  metadata: { name: 'work', functionId: 'work', trigger: { name: 'event' } },
  inputs: [],
  outputs: [],
  outputNames: new Set(),
  hasReturnBinding: false,
  retry: undefined,
  logCategory: 'Function.work',
  labels,
} as unknown as FunctionEntry;

function createExecutor() {
  const clock = new VirtualClock();
  const dispatcher = new Dispatcher(
    { clock, log: silentLog, meter: silentMeter, share: () => freeShare },
    {
      applicationId: 'sample',
      strategy: 'leastLoaded',
      functionTimeoutMs: 10_000,
      holdMs: defaultLimits.workerWaitMs,
      limits: defaultLimits,
      onStarving: () => {},
      onTimeout: (worker) => dispatcher.removeWorker(worker, 'timeout'),
      onStalled: () => {},
      onRelieved: () => {},
    },
  );
  const executor = new Executor({
    clock,
    random: createSeededRandom(3),
    log: silentLog,
    meter: silentMeter,
    dispatcher,
    capabilities: () => noCapabilities,
  });
  const event = () => ({ data: { data: undefined }, metadata: new Map(), reason: 'test' });
  const run = (made: () => ReturnType<typeof event> = event) => {
    const outcomes: InvocationOutcome[] = [];
    const invocation = executor.run(
      entry,
      { reason: 'test', event: made },
      { keepsId: true, retries: true },
      (outcome) => outcomes.push(outcome),
    );
    return { outcomes, invocation };
  };
  return { clock, dispatcher, executor, run };
}

describe('Executor', () => {
  test('I1: counts what has no outcome yet, and is idle when that is nothing', async () => {
    const { dispatcher, executor, run } = createExecutor();
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    await executor.whenIdle();
    const { invocation } = run();
    let isIdle = false;
    const idle = executor.whenIdle().then(() => {
      isIdle = true;
    });
    expect([executor.active, isIdle]).toEqual([1, false]);
    dispatcher.answer(worker, sampleAnswer(invocation.invocationId));
    await idle;
    expect(executor.active).toBe(0);
    run();
    expect(executor.active).toBe(1);
  });

  test('I2: an event that cannot be made fails its own invocation', () => {
    const { dispatcher, run } = createExecutor();
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    const { outcomes } = run(() => {
      throw new TypeError('no such thing');
    });
    expect(outcomes).toMatchObject([{ kind: 'failed', error: { message: 'no such thing' } }]);
    expect(channel.sent).toEqual([]);
  });

  test('I1: every run has exactly one outcome, whatever happens', async () => {
    const step = fc.record({
      kind: fc.constantFrom('run', 'answer', 'cancel', 'add', 'lose', 'wait'),
      pick: fc.nat({ max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { clock, dispatcher, executor, run } = createExecutor();
        const runs: ReturnType<typeof run>[] = [];
        let workers: ReturnType<typeof createReadyWorker>[] = [];
        for (const { kind, pick } of steps) {
          const one = workers[pick % Math.max(1, workers.length)];
          if (kind === 'run') runs.push(run());
          else if (kind === 'answer' && one) {
            const oldest = one.worker.inFlight.oldest();
            if (oldest) dispatcher.answer(one.worker, sampleAnswer(oldest.invocationId));
          } else if (kind === 'cancel') runs[pick % Math.max(1, runs.length)]?.invocation.cancel();
          else if (kind === 'add') {
            const added = createReadyWorker({ workerId: `w${workers.length}` });
            workers.push(added);
            dispatcher.addWorker(added.worker, added.channel);
          } else if (kind === 'lose' && one) {
            workers = workers.filter((other) => other !== one);
            dispatcher.removeWorker(one.worker, 'test');
          } else if (kind === 'wait') await clock.advance(pick * 500);
          expect(executor.active).toBe(runs.filter(({ outcomes }) => outcomes.length === 0).length);
        }
        executor.close();
        dispatcher.close();
        for (const { worker } of workers) dispatcher.removeWorker(worker, 'end');
        await executor.whenIdle();
        expect(runs.every(({ outcomes }) => outcomes.length === 1)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('I1: what is held counts as running until it is let go, once', async () => {
    const { executor } = createExecutor();
    const [first, second] = [executor.hold(), executor.hold()];
    let isIdle = false;
    const idle = executor.whenIdle().then(() => {
      isIdle = true;
    });
    first();
    first();
    await Promise.resolve();
    expect([executor.active, isIdle]).toEqual([1, false]);
    second();
    await idle;
    expect(executor.active).toBe(0);
  });

  test('runs many at once and tells them apart', async () => {
    const clock = new VirtualClock();
    const harness = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog() });
    const added = harness.runtime.addApplication(createApplication());
    createFakeWorker(harness.dial('w1'), {
      workerId: 'w1',
      functions: [{ name: 'work', bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] }],
      onInvocation: ({ inputData }) => {
        const [input] = inputData;
        return invocationSuccess(input?.rpcData?.$case === 'data' ? { returnValue: input.rpcData.value } : {});
      },
    });
    await added;
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        harness.kinds.listeners[0]?.context.invoke({
          data: { data: { $case: 'string', value: String(index) } },
          metadata: new Map(),
          reason: 'test',
        }),
      ),
    );
    const values = outcomes.map((outcome) => outcome?.kind === 'succeeded' && outcome.returnValue?.data?.value);
    expect(values).toEqual(Array.from({ length: 300 }, (_, index) => String(index)));
  });
});
