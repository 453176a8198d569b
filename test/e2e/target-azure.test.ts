/** An installation with a managed identity, against a resource manager and a key vault over TLS on this machine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedArm, ScriptedContainerApps, ScriptedKeyVault } from '@switchyard/control-plane/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../packages/protocol/src/testing/self-signed.ts';
import { httpFunction } from './app-folder.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { UpProcess } from './up-process.ts';

const patience = { timeout: 60_000, interval: 250 };
const identityHeader = 'the-header-of-the-identity';

describe('an installation in Azure', () => {
  const apps = new ScriptedContainerApps();
  const tls = createSelfSigned('arm');
  const arm = new ScriptedArm([apps.provider], tls);
  const vault = new ScriptedKeyVault(tls);
  const asked: string[] = [];
  /** What App Service gives its programs to ask for tokens. */
  const identity = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://identity');
    asked.push(searchParams.get('resource') ?? '');
    const isOwn = request.headers['x-identity-header'] === identityHeader;
    response.writeHead(isOwn ? 200 : 401, { 'content-type': 'application/json' });
    const own = asked.at(-1) === 'https://vault.azure.net' ? vault.token : arm.token;
    const token = { access_token: own, expires_on: '4102444800', resource: asked.at(-1), token_type: 'Bearer' };
    response.end(JSON.stringify(isOwn ? token : {}));
  });
  let folder = '';
  let code: AppFolder;
  let up: UpProcess;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchyard-azure-'));
    await writeFile(join(folder, 'ca.pem'), tls.certificate);
    code = await openAppFolder();
    const vaultUrl = await vault.listen();
    await new Promise<void>((resolve) => identity.listen(0, '127.0.0.1', resolve));
    up = await UpProcess.start({
      environment: {
        IDENTITY_ENDPOINT: `http://127.0.0.1:${(identity.address() as AddressInfo).port}/token`,
        IDENTITY_HEADER: identityHeader,
        SWITCHYARD_AZURE_SUBSCRIPTION: 'sub',
        SWITCHYARD_AZURE_RESOURCE_GROUP: 'shops',
        SWITCHYARD_AZURE_LOCATION: 'westeurope',
        SWITCHYARD_AZURE_ARM_ENDPOINT: await arm.listen(),
        SWITCHYARD_AZURE_CA_FILE: join(folder, 'ca.pem'),
        SWITCHYARD_AZURE_CONTAINER_APPS_ENVIRONMENT: '/environment',
        SWITCHYARD_AZURE_KEY_VAULT_URL: vaultUrl,
        SWITCHYARD_AZURE_KEY_VAULT_REFERENCES: `${vaultUrl}?{vault}`,
        SWITCHYARD_AZURE_KEY_VAULT_TENANTS: 'default=shop',
      },
    });
  }, 60_000);
  afterAll(async () => {
    await up?.close();
    await arm.close();
    await vault.close();
    await code?.remove();
    identity.closeAllConnections();
    await new Promise((resolve) => identity.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  it('brings a manifest to Container Apps, as the managed identity, and adopts a new version', async () => {
    const apply = async (version: string): Promise<void> => {
      const service = {
        id: 'shop',
        target: 'container-apps',
        version,
        gateMs: 100,
        configuration: 'words',
        secrets: ['api-key'],
      };
      const manifest = {
        ...{ apiVersion: 'switchyard.dev/v1', tenant: 'default', services: [service] },
        configurations: [{ id: 'words', values: { COLOUR: 'red', KEY: { secret: 'api-key' } } }],
        secrets: [{ id: 'api-key', setting: 'KEY' }],
      };
      const file = join(folder, 'desired.yaml');
      await writeFile(file, JSON.stringify(manifest));
      await up.do('apply', '-f', file);
    };
    const deployed = async (): Promise<string> => await up.do('deployments', '--service', 'shop');
    await apply('acme/shop:1');
    await expect.poll(deployed, patience).toMatch(/acme\/shop:1 .*completed/);
    await apply('acme/shop:2');
    await expect.poll(deployed, patience).toMatch(/acme\/shop:2 .*completed/);
    const { body } = apps.apps.get('shop') ?? {};
    expect(body?.properties.template?.containers?.[0]?.image).toBe('acme/shop:2');
    const [[kept] = []] = [...vault.secrets.values()];
    expect(kept?.tags).toMatchObject({ 'switchyard-tenant': 'default', 'switchyard-secret': 'api-key' });
    const values = body?.properties.configuration?.secrets?.map(({ value }) => value);
    expect(new Set(values)).toEqual(new Set(['red', kept?.value]));
    expect(new Set(asked)).toEqual(new Set([arm.url, 'https://vault.azure.net']));
  }, 150_000);

  it("puts secrets of a tenant's own vaults in the place of references, and of no others", async () => {
    vault.put('db', 'the secret');
    const answer = '[process.env.OWN, process.env.FOREIGN].join(" ")';
    await code.write({
      'desk/host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
      'desk/package.json': { name: 'desk', type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
      'desk/app.js': httpFunction('hello', answer),
    });
    await up.do('deploy', `${code.path}/desk`, '--stack', 'node');
    const own = 'OWN=@@Microsoft.KeyVault(VaultName=shop;SecretName=db)';
    const foreign = '@Microsoft.KeyVault(VaultName=other;SecretName=db)';
    await up.do('settings', 'desk', 'set', own, `FOREIGN=@${foreign}`);
    const read = async (): Promise<string> => (await up.call('desk', '/hello')).text;
    await expect.poll(read, patience).toBe(`the secret ${foreign}`);
    expect(up.output).not.toContain('the secret');
  }, 120_000);
});
