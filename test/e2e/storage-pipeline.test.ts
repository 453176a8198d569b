/** The example app `storage-pipeline`, on a real storage emulator: HTTP -> queue -> blob -> queue. */
import { BlobServiceClient } from '@azure/storage-blob';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';
import { azuriteEntry, azuritePart, openQueue, type TestQueue } from './queues.ts';

describe.skipIf(azuritePart.skip)('the storage pipeline', () => {
  let azurite: Azurite;
  let counts: TestQueue;
  let dev: DevProcess;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
    counts = await openQueue(azurite.connectionString, 'word-counts');
  });
  afterAll(() => azurite.stop());
  afterEach(() => dev.close());

  const start = async (): Promise<void> => {
    const environment = { AzureWebJobsStorage: azurite.connectionString };
    dev = await startDevProcess({ apps: [exampleApp('storage-pipeline')], environment });
  };
  const send = (id: string, text: string): Promise<Answer> =>
    dev.request('/api/documents', { body: JSON.stringify({ id, text }) });

  it('carries a document through, and counts every version of it once', async () => {
    await start();
    const accepted = await send('poem', 'The sea, the sea');
    expect(accepted).toMatchObject({ status: 202, headers: { location: '/api/documents/poem' } });
    expect(await counts.take(1)).toEqual([{ id: 'poem', words: 4 }]);
    const container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('documents');
    const stored = await container.getBlobClient('poem.txt').downloadToBuffer();
    expect(stored.toString()).toBe('The sea, the sea');
    await send('poem', 'The sea, the sea, always begun anew');
    expect(await counts.take(1)).toEqual([{ id: 'poem', words: 7 }]);
    expect(await counts.size()).toBe(0);
  });

  it('hands a blob to a function as its input, and nothing where there is none', async () => {
    await start();
    await send('haiku', 'An old silent pond');
    expect(await counts.take(1)).toEqual([{ id: 'haiku', words: 4 }]);
    expect(await dev.request('/api/documents/haiku')).toMatchObject({ status: 200, text: 'An old silent pond' });
    expect((await dev.request('/api/documents/nothing')).status).toBe(404);
    expect((await dev.request('/api/documents', { body: '{"id": "../x", "text": "t"}' })).status).toBe(400);
  });

  it('finds what was stored while it was not there, and counts nothing again', async () => {
    const container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('documents');
    await container.createIfNotExists();
    await container.getBlockBlobClient('meanwhile.txt').upload('while nobody was there', 22);
    await start();
    expect(await counts.take(1)).toEqual([{ id: 'meanwhile', words: 4 }]);
    await dev.close();
    await start();
    await send('marker', 'one two');
    expect(await counts.take(1)).toEqual([{ id: 'marker', words: 2 }]);
    expect(await counts.size()).toBe(0);
  });
});
