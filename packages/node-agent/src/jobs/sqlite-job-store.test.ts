import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it } from 'vitest';
import { describeJobStoreContract } from '../testing/job-store-contract.ts';
import { sampleJob } from '../testing/sample-job.ts';
import { openSqliteJobStore } from './sqlite-job-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-jobs-'));
let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.db`);
};
afterAll(() => rmSync(folder, { recursive: true }));

describeJobStoreContract('SqliteJobStore', () => openSqliteJobStore(newFile()));

it('I1: finds everything again after it was closed', () => {
  const path = newFile();
  const first = openSqliteJobStore(path);
  first.insert(sampleJob('queued'));
  first.insert(sampleJob('running', { labels: { master: 'm' } }));
  const running = first.update('running', { state: 'running', startedAtMs: 1, launchedAtMs: 2 });
  first.insert(sampleJob('done'));
  first.update('done', { state: 'running', startedAtMs: 1 });
  const done = first.update('done', { state: 'finished', finishedAtMs: 3, exitCode: 0, stdout: 'out' });
  first.close();

  const second = openSqliteJobStore(path);
  expect(second.get('running')).toEqual(running);
  expect(second.get('done')).toEqual(done);
  expect(second.unfinished().map(({ id }) => id)).toEqual(['queued', 'running']);
  expect(second.insert(sampleJob('done'))).toBeUndefined();
  second.close();
});

it('I2: prunes the older of two that ended at the same time', () => {
  const store = openSqliteJobStore(newFile());
  for (const id of ['a', 'b']) {
    store.insert(sampleJob(id));
    store.update(id, { state: 'failed', finishedAtMs: 1, error: { code: 'CANCELLED', message: 'gone' } });
  }
  expect(store.prune({ maxJobs: 1, maxAgeMs: 100, maxOutputBytes: 100 }, 1)).toBe(1);
  expect(store.get('b')).toBeDefined();
  store.close();
});

it('I3: refuses a second owner, other versions, and what is no database', () => {
  const path = newFile();
  const owner = openSqliteJobStore(path);
  expect(() => openSqliteJobStore(path)).toThrow(/cannot be opened: database is locked.*store\.path/);
  owner.close();
  const later = new DatabaseSync(path);
  later.exec('PRAGMA user_version = 9');
  later.close();
  expect(() => openSqliteJobStore(path)).toThrow('has version 9, and this agent reads version 1');
  expect(() => openSqliteJobStore(folder)).toThrow('unable to open');
});
