import { VirtualClock } from '@switchyard/testkit';
import { openPostgresql, postgresqlPart, type TestPostgresql } from '@switchyard/testkit/postgresql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../contract.ts';
import { describeStoreContract, type OpenedStore, put, sampleEvent } from '../testing/store-contract.ts';
import { openPostgresqlStore } from './pg-store.ts';

describe.skipIf(postgresqlPart.skip)('PostgreSQL', () => {
  let server: TestPostgresql;
  let schemas = 0;
  beforeAll(async () => {
    server = await openPostgresql();
  });
  afterAll(() => server.close());

  async function open({ quotas = {} } = {}): Promise<OpenedStore> {
    const clock = new VirtualClock();
    schemas += 1;
    const schema = `run_${schemas}`;
    const stores: Store[] = [];
    const join = async (): Promise<Store> => {
      const connectionString = server.address();
      const store = await openPostgresqlStore({ connectionString, schema, quotas, clock, connections: 4 });
      stores.push(store);
      return store;
    };
    const store = await join();
    return {
      store,
      clock,
      join,
      close: async () => {
        for (const each of stores) await each.close();
      },
    };
  }

  describeStoreContract('the store on PostgreSQL', open);

  it('I1: a commit that the database refuses in the middle leaves nothing behind', async () => {
    const { store, clock, close } = await open();
    const envelope = sampleEvent(clock);
    // Beyond 64 bits: the database takes the document and refuses the event.
    const events = [{ topic: 'topic', envelope, notBeforeMs: 1e30 }];
    await expect(store.commit({ writes: [put('a', 1)], events })).rejects.toThrow(
      /PostgreSQL did not do what was asked/,
    );
    expect(await store.documents.get('thing', 'a')).toBeUndefined();
    expect((await store.commit({ writes: [put('a', 1)] })).kind).toBe('committed');
    await close();
  });

  it('I2: without a clock the time of the database decides', async () => {
    const connectionString = server.address();
    const store = await openPostgresqlStore({ connectionString, schema: 'own_time' });
    const [before] = [await store.leases.acquire('a', 'one', 60_000)];
    if (before.kind !== 'held') throw new Error(before.kind);
    await store.commit({ writes: [put('a', 1)] });
    const document = await store.documents.get('thing', 'a');
    // Written after the lease was taken, by the same clock.
    expect(document?.createdAtMs).toBeGreaterThanOrEqual(before.lease.expiresAtMs - 60_000);
    expect(document?.createdAtMs).toBeLessThan(before.lease.expiresAtMs);
    await store.close();
  });

  it('I3: a database that is gone is an error that says so, and nothing of the password', async () => {
    const connectionString = 'postgresql://owner:hunter2@127.0.0.1:1/postgres';
    const failed = await openPostgresqlStore({ connectionString }).catch((thrown: unknown) => thrown);
    expect(String(failed)).toMatch(/The database PostgreSQL did not do what was asked: .*ECONNREFUSED/);
    expect(JSON.stringify(failed)).not.toContain('hunter2');
  });

  it('I3: connections that the database ends are replaced', async () => {
    const { store, join, close } = await open();
    const other = await join();
    await store.commit({ writes: [put('a', 1)] });
    await server.endConnections();
    await expect.poll(() => store.documents.get('thing', 'a').catch(() => undefined)).toMatchObject({ value: 1 });
    await expect
      .poll(() => other.commit({ writes: [put('b', 1)] }).catch(() => undefined))
      .toMatchObject({
        kind: 'committed',
      });
    await close();
  });

  it('refuses a schema that is no name', async () => {
    const connectionString = server.address();
    await expect(openPostgresqlStore({ connectionString, schema: 'a; DROP' })).rejects.toThrow(/the schema 'a; DROP'/);
  });

  it('lets several control planes start on an empty database at once', async () => {
    const options = { connectionString: server.address(), schema: 'many' };
    const stores = await Promise.all(Array.from({ length: 5 }, () => openPostgresqlStore(options)));
    const outcomes = await Promise.all(stores.map((store) => store.commit({ writes: [put('first', 1, 0)] })));
    expect(outcomes.filter(({ kind }) => kind === 'committed')).toHaveLength(1);
    for (const store of stores) await store.close();
  });
});
