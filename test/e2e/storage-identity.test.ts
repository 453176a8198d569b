/** The example app `storage-pipeline` on storage that it opens with tokens: no key anywhere, TLS everywhere. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';
import { azuriteEntry, azuritePart } from './queues.ts';

const tenantId = '00000000-0000-4000-8000-000000000001';
const patience = { timeout: 60_000 };

/** What asked for a token. */
interface TokenRequest {
  readonly path: string;
  readonly client: string | null;
  readonly secret: string | null;
  readonly scope: string | null;
}

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

/** What Microsoft Entra ID says to an application that shows its secret. */
function openAuthority(tls: { readonly cert: string; readonly key: string }, asked: TokenRequest[]): Server {
  return createServer(tls, (request, response) => {
    const { host } = request.headers;
    const path = request.url?.split('?')[0] ?? '';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const reply = (body: object): void => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(body));
      };
      const base = `https://${host}/${tenantId}`;
      if (path.endsWith('openid-configuration')) {
        reply({
          issuer: `${base}/v2.0`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          end_session_endpoint: `${base}/oauth2/v2.0/logout`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
        });
        return;
      }
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const [client, secret, scope] = ['client_id', 'client_secret', 'scope'].map((name) => form.get(name));
      asked.push({ path, client: client ?? null, secret: secret ?? null, scope: scope ?? null });
      reply({ token_type: 'Bearer', expires_in: 3_599, access_token: token() });
    });
  });
}

/** A token that the emulator takes: it looks at the claims, and not at the signature. */
function token(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const [from, until] = [1_600_000_000, 4_000_000_000];
  const claims = {
    aud: 'https://storage.azure.com',
    iss: `https://sts.windows.net/${tenantId}/`,
    iat: from,
    nbf: from,
    exp: until,
  };
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.${Buffer.from('none').toString('base64url')}`;
}
