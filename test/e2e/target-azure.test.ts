/** Services in Azure: an installation with a managed identity, against a resource manager over TLS on this machine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedArm, ScriptedContainerApps } from '@switchyard/control-plane/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../packages/protocol/src/testing/self-signed.ts';
import { UpProcess } from './up-process.ts';

const patience = { timeout: 60_000, interval: 250 };
const identityHeader = 'the-header-of-the-identity';

describe('the compute targets in Azure', () => {
  const apps = new ScriptedContainerApps();
  const tls = createSelfSigned('arm');
  const arm = new ScriptedArm([apps.provider], tls);
  const asked: string[] = [];
  /** What App Service gives its programs to ask for tokens. */
  const identity = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://identity');
    asked.push(searchParams.get('resource') ?? '');
    const isOwn = request.headers['x-identity-header'] === identityHeader;
    response.writeHead(isOwn ? 200 : 401, { 'content-type': 'application/json' });
    const token = { access_token: arm.token, expires_on: '4102444800', resource: asked.at(-1), token_type: 'Bearer' };
    response.end(JSON.stringify(isOwn ? token : {}));
  });
  let folder = '';
  let up: UpProcess;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchyard-azure-'));
    await writeFile(join(folder, 'ca.pem'), tls.certificate);
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
      },
    });
  }, 60_000);
  afterAll(async () => {
    await up?.close();
    await arm.close();
    identity.closeAllConnections();
    await new Promise((resolve) => identity.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  it('brings a manifest to Container Apps, as the managed identity, and adopts a new version', async () => {
    const apply = async (version: string): Promise<void> => {
      const service = { id: 'shop', target: 'container-apps', version, gateMs: 100, configuration: 'words' };
      const manifest = {
        ...{ apiVersion: 'switchyard.dev/v1', tenant: 'default', services: [service] },
        configurations: [{ id: 'words', values: { COLOUR: 'red' } }],
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
    expect(body?.properties.configuration?.secrets?.map(({ value }) => value)).toEqual(['red']);
    expect(new Set(asked)).toEqual(new Set([arm.url]));
  }, 150_000);
});
