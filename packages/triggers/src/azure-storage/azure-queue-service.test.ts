import { isPlatformError, Secret } from '@switchyard/kernel';
import { requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testQueueClient } from '../queue/queue-client-suite.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { type Azurite, azuriteHint, findAzurite, startAzurite } from '../testing/azurite.ts';
import { createAzureQueueService } from './azure-queue-service.ts';

const entry = findAzurite();
const part = requirePart('Azurite', entry !== undefined, azuriteHint);
const { signal } = new AbortController();

/** A port of the loopback interface that nothing listens on. */
const deadConnection: StorageConnection = {
  connectionString: new Secret(
    'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0a2V5;QueueEndpoint=http://127.0.0.1:1/a;',
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
  const service = createAzureQueueService();
  beforeAll(async () => {
    azurite = await startAzurite(entry ?? '');
  });
  afterAll(() => azurite?.stop());

  const connection = (): StorageConnection => azurite?.connection ?? deadConnection;
  testQueueClient('the library of Azure Storage', (name) => service.open(connection(), name));

  it('I2: a wrong key is refused without quoting it', async () => {
    const key = 'd3JvbmcgYnV0IHNlY3JldA==';
    const text = `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${key};QueueEndpoint=${connection().queueEndpoint};`;
    const client = service.open({ ...connection(), connectionString: new Secret(text) }, 'orders');
    const fault = await faultOf(client.receive(1, 1_000, signal));
    expect(fault).toMatchObject({ code: 'STORAGE_REQUEST_REFUSED', message: expect.stringContaining('403') });
    expect(JSON.stringify([fault.message, fault.cause])).not.toContain(key);
  });
});

describe('createAzureQueueService', () => {
  it('I1: opening queues loads nothing; the first request does, once', async () => {
    let loads = 0;
    const service = createAzureQueueService(() => {
      loads += 1;
      return import('@azure/storage-queue');
    });
    const clients = ['orders', 'bills'].map((name) => service.open(deadConnection, name));
    expect(loads).toBe(0);
    await Promise.all(clients.map((client) => faultOf(client.create(signal))));
    await faultOf(service.open(deadConnection, 'more').create(signal));
    expect(loads).toBe(1);
  });

  it('says how to mend a missing library, and tries again later', async () => {
    let loads = 0;
    const client = createAzureQueueService(async () => {
      loads += 1;
      if (loads === 1) throw new Error('cannot find it');
      return import('@azure/storage-queue');
    }).open(deadConnection, 'orders');
    expect(await faultOf(client.create(signal))).toMatchObject({
      code: 'STORAGE_SDK_MISSING',
      message: expect.stringMatching(/cannot find it.*[Ii]nstall/),
    });
    expect(await faultOf(client.create(signal))).toMatchObject({ code: 'STORAGE_REQUEST_FAILED' });
  });

  it('I2: names operation and queue when nobody answers, and no key or address', async () => {
    const client = createAzureQueueService().open(deadConnection, 'orders');
    const fault = await faultOf(client.send('text', signal));
    expect(fault).toMatchObject({
      code: 'STORAGE_REQUEST_FAILED',
      message: expect.stringContaining("'send' on queue 'orders'"),
    });
    expect(fault.message).toContain('ECONNREFUSED');
    expect(JSON.stringify([fault.message, fault.cause])).not.toContain('c2VjcmV0');
  });

  it('makes an error of a connection string that the library does not take', async () => {
    const broken = { ...deadConnection, connectionString: new Secret('AccountName=a') };
    const client = createAzureQueueService().open(broken, 'orders');
    expect(await faultOf(client.create(signal))).toMatchObject({ code: 'STORAGE_REQUEST_FAILED' });
  });
});
