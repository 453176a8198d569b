import { openPostgresql, postgresqlPart, type TestPostgresql } from '@switchyard/testkit/postgresql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { storeContract } from '../../testing/store-contract.ts';
import type { ScaleStore } from '../contract.ts';
import { openPostgresqlScaleStore } from './pg-scale-store.ts';

describe.skipIf(postgresqlPart.skip)('openPostgresqlScaleStore', () => {
  let server: TestPostgresql;
  let schemas = 0;
  const opened: ScaleStore[] = [];
  beforeAll(async () => {
    server = await openPostgresql();
  });
  afterAll(() => server.close());
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    schemas += 1;
  });

  const open = async (): Promise<ScaleStore> => {
    const store = await openPostgresqlScaleStore({ connectionString: server.address(), schema: `run_${schemas}` });
    opened.push(store);
    return store;
  };

  storeContract({ it, equal: (actual, expected) => expect(actual).toEqual(expected) }, open);

  it('I2: revisions are of the whole store', async () => {
    const [store, other] = [await open(), await open()];
    const first = await store.write('claim', 'w1', {}, 0);
    const second = await other.write('lease', 'controller', {}, 0);
    if (first.kind !== 'written' || second.kind !== 'written') throw new Error('nothing was there');
    expect(second.revision).toBeGreaterThan(first.revision);
  });

  it('I3: has after a restart what was written before', async () => {
    const store = await open();
    const outcome = await store.write('scale', 'shop', { maximum: 3 }, 0);
    await store.close();
    const revision = outcome.kind === 'written' ? outcome.revision : -1;
    expect(await (await open()).read('scale', 'shop')).toEqual({ key: 'shop', revision, body: { maximum: 3 } });
  });

  it('I4: a database that is gone is an error that says so, and nothing of the password', async () => {
    const connectionString = 'postgresql://owner:hunter2@127.0.0.1:1/postgres';
    const failed = await openPostgresqlScaleStore({ connectionString }).catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject({ code: 'SCALE_DATABASE_UNAVAILABLE' });
    expect(String(failed)).toContain('ECONNREFUSED');
    expect(JSON.stringify(failed)).not.toContain('hunter2');
  });

  it('I4: connections that the database ends are replaced', async () => {
    const store = await open();
    await store.write('scale', 'shop', 1, 0);
    await server.endConnections();
    await expect.poll(() => store.read('scale', 'shop').catch(() => undefined)).toMatchObject({ body: 1 });
  });

  it('lets several controllers start on an empty database at once, and refuses what it does not know', async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, open));
    const outcomes = await Promise.all(stores.map((store) => store.write('lease', 'controller', 1, 0)));
    expect(outcomes.filter(({ kind }) => kind === 'written')).toHaveLength(1);
    const connectionString = server.address();
    await expect(openPostgresqlScaleStore({ connectionString, schema: 'a; DROP' })).rejects.toThrow(/'a; DROP'/);
  });
});
