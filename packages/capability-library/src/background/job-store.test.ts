import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codeOf } from '../testing/code-of.ts';
import { JobStore, type NewJob } from './job-store.ts';

let folder: string;
let clock: VirtualClock;
let store: JobStore;
let random: ReturnType<typeof createSeededRandom>;

const openStore = (): JobStore =>
  new JobStore({ clock, random }, { path: join(folder, 'jobs.sqlite'), maxOpenPerAccount: 10, keptHours: 1 });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobs-'));
  clock = new VirtualClock();
  random = createSeededRandom(7);
  store = openStore();
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const job = (change: Partial<NewJob> = {}): NewJob => ({
  ...{ kind: 'k', payload: { a: 1 }, dueAtMs: 0, maxAttempts: 3, key: undefined },
  ...change,
});

test('I1: an account sees and cancels its own jobs only', async () => {
  const id = store.submit('ann', job());
  expect(store.list('bob', 10)).toEqual([]);
  expect(await codeOf(() => store.status('bob', id))).toBe('JOB_UNKNOWN');
  expect(await codeOf(() => store.cancel('bob', id))).toBe('JOB_UNKNOWN');
  expect(store.status('ann', id)).toMatchObject({ state: 'queued', attempts: 0, error: '' });
});

test('I2: a job is claimed once, in the order in which jobs are due, and an old claim finishes nothing', async () => {
  const late = store.submit('ann', job({ dueAtMs: clock.now() + 1_000 }));
  const soon = store.submit('ann', job());
  const first = store.claim();
  expect([first?.id, first?.payload, first?.attempts]).toEqual([soon, { a: 1 }, 1]);
  expect(store.claim()).toBeUndefined();
  expect(store.nextDueAtMs()).toBe(clock.now() + 1_000);
  await clock.advance(1_000);
  expect(store.claim()?.id).toBe(late);
  if (first === undefined) throw new Error('nothing was claimed');
  store.retry(first, clock.now(), 'once more');
  const second = store.claim();
  store.finish(first, { result: 'old' });
  expect(store.status('ann', soon)).toMatchObject({ state: 'running', attempts: 2, error: 'once more' });
  if (second !== undefined) store.finish(second, { result: 'new' });
  expect(store.status('ann', soon)).toMatchObject({ state: 'done', result: 'new', error: '' });
});

test('I3: what ran is queued again after a restart', () => {
  const id = store.submit('ann', job());
  store.claim();
  store.close();
  store = openStore();
  expect(store.claim()).toMatchObject({ id, attempts: 2 });
});

test('I4: what was cancelled stays so', () => {
  const id = store.submit('ann', job());
  const claimed = store.claim();
  expect([store.cancel('ann', id), store.cancel('ann', id)]).toEqual([true, false]);
  if (claimed !== undefined) {
    store.finish(claimed, { result: 1 });
    store.retry(claimed, 0, 'x');
  }
  expect(store.status('ann', id)).toMatchObject({ state: 'cancelled', result: null });
  expect(store.claim()).toBeUndefined();
});

test('I5: a key names one job of an account', () => {
  const first = store.submit('ann', job({ key: 'daily' }));
  expect(store.submit('ann', job({ key: 'daily', payload: 2 }))).toBe(first);
  expect(store.submit('bob', job({ key: 'daily' }))).not.toBe(first);
});

test('forgets what ended long ago, and takes only so many open jobs', async () => {
  const id = store.submit('ann', job());
  const claimed = store.claim();
  if (claimed !== undefined) store.finish(claimed, { error: 'broken' });
  store.purge();
  expect(store.status('ann', id)).toMatchObject({ state: 'failed', error: 'broken' });
  await clock.advance(3_600_001);
  store.purge();
  expect(await codeOf(() => store.status('ann', id))).toBe('JOB_UNKNOWN');
  for (let index = 0; index < 10; index += 1) store.submit('ann', job());
  expect(await codeOf(() => store.submit('ann', job()))).toBe('TASKS_EXHAUSTED');
});
