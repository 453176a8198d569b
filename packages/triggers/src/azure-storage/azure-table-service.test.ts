import { TableClient } from '@azure/data-tables';
import { isPlatformError, Secret } from '@switchyard/kernel';
import { requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { testTableClient } from '../table/table-client-suite.ts';
import { type Azurite, azuriteHint, findAzurite, startAzurite } from '../testing/azurite.ts';
import { createAzureTableService } from './azure-table-service.ts';

const entry = findAzurite();
const part = requirePart('Azurite', entry !== undefined, azuriteHint);
const { signal } = new AbortController();

/** A port of the loopback interface that nothing listens on. */
const deadConnection: StorageConnection = {
  connectionString: new Secret(
    'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0a2V5;TableEndpoint=http://127.0.0.1:1/a;',
  ),
  queueEndpoint: 'http://127.0.0.1:1/a',
};

async function faultOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (thrown) {
    if (isPlatformError(thrown)) return thrown;
    throw thrown;
  }
  throw new Error('expected a PlatformError');
}

describe.skipIf(part.skip)('with a real service', () => {
  let azurite: Azurite | undefined;
  const service = createAzureTableService();
  beforeAll(async () => {
    azurite = await startAzurite(entry ?? '');
  });
  afterAll(() => azurite?.stop());

  testTableClient(
    'the library of Azure Tables',
    (name) => service.open(azurite?.connection ?? deadConnection, name),
    async (table, partitionKey, rowKey) => {
      const options = { allowInsecureConnection: true };
      const client = TableClient.fromConnectionString(azurite?.connectionString ?? '', table.name, options);
      return (await client.getEntity(partitionKey, rowKey)).etag;
    },
  );

  it('says why a filter is refused', async () => {
    const table = service.open(azurite?.connection ?? deadConnection, 'Filters');
    await table.create(signal);
    const fault = await faultOf(table.query({ filter: 'no filter', maxEntities: 1 }, signal));
    expect(fault).toMatchObject({ code: 'STORAGE_CALL_REFUSED', message: expect.stringContaining("table 'Filters'") });
  });

  it('I2: a wrong key is refused without quoting it', async () => {
    const key = 'd3JvbmcgYnV0IHNlY3JldA==';
    const wrong = new Secret((azurite?.connectionString ?? '').replace(/AccountKey=[^;]*/, `AccountKey=${key}`));
    const table = service.open({ ...deadConnection, connectionString: wrong }, 'Orders');
    const fault = await faultOf(table.get('p', 'r', signal));
    expect(fault).toMatchObject({ code: 'STORAGE_CALL_REFUSED', message: expect.stringContaining('403') });
    expect(JSON.stringify([fault.message, fault.cause])).not.toContain(key);
  });
});

describe('createAzureTableService', () => {
  it('I1: opening tables loads nothing; the first request does, once', async () => {
    let loads = 0;
    const service = createAzureTableService(() => {
      loads += 1;
      return import('@azure/data-tables');
    });
    const tables = ['Orders', 'Bills'].map((name) => service.open(deadConnection, name));
    expect(loads).toBe(0);
    await Promise.all(tables.map((table) => faultOf(table.create(signal))));
    await faultOf(service.open(deadConnection, 'More').create(signal));
    expect(loads).toBe(1);
  });

  it('says how to mend a missing library, and tries again later', async () => {
    let loads = 0;
    const table = createAzureTableService(async () => {
      loads += 1;
      if (loads === 1) throw new Error('cannot find it');
      return import('@azure/data-tables');
    }).open(deadConnection, 'Orders');
    expect(await faultOf(table.create(signal))).toMatchObject({
      code: 'STORAGE_SDK_MISSING',
      message: expect.stringMatching(/cannot find it.*[Ii]nstall/),
    });
    expect(await faultOf(table.create(signal))).toMatchObject({ code: 'STORAGE_CALL_FAILED' });
  });

  it('I2: names operation and table when nobody answers, and no key or address', async () => {
    const table = createAzureTableService().open(deadConnection, 'Orders');
    const fault = await faultOf(table.get('p', 'r', signal));
    expect(fault).toMatchObject({
      code: 'STORAGE_CALL_FAILED',
      message: expect.stringContaining("'get' on table 'Orders'"),
    });
    expect(JSON.stringify([fault.message, fault.cause])).not.toContain('c2VjcmV0');
  });

  it('makes an error of a connection string that the library does not take', async () => {
    const broken = { ...deadConnection, connectionString: new Secret('AccountName=a') };
    const table = createAzureTableService().open(broken, 'Orders');
    expect(await faultOf(table.create(signal))).toMatchObject({ code: 'STORAGE_CALL_REFUSED', retry: 'never' });
  });
});
