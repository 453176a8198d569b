import { createDeferred } from '@switchyard/kernel';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { libraryErrors } from '../errors.ts';
import { JobRunner, type JobWork } from './job-runner.ts';
import { JobStore } from './job-store.ts';

let clock: VirtualClock;
let store: JobStore;
let runner: JobRunner;
let begun: number;
let work: JobWork;

beforeEach(() => {
  clock = new VirtualClock();
  begun = 0;
  work = async () => 'done';
  const random = createSeededRandom(3);
  store = new JobStore({ clock, random }, { path: ':memory:', maxOpenPerAccount: 100, keptHours: 1 });
  const kinds = new Map<string, JobWork>([
    [
      'k',
      (payload, signal) => {
        begun += 1;
        return work(payload, signal);
      },
    ],
  ]);
  runner = new JobRunner(
    { clock, random, store, kinds },
    { concurrency: 2, maxAttemptMs: 10_000, retryMinimumMs: 1_000 },
  );
});

afterEach(() => {
  runner.close();
  store.close();
});

const submit = (kind = 'k', delayMs = 0): string => {
  const id = store.submit('ann', {
    kind,
    payload: null,
    dueAtMs: clock.now() + delayMs,
    maxAttempts: 3,
    key: undefined,
  });
  runner.wake();
  return id;
};

const passing = () => libraryErrors.create('WEB_REQUEST_FAILED', { url: 'u', reason: 'busy' });

test('I1: only so many run at once, and the next begins when one ends', async () => {
  const gate = createDeferred<void>();
  work = () => gate.promise;
  for (let index = 0; index < 5; index += 1) submit();
  expect(begun).toBe(2);
  gate.resolve();
  await clock.settle();
  expect(begun).toBe(5);
});

test('I2: what may pass is tried again after growing pauses, and not for ever', async () => {
  work = () => Promise.reject(passing());
  const id = submit();
  await clock.settle();
  expect(store.status('ann', id)).toMatchObject({
    state: 'queued',
    attempts: 1,
    error: expect.stringContaining('busy'),
  });
  await clock.advance(600_000);
  expect(store.status('ann', id)).toMatchObject({ state: 'failed', attempts: 3 });
  work = () => Promise.reject(new Error('for good'));
  const hopeless = submit();
  await clock.settle();
  expect(store.status('ann', hopeless)).toMatchObject({ state: 'failed', attempts: 1, error: 'for good' });
  const unknown = submit('unknown');
  await clock.settle();
  expect(store.status('ann', unknown)).toMatchObject({
    state: 'failed',
    error: expect.stringContaining('no such kind'),
  });
});

test('I3: cancelling stops the work, and so does taking too long', async () => {
  const reasons: unknown[] = [];
  work = (_payload, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reasons.push(String(signal.reason));
        reject(signal.reason);
      });
    });
  const id = submit();
  store.cancel('ann', id);
  runner.cancelled(id);
  await clock.settle();
  const late = submit();
  await clock.advance(10_000);
  expect(reasons).toEqual([expect.stringContaining('cancelled'), expect.stringContaining('10000 ms')]);
  expect(store.status('ann', late)).toMatchObject({ state: 'failed' });
});

test('I4: after the end nothing begins, and what ran is left to the next runner', async () => {
  const gate = createDeferred<void>();
  work = () => gate.promise;
  const id = submit();
  runner.close();
  gate.resolve();
  await clock.settle();
  submit();
  expect(begun).toBe(1);
  expect(store.status('ann', id)).toMatchObject({ state: 'running' });
});

test('begins a job when it becomes due, and not before', async () => {
  submit('k', 5_000);
  await clock.advance(4_999);
  expect(begun).toBe(0);
  await clock.advance(1);
  expect(begun).toBe(1);
});
