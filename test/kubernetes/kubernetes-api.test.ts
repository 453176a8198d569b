/** Pods of workers through the official client, against a scripted API server over TLS. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubernetesApi, type KubernetesApi, toPodManifest } from '@switchyard/scale-controller';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../packages/cli/src/parse-arguments.ts';
import { commands } from '../../packages/cli/src/registry.ts';
import { openCluster } from '../../packages/standalone/src/kubernetes/open-cluster.ts';
import { ScriptedApiServer, status } from './scripted-api-server.ts';

let server: ScriptedApiServer;
beforeEach(async () => {
  server = await ScriptedApiServer.open();
});
afterEach(() => server.close());

async function open(timeoutMs = 10_000): Promise<KubernetesApi> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-cluster-'));
  try {
    const path = join(folder, 'kubeconfig');
    await writeFile(path, server.kubeconfig({ token: 'a-token-of-the-cluster' }));
    const place = { kind: 'kubeconfig', path } as const;
    return createKubernetesApi(await openCluster({ place, namespace: 'workers', environment: {}, timeoutMs }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const options = {
  installation: 'test',
  imageOf: () => 'worker:24',
  serviceAccountName: 'worker',
  ...{ controlUrl: 'https://up.example:7072', tlsSecret: 'tls' },
  requests: { cpu: '50m', memory: '128Mi' },
  limits: { cpu: '1', memory: '1Gi' },
};

const manifest = () =>
  toPodManifest('w-1', { runtime: 'node', version: '24', architecture: 'x64' }, 'worker:24', options);

describe('createKubernetesApi', () => {
  it('creates, lists and deletes pods with the token of the moment', async () => {
    const api = await open();
    server.answers = [
      { status: 201, body: {} },
      {
        status: 200,
        body: {
          items: [
            {
              metadata: { name: 'w-1' },
              status: { phase: 'Running', podIP: '10.0.0.7', conditions: [{ type: 'Ready', status: 'True' }] },
            },
            {
              metadata: { name: 'w-2' },
              status: {
                phase: 'Failed',
                containerStatuses: [{ state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }],
              },
            },
            {
              metadata: { name: 'w-3' },
              status: {
                phase: 'Pending',
                containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }],
              },
            },
            {
              metadata: { name: 'w-4' },
              status: {
                phase: 'Pending',
                conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }],
              },
            },
            { metadata: { name: 'w-5' } },
          ],
        },
      },
      { status: 200, body: {} },
      { status: 404, body: {} },
    ];
    await api.createPod(manifest());
    const none = { address: undefined, isReady: false, exitCode: undefined, reason: undefined, isStuck: false };
    expect(await api.listPods({ 'switchyard.dev/installation': 'test' })).toEqual([
      { ...none, name: 'w-1', phase: 'Running', address: '10.0.0.7', isReady: true },
      { ...none, name: 'w-2', phase: 'Failed', exitCode: 137, reason: 'OOMKilled' },
      { ...none, name: 'w-3', phase: 'Pending', reason: 'ImagePullBackOff: no such image', isStuck: true },
      { ...none, name: 'w-4', phase: 'Pending', reason: '0/3 nodes are available' },
      { ...none, name: 'w-5', phase: 'Pending' },
    ]);
    await api.deletePod('w-1', 2.5);
    await api.deletePod('w-9', 0);
    expect(server.asked.map(({ line }) => line)).toEqual([
      'POST /api/v1/namespaces/workers/pods',
      'GET /api/v1/namespaces/workers/pods?labelSelector=switchyard.dev%2Finstallation%3Dtest',
      'DELETE /api/v1/namespaces/workers/pods/w-1?gracePeriodSeconds=3',
      'DELETE /api/v1/namespaces/workers/pods/w-9?gracePeriodSeconds=0',
    ]);
    expect(new Set(server.asked.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer a-token-of-the-cluster']),
    );
    expect(JSON.parse(server.asked[0]?.body ?? '')).toEqual(JSON.parse(JSON.stringify(manifest())));
  });

  it.each([
    [403, status('exceeded quota: pods', 'Forbidden'), 'exceeded quota: pods'],
    [409, status('pods "w-1" already exists', 'AlreadyExists'), 'already exists'],
    [410, status('the list is too old', 'Expired'), 'too old'],
    [500, status('etcd is away', 'InternalError'), 'etcd is away'],
  ])('says what the cluster refuses with %d, and asks once', async (code, body, message) => {
    server.answers = [{ status: code, body }];
    await expect((await open()).createPod(manifest())).rejects.toMatchObject({
      code: 'KUBERNETES_REFUSED',
      message: expect.stringMatching(new RegExp(`status ${code}.*${message}`)),
    });
    expect(server.asked).toHaveLength(1);
  });

  it.each([
    ['a cluster that has too much to do', 429, status('too many requests'), { 'retry-after': '0' }],
    ['a cluster that is starting', 503, status('not yet'), { 'retry-after': '0' }],
    ['two that count against a quota at once', 409, status('the object has been modified', 'Conflict'), {}],
  ])('tries again after %s', async (_what, code, body, headers) => {
    server.answers = [
      { status: code, body, headers },
      { status: code, body, headers },
      { status: 201, body: {} },
    ];
    await (await open()).createPod(manifest());
    expect(server.asked).toHaveLength(3);
    expect(server.connections).toBe(1);
  });

  it('waits for a cluster that says nothing no longer than the deadline', async () => {
    server.answers = ['silence'];
    await expect((await open(200)).listPods({})).rejects.toThrow(/no answer within \d+ ms/);
  });

  it('makes pods whose command is understood, and that hold no token', () => {
    const text = JSON.stringify(manifest());
    const [name, ...words] = JSON.parse(text).spec.containers[0].args as string[];
    const command = commands.find((one) => one.name === name);
    if (command === undefined) throw new Error(`there is no command '${name}'`);
    expect(parseArguments(command, words)).toMatchObject({ kind: 'parsed' });
    expect(text).not.toMatch(/WORKER_AUTH_TOKEN|Bearer/);
  });
});
