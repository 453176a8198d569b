import { systemClock } from '@switchyard/kernel';
import { expect, test } from 'vitest';
import { bundleThreads } from '../../testing/bundle-threads.ts';
import { codeOf } from '../../testing/code-of.ts';
import type { SqlCall } from '../sql-database.ts';
import { SqliteWorker } from './sqlite-worker.ts';

const deps = { clock: systemClock, programs: await bundleThreads('sqlite') };
const options = { path: ':memory:', readOnly: false, busyTimeoutMs: 100, maxDatabaseBytes: 1_000_000 };
const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n';

function callOf(sql: string, change: Partial<SqlCall> = {}): SqlCall {
  return {
    ...{ statements: [{ sql, parameters: [] }], transaction: false, readOnly: true },
    ...{ limits: { maxRows: 10, maxResultBytes: 1_000, timeoutMs: 10_000 }, signal: new AbortController().signal },
    ...change,
  };
}

test('a call that takes too long, or is stopped, ends the thread', async () => {
  const late = new SqliteWorker(deps, options);
  const limits = { maxRows: 10, maxResultBytes: 1_000, timeoutMs: 50 };
  expect(await codeOf(() => late.run(callOf(endless, { limits })))).toBe('SQL_DEADLINE_PASSED');
  expect(late.usable).toBe(false);
  const stopped = new SqliteWorker(deps, options);
  const controller = new AbortController();
  const running = stopped.run(callOf(endless, { signal: controller.signal }));
  controller.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
  expect(stopped.usable).toBe(false);
});

test('a thread that dies fails its call and is used no more', async () => {
  const worker = new SqliteWorker(deps, { ...options, path: '/nowhere/at/all.sqlite' });
  expect(await codeOf(() => worker.run(callOf('SELECT 1')))).toBe('SQL_UNAVAILABLE');
  expect(worker.usable).toBe(false);
  await worker.close();
});

test('answers calls one after the other and closes', async () => {
  const worker = new SqliteWorker(deps, options);
  expect(await worker.run(callOf('SELECT 1 AS one'))).toEqual([{ rows: [{ one: 1 }], changes: 0 }]);
  await worker.close();
  expect(worker.usable).toBe(false);
});
