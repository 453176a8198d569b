import { openSqliteStore } from '@switchyard/control-plane';
import { silentLog, systemClock } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { type OpenedTargets, openTargets } from './open-targets.ts';

let opened: OpenedTargets | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

async function open(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const store = openSqliteStore({ clock: systemClock }, { file: ':memory:' });
  const scope = { log: silentLog, environment, store, key: new Uint8Array(32), holder: 'test' };
  try {
    opened = await openTargets(scope);
  } catch (error) {
    await store.close();
    throw error;
  }
  const { close } = opened;
  opened = {
    ...opened,
    close: async () => {
      await close();
      await store.close();
    },
  };
  return opened.targets.map(({ name }) => name);
}

describe('openTargets', () => {
  it('opens nothing where nothing is configured', async () => {
    expect(await open({ SWITCHYARD_TARGET_NODE_AGENT_URLS: '', HOME: '/root' })).toEqual([]);
  });

  it('opens what is configured', async () => {
    const settings = {
      SWITCHYARD_TARGET_NODE_AGENT_URLS: 'http://127.0.0.1:9000,https://node-2:9000',
      SWITCHYARD_TARGET_NODE_AGENT_LISTEN_PORT: '0',
    };
    const cluster = {
      SWITCHYARD_TARGET_KUBERNETES_SERVER: 'https://cluster:6443',
      SWITCHYARD_TARGET_KUBERNETES_TOKEN: 'secret-token',
      SWITCHYARD_TARGET_KUBERNETES_NAMESPACE: 'shops',
    };
    const azure = {
      SWITCHYARD_AZURE_SUBSCRIPTION: 'sub',
      SWITCHYARD_AZURE_RESOURCE_GROUP: 'shops',
      SWITCHYARD_AZURE_LOCATION: 'westeurope',
      SWITCHYARD_AZURE_CONTAINER_APPS_ENVIRONMENT: '/environment',
      SWITCHYARD_AZURE_FUNCTIONS_PLAN: '/plan',
      SWITCHYARD_AZURE_APP_SERVICE_PLAN: '/plan',
    };
    const inAzure = ['container-apps', 'azure-functions', 'app-service'];
    expect(await open({ ...settings, ...cluster, ...azure })).toEqual(['node-agent', 'kubernetes', ...inAzure]);
  });

  it.each([
    [{ SWITCHYARD_TARGET_NODE_AGENT_URLS: 'node-1:9000' }, 'SWITCHYARD_TARGET_NODE_AGENT_URLS'],
    [{ SWITCHYARD_TARGET_NODE_AGENT_TOKEN: 'secret-token' }, 'SWITCHYARD_TARGET_NODE_AGENT_URLS'],
    [{ SWITCHYARD_TARGET_KUBERNETES_NAMESPACE: 'shops' }, 'SWITCHYARD_TARGET_KUBERNETES_SERVER'],
    [
      {
        SWITCHYARD_TARGET_KUBERNETES_NAMESPACE: 'shops',
        SWITCHYARD_TARGET_KUBERNETES_SERVER: 'https://cluster:6443',
        SWITCHYARD_TARGET_KUBERNETES_TOKEN_FILE: '/nowhere/token',
      },
      'SWITCHYARD_TARGET_KUBERNETES_TOKEN_FILE',
    ],
    [
      { SWITCHYARD_TARGET_KUBERNETES_NAMESPACE: 'shops', SWITCHYARD_TARGET_KUBERNETES_KUBECONFIG: '/nowhere/config' },
      'SWITCHYARD_TARGET_KUBERNETES_KUBECONFIG',
    ],
    [
      {
        SWITCHYARD_TARGET_KUBERNETES_NAMESPACE: 'shops',
        SWITCHYARD_TARGET_KUBERNETES_KUBECONFIG: '/nowhere/config',
        SWITCHYARD_TARGET_KUBERNETES_TOKEN: 'secret-token',
      },
      'SWITCHYARD_TARGET_KUBERNETES_KUBECONFIG',
    ],
    [{ SWITCHYARD_AZURE_FUNCTIONS_PLAN: '/plan' }, 'SWITCHYARD_AZURE_SUBSCRIPTION'],
    [{ SWITCHYARD_AZURE_CONTAINER_APPS_REGISTRY: 'r.example.net' }, 'SWITCHYARD_AZURE_CONTAINER_APPS_IDENTITY'],
    [
      { SWITCHYARD_TARGET_KUBERNETES_NAMESPACE: 'shops', SWITCHYARD_TARGET_KUBERNETES_SERVER: 'https://cluster:6443' },
      'SWITCHYARD_TARGET_KUBERNETES_TOKEN_FILE',
    ],
    [
      { SWITCHYARD_TARGET_NODE_AGENT_URLS: 'http://node-1:9000', SWITCHYARD_TARGET_NODE_AGENT_PROT: '1' },
      'SWITCHYARD_TARGET_NODE_AGENT_PROT',
    ],
  ])('names the variable of %j that cannot be used, and no value', async (environment, variable) => {
    await expect(open(environment)).rejects.toMatchObject({
      code: 'TARGET_SETTING_INVALID',
      message: expect.stringContaining(`The variable ${variable} cannot be used`),
    });
    await expect(open(environment)).rejects.not.toMatchObject({ message: expect.stringContaining('secret-token') });
  });
});
