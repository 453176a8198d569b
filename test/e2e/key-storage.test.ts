/** Where function keys are kept, by AzureWebJobsSecretStorageType. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';
import { azuriteEntry, azuritePart } from './queues.ts';

const flags = ['--no-azurite', '--enable-auth'];
let dev: DevProcess | undefined;
afterEach(async () => {
  await dev?.close();
  dev = undefined;
});

describe.skipIf(azuritePart.skip)('keys in blobs', () => {
  let azurite: Azurite;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
  });
  afterAll(() => azurite.stop());

  const start = async (): Promise<DevProcess> => {
    const environment = { AzureWebJobsStorage: azurite.connectionString, AzureWebJobsSecretStorageType: 'blob' };
    dev = await startDevProcess({ apps: [exampleApp('hello-javascript')], flags, environment });
    return dev;
  };

  it('are made in the official place, open functions, and stay over restarts', async () => {
    const container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(
      'azure-webjobs-secrets',
    );
    const first = await start();
    const names: string[] = [];
    for await (const { name } of container.listBlobsFlat()) names.push(name);
    const hostFile = names.find((name) => /^[a-z0-9-]{1,32}\/host\.json$/.test(name)) ?? '';
    expect(names).toContain(hostFile.replace('host.json', 'status.json'));
    const read = async () => JSON.parse(String(await container.getBlobClient(hostFile).downloadToBuffer()));
    const { masterKey } = await read();
    const ask = (running: DevProcess) => running.request(`/api/status?code=${encodeURIComponent(masterKey.value)}`);
    expect([(await first.request('/api/status')).status, (await ask(first)).status]).toEqual([401, 200]);
    await first.close();
    expect((await ask(await start())).status).toBe(200);
    expect((await read()).masterKey).toEqual(masterKey);
  });
});

describe('keys in sealed files', () => {
  it('show nothing to those who read them, and everything to the admin API', async () => {
    const environment = { AzureWebJobsSecretStorageType: 'files' };
    // Without --enable-auth every caller on this machine is an administrator.
    dev = await startDevProcess({ apps: [exampleApp('hello-javascript')], flags: ['--no-azurite'], environment });
    const { value } = JSON.parse((await dev.request('/admin/host/keys/_master')).text);
    expect(value).toMatch(/^[\w-]{40,}$/);
    const file = join(dev.dataFolder ?? '', 'sealed-keys.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain(value);
  });
});
