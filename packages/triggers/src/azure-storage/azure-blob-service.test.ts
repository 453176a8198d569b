import { isPlatformError, Secret } from '@switchyard/kernel';
import { requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testBlobContainer } from '../blob/blob-client-suite.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { type Azurite, azuriteHint, findAzurite, startAzurite } from '../testing/azurite.ts';
import { createAzureBlobService } from './azure-blob-service.ts';

const entry = findAzurite();
const part = requirePart('Azurite', entry !== undefined, azuriteHint);
const { signal } = new AbortController();

/** A port of the loopback interface that nothing listens on. */
const deadConnection: StorageConnection = {
  connectionString: new Secret(
    'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0a2V5;BlobEndpoint=http://127.0.0.1:1/a;',
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
  const service = createAzureBlobService();
  beforeAll(async () => {
    azurite = await startAzurite(entry ?? '');
  });
  afterAll(() => azurite?.stop());

  testBlobContainer('the library of Azure Storage', (name) =>
    service.open(azurite?.connection ?? deadConnection, name),
  );

  it('I2: a wrong key is refused without quoting it', async () => {
    const key = 'd3JvbmcgYnV0IHNlY3JldA==';
    const right = azurite?.connectionString ?? '';
    const wrong = new Secret(right.replace(/AccountKey=[^;]*/, `AccountKey=${key}`));
    const container = service.open({ ...deadConnection, connectionString: wrong }, 'orders');
    const fault = await faultOf(container.list({ maxBlobs: 1 }, signal));
    expect(fault).toMatchObject({ code: 'STORAGE_CALL_REFUSED', message: expect.stringContaining('403') });
    expect(JSON.stringify([fault.message, fault.cause])).not.toContain(key);
  });
});

describe('createAzureBlobService', () => {
  it('I1: opening containers loads nothing; the first request does, once', async () => {
    let loads = 0;
    const service = createAzureBlobService(() => {
      loads += 1;
      return import('@azure/storage-blob');
    });
    const containers = ['orders', 'bills'].map((name) => service.open(deadConnection, name));
    expect(loads).toBe(0);
    await Promise.all(containers.map((container) => faultOf(container.create(signal))));
    await faultOf(service.open(deadConnection, 'more').create(signal));
    expect(loads).toBe(1);
  });

  it('says how to mend a missing library, and tries again later', async () => {
    let loads = 0;
    const container = createAzureBlobService(async () => {
      loads += 1;
      if (loads === 1) throw new Error('cannot find it');
      return import('@azure/storage-blob');
    }).open(deadConnection, 'orders');
    expect(await faultOf(container.create(signal))).toMatchObject({
      code: 'STORAGE_SDK_MISSING',
      message: expect.stringMatching(/cannot find it.*[Ii]nstall/),
    });
    expect(await faultOf(container.create(signal))).toMatchObject({ code: 'STORAGE_CALL_FAILED' });
  });

  it('I2: names operation and blob when nobody answers, and no key or address', async () => {
    const container = createAzureBlobService().open(deadConnection, 'orders');
    const fault = await faultOf(container.properties('a/b', signal));
    expect(fault).toMatchObject({
      code: 'STORAGE_CALL_FAILED',
      message: expect.stringContaining("'get properties' on blob 'orders/a/b'"),
    });
    expect(fault.message).toContain('ECONNREFUSED');
    expect(JSON.stringify([fault.message, fault.cause])).not.toContain('c2VjcmV0');
  });

  it('makes an error of a connection string that the library does not take', async () => {
    const broken = { ...deadConnection, connectionString: new Secret('AccountName=a') };
    const container = createAzureBlobService().open(broken, 'orders');
    expect(await faultOf(container.create(signal))).toMatchObject({ code: 'STORAGE_CALL_REFUSED', retry: 'never' });
  });
});
