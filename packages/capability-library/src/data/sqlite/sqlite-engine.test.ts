import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@switchyard/kernel';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CapabilityInstance } from '../../capability-module.ts';
import { bundleThreads } from '../../testing/bundle-threads.ts';
import { codeOf } from '../../testing/code-of.ts';
import { methodsOf } from '../../testing/methods-of.ts';
import { createDataCapability } from '../data-capability.ts';
import { sqlContractSuite } from '../testing/sql-contract-suite.ts';

const programs = await bundleThreads('sqlite');
const folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
let run = 0;

afterAll(() => rmSync(folder, { recursive: true }));

const create = async (config: Readonly<Record<string, unknown>>, state: string | null): Promise<CapabilityInstance> =>
  createDataCapability({ clock: systemClock, programs }).create({
    ...{ name: 'data.sql', version: '1.0.0', shard: 's', config, statePath: state },
  });

const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n';

beforeEach(() => {
  run += 1;
});

sqlContractSuite({
  ...{ title: 'SQLite', parameter: () => '?', endless },
  open: (config) => create(config, join(folder, `state-${run}`)),
});

describe('SQLite of many accounts', () => {
  let instance: CapabilityInstance | undefined;

  afterEach(async () => {
    await instance?.dispose?.();
  });

  test('I1: each account has a file of its own', async () => {
    instance = await create({}, join(folder, `state-${run}`));
    const sql = methodsOf(instance);
    for (const account of ['ann', '../../ann', 'bob']) {
      await sql('execute', ['CREATE TABLE t (account TEXT)'], { account });
      await sql('execute', ['INSERT INTO t VALUES (?)', [account]], { account });
    }
    expect(await sql('query', ['SELECT account FROM t'], { account: 'bob' })).toEqual([{ account: 'bob' }]);
    const files = readdirSync(join(folder, `state-${run}.accounts`)).filter((name) => name.endsWith('.sqlite'));
    expect(files).toHaveLength(3);
    expect(files.every((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))).toBe(true);
  });

  test('I2: only so many databases are open; the rest stays on disk', async () => {
    instance = await create({ maxOpenAccounts: 2 }, join(folder, `state-${run}`));
    const sql = methodsOf(instance);
    for (const account of ['a', 'b', 'c', 'd']) await sql('execute', ['CREATE TABLE t (x)'], { account });
    for (const account of ['a', 'b', 'c', 'd'])
      expect(await sql('query', ['SELECT x FROM t'], { account })).toEqual([]);
    await instance.dispose?.();
    instance = await create({ maxOpenAccounts: 1 }, null);
    const memory = methodsOf(instance);
    await memory('query', ['SELECT 1'], { account: 'a' });
    expect(await codeOf(() => memory('query', ['SELECT 1'], { account: 'b' }))).toBe('TASKS_EXHAUSTED');
  });

  test('no SQL reaches another file, an extension or the settings of the connection', async () => {
    instance = await create({}, join(folder, `state-${run}`));
    const sql = methodsOf(instance);
    const other = join(folder, `other-${run}.db`);
    const attempts = [
      `ATTACH '${other}' AS other`,
      `VACUUM INTO '${other}'`,
      "SELECT load_extension('libc.so.6')",
      'PRAGMA journal_mode = DELETE',
      'PRAGMA database_list',
      'PRAGMA writable_schema = ON',
      'CREATE TEMP TABLE t (x)',
      "SELECT writefile('x', 'y')",
    ];
    for (const attempt of attempts) {
      expect(await codeOf(() => sql('execute', [attempt]))).toBe('SQL_REFUSED');
      expect(await codeOf(() => sql('query', [attempt]))).toBe('SQL_REFUSED');
    }
    expect(existsSync(other)).toBe(false);
    await sql('execute', ['CREATE TABLE t (x)']);
    expect(await sql('query', ["SELECT name FROM pragma_table_info('t')"])).toEqual([{ name: 'x' }]);
  });

  test('a database that grows beyond its size is stopped there', async () => {
    instance = await create({ maxDatabaseBytes: 200_000 }, join(folder, `state-${run}`));
    const sql = methodsOf(instance);
    await sql('execute', ['CREATE TABLE t (x)']);
    await expect(sql('execute', ['INSERT INTO t VALUES (zeroblob(400000))'])).rejects.toThrow('size that it may have');
    expect(await sql('query', ['SELECT count(*) AS n FROM t'])).toEqual([{ n: 0 }]);
  });

  test('bytes go in and out as they are', async () => {
    instance = await create({}, null);
    const sql = methodsOf(instance);
    expect(await sql('query', ['SELECT ? AS b, ? AS n, ? AS yes', [new Uint8Array([0, 255]), null, true]])).toEqual([
      { b: new Uint8Array([0, 255]), n: null, yes: 1 },
    ]);
  });

  test.each([
    [{ engine: 'oracle' }, 'engine'],
    [{ engine: 'postgresql' }, "needs 'connection'"],
    [{ engine: 'postgresql', connection: 'mysql://x' }, 'postgresql://'],
    [{ maxRows: 0 }, 'maxRows'],
    [{ folder: 'relative' }, 'folder'],
  ])('refuses the configuration %j', async (config, reason) => {
    await expect(create(config, null)).rejects.toThrow(reason);
    expect(await codeOf(() => create(config, null))).toBe('CAPABILITY_CONFIG_INVALID');
  });
});
