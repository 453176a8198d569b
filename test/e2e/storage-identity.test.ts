/** The example app `storage-pipeline` on storage that it opens with tokens: no key anywhere, TLS everywhere. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';
import { azuriteEntry, azuritePart } from './queues.ts';
import { openAuthority, type TokenRequest, tenantId, token } from './token-authority.ts';

const patience = { timeout: 60_000 };

describe.skipIf(azuritePart.skip)('storage by identity', patience, () => {
  const asked: TokenRequest[] = [];
  let folder: string;
  let azurite: Azurite;
  let authority: Server;
  let dev: DevProcess;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'identity-'));
    const { certificate, key } = createSelfSigned('localhost');
    const tls = { certificateFile: join(folder, 'certificate.pem'), keyFile: join(folder, 'key.pem') };
    writeFileSync(tls.certificateFile, certificate);
    writeFileSync(tls.keyFile, key);
    azurite = await startAzurite(azuriteEntry ?? '', { tls });
    authority = openAuthority({ cert: certificate, key }, asked);
    await once(authority.listen(0, '127.0.0.1'), 'listening');
  }, patience.timeout);
  afterEach(() => dev.close());
  afterAll(async () => {
    authority.close();
    await azurite.stop();
    rmSync(folder, { recursive: true });
  });

  const address = (): string => {
    const at = authority.address();
    return typeof at === 'object' && at !== null ? `https://127.0.0.1:${at.port}` : '';
  };
  const endpoint = (service: string): string =>
    new RegExp(`${service}Endpoint=([^;]+)`).exec(azurite.connectionString)?.[1] ?? '';
  const start = async (members: Readonly<Record<string, string>>): Promise<void> => {
    dev = await startDevProcess({
      apps: [exampleApp('storage-pipeline')],
      flags: ['--no-azurite'],
      environment: {
        NODE_EXTRA_CA_CERTS: join(folder, 'certificate.pem'),
        AZURE_AUTHORITY_HOST: address(),
        AzureWebJobsStorage: '',
        AzureWebJobsStorage__blobServiceUri: endpoint('Blob'),
        AzureWebJobsStorage__queueServiceUri: endpoint('Queue'),
        AzureWebJobsStorage__tableServiceUri: endpoint('Table'),
        ...members,
      },
    });
  };

  it('carries a document through queues and blobs with tokens of the app’s own', async () => {
    await start({
      AzureWebJobsStorage__tenantId: tenantId,
      AzureWebJobsStorage__clientId: 'the-app',
      AzureWebJobsStorage__clientSecret: 'its-secret',
    });
    const accepted = await dev.request('/api/documents', { body: '{"id": "poem", "text": "The sea, the sea"}' });
    expect(accepted.status).toBe(202);
    const read = async (): Promise<string> => (await dev.request('/api/documents/poem')).text;
    await expect.poll(read, patience).toBe('The sea, the sea');
    await dev.line(/poem has 4 words/);
    expect(new Set(asked.map(({ client, secret }) => `${client} ${secret}`))).toEqual(new Set(['the-app its-secret']));
    expect(asked[0]).toMatchObject({ path: `/${tenantId}/oauth2/v2.0/token` });
    expect(asked[0]?.scope).toContain('https://storage.azure.com/.default');
    expect(dev.output).not.toContain('its-secret');
    expect(dev.output).not.toContain(token().slice(0, 40));
  });

  it('sends no token in clear, and says so', async () => {
    const before = asked.length;
    await start({
      AzureWebJobsStorage__queueServiceUri: endpoint('Queue').replace('https:', 'http:'),
      AzureWebJobsStorage__tenantId: tenantId,
      AzureWebJobsStorage__clientId: 'the-app',
      AzureWebJobsStorage__clientSecret: 'its-secret',
    });
    await dev.line(/tokens travel over TLS alone/);
    expect((await dev.request('/api/documents', { body: '{"id": "poem", "text": "x"}' })).status).toBe(404);
    expect(asked).toHaveLength(before);
  });
});
