import { expect, it } from 'vitest';
import { describeJobStoreContract } from '../testing/job-store-contract.ts';
import { sampleJob } from '../testing/sample-job.ts';
import { MemoryJobStore } from './memory-job-store.ts';

describeJobStoreContract('MemoryJobStore', () => new MemoryJobStore());

it('I1: lists unfinished jobs in the order of their sequence', () => {
  const store = new MemoryJobStore();
  for (const id of ['c', 'a', 'b']) store.insert(sampleJob(id));
  store.update('a', { state: 'running', startedAtMs: 1 });
  expect(store.unfinished().map(({ id, sequence }) => [id, sequence])).toEqual([
    ['c', 1],
    ['a', 2],
    ['b', 3],
  ]);
});

it('I2: prunes in the order in which jobs ended, not in which they came', () => {
  const store = new MemoryJobStore();
  for (const id of ['a', 'b']) store.insert(sampleJob(id));
  for (const id of ['b', 'a'])
    store.update(id, { state: 'failed', finishedAtMs: 1, error: { code: 'CANCELLED', message: 'gone' } });
  expect(store.prune({ maxJobs: 1, maxAgeMs: 100, maxOutputBytes: 100 }, 1)).toBe(1);
  expect(store.get('a')).toBeDefined();
});
