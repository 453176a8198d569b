import { systemClock } from '@switchyard/kernel';
import { openPostgresql, postgresqlPart, type TestPostgresql } from '@switchyard/testkit/postgresql';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CapabilityInstance } from '../../capability-module.ts';
import { codeOf } from '../../testing/code-of.ts';
import { methodsOf } from '../../testing/methods-of.ts';
import { createDataCapability } from '../data-capability.ts';
import { sqlContractSuite } from '../testing/sql-contract-suite.ts';

let server: TestPostgresql;
let run = 0;

beforeAll(async () => {
  if (!postgresqlPart.skip) server = await openPostgresql();
});

afterAll(async () => {
  await server?.close();
});

beforeEach(async () => {
  if (postgresqlPart.skip) return;
  run += 1;
  await asOwner(`CREATE DATABASE test_${run}`);
});

async function asOwner(sql: string, database = 'postgres'): Promise<unknown[]> {
  const client = new pg.Client(server.address(database));
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const create = async (config: Readonly<Record<string, unknown>>): Promise<CapabilityInstance> =>
  createDataCapability({ clock: systemClock }).create({
    ...{ name: 'data.sql', version: '1.0.0', shard: 's', statePath: null },
    config: { engine: 'postgresql', connection: server.address(`test_${run}`), ...config },
  });

sqlContractSuite({
  ...{ title: 'PostgreSQL', skip: postgresqlPart.skip, parameter: (position: number) => `$${position}` },
  ...{ endless: 'SELECT pg_sleep(600)::text AS s', open: create },
});

describe.skipIf(postgresqlPart.skip)('PostgreSQL of many callers', () => {
  let instance: CapabilityInstance;

  afterEach(async () => {
    await instance.dispose?.();
  });

  test('I1: two statements in one text are refused by the server itself', async () => {
    instance = await create({});
    await expect(methodsOf(instance)('query', ['SELECT 1; SELECT 2'])).rejects.toThrow('multiple commands');
  });

  test('I2: a stopped call ends in the server too', async () => {
    instance = await create({});
    const controller = new AbortController();
    const running = methodsOf(instance)('query', ['SELECT pg_sleep(600)'], { signal: controller.signal });
    const active =
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state = 'active' AND pid <> pg_backend_pid()";
    await expect.poll(() => asOwner(active)).toEqual([{ n: 1 }]);
    controller.abort(new Error('released'));
    await expect(running).rejects.toThrow('released');
    await expect.poll(() => asOwner(active)).toEqual([{ n: 0 }]);
  });

  test('I3: a setting that a call changed is gone for the next', async () => {
    instance = await create({ maxConnections: 1 });
    const sql = methodsOf(instance);
    await sql('query', ["SELECT set_config('statement_timeout', '0', false)"]);
    await sql('query', ["SELECT set_config('app.account', 'ann', false)"]);
    expect(
      await sql('query', [
        "SELECT current_setting('app.account', true) AS a, current_setting('statement_timeout') AS t",
      ]),
    ).toEqual([{ a: '', t: '10s' }]);
    expect(await codeOf(() => sql('execute', ['SET statement_timeout = 0']))).toBe('SQL_REFUSED');
  });

  test('I4: a huge result is given up long before its end', async () => {
    instance = await create({ maxRows: 10 });
    const sql = methodsOf(instance);
    expect(await codeOf(() => sql('query', ['SELECT generate_series(1, 1000000000)']))).toBe('SQL_LIMIT_EXCEEDED');
    expect(await sql('query', ['SELECT 1 AS one'])).toEqual([{ one: 1 }]);
  });

  test('calls share few connections', async () => {
    instance = await create({ maxConnections: 3 });
    const sql = methodsOf(instance);
    const pids = await Promise.all(
      Array.from({ length: 30 }, async () => sql('query', ['SELECT pg_backend_pid() AS pid'])),
    );
    expect(new Set(pids.map((rows) => JSON.stringify(rows))).size).toBeLessThanOrEqual(3);
  });

  test('values have the kinds that callers expect', async () => {
    instance = await create({});
    const sql =
      "SELECT true AS b, '\\x00ff'::bytea AS y, 1.25::float8 AS f, 1.10::numeric AS n, '[1]'::json AS j, NULL AS z, $1::bytea AS in_";
    expect(await methodsOf(instance)('query', [sql, [new Uint8Array([7])]])).toEqual([
      { b: true, y: new Uint8Array([0, 255]), f: 1.25, n: '1.10', j: '[1]', z: null, in_: new Uint8Array([7]) },
    ]);
  });

  test('an account with a connection of its own uses that, and one without any has none', async () => {
    await asOwner(`CREATE DATABASE other_${run}`);
    instance = await create({ connection: undefined, connections: { bob: server.address(`other_${run}`) } });
    const sql = methodsOf(instance);
    expect(await sql('query', ['SELECT current_database() AS d'], { account: 'bob' })).toEqual([{ d: `other_${run}` }]);
    expect(await codeOf(() => sql('query', ['SELECT 1'], { account: 'ann' }))).toBe('SQL_UNAVAILABLE');
  });

  test('a server that is not there is an error that may pass, and says no password', async () => {
    const connection = 'postgresql://owner:hunter2@127.0.0.1:1/none';
    instance = await create({ connection });
    const failure = await methodsOf(instance)('query', ['SELECT 1']).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'SQL_UNAVAILABLE', retry: 'safe' });
    expect(String(failure)).not.toContain('hunter2');
  });
});
