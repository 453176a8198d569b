import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedKeyVault } from '@switchyard/control-plane/testing';
import { createAppFolder, createMemoryLog } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createSelfSigned } from '../../../../protocol/src/testing/self-signed.ts';
import { loadApplication } from '../../application/load-application.ts';
import { openAzureSecrets, openTenantSecrets } from './azure-vault.ts';

const tls = createSelfSigned('vault');
const reference = (vault: string) => `@Microsoft.KeyVault(VaultName=${vault};SecretName=db)`;

describe('secrets out of Azure Key Vault', () => {
  let vault: ScriptedKeyVault;
  let identity: Server;
  let folder: string;
  let environment: Record<string, string>;
  // The SDK remembers for the life of the process where its identity is asked for.
  beforeAll(async () => {
    vault = new ScriptedKeyVault(tls);
    folder = mkdtempSync(join(tmpdir(), 'switchyard-vault-'));
    writeFileSync(join(folder, 'ca.pem'), tls.certificate);
    identity = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const token = { access_token: vault.token, expires_on: '4102444800', resource: 'x', token_type: 'Bearer' };
      response.end(JSON.stringify(token));
    });
    await new Promise<void>((resolve) => identity.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${(identity.address() as AddressInfo).port}/token`);
    vi.stubEnv('IDENTITY_HEADER', 'the-header');
    environment = {
      SWITCHYARD_AZURE_CA_FILE: join(folder, 'ca.pem'),
      SWITCHYARD_AZURE_KEY_VAULT_REFERENCES: `${await vault.listen()}?{vault}`,
      SWITCHYARD_AZURE_KEY_VAULT_TENANTS: 'acme=shop, acme=Common',
    };
    vault.put('db', 'the secret');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await vault.close();
    identity.closeAllConnections();
    await new Promise((resolve) => identity.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it('come to an app of switchyard dev', async () => {
    const values = { FUNCTIONS_WORKER_RUNTIME: 'node', Db: reference('shop') };
    const app = createAppFolder({
      'host.json': JSON.stringify({ version: '2.0' }),
      'local.settings.json': JSON.stringify({ Values: values }),
    });
    const { settings, notes } = await loadApplication(app.path, environment);
    expect([settings.get('Db'), notes]).toEqual(['the secret', []]);
    app.remove();
  });

  it('come to a tenant from its own vaults alone', async () => {
    const log = createMemoryLog();
    const resolve = await openTenantSecrets(environment, log);
    const values = new Map([
      ['Own', reference('shop')],
      ['Other', reference('COMMON')],
      ['Foreign', reference('secret-of-others')],
    ]);
    const resolved = Object.fromEntries(await resolve('acme', values));
    expect(resolved).toEqual({ Own: 'the secret', Other: 'the secret', Foreign: reference('secret-of-others') });
    expect(Object.fromEntries(await resolve('evil', values))).toEqual(Object.fromEntries(values));
    expect(log.records.length).toBe(4);
    expect(JSON.stringify(log.records)).not.toContain('the secret');
  });

  it('need an address', async () => {
    await expect(openAzureSecrets({})).rejects.toMatchObject({ code: 'TARGET_SETTING_INVALID' });
  });
});
