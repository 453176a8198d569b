/** Pods of workers against a scripted API server and a scripted sidecar, both over TLS. */
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Secret, systemClock } from '@switchyard/kernel';
import { createHttpExchange } from '@switchyard/protocol/http-exchange';
import { createKubernetesApi, toPodManifest } from '@switchyard/scale-controller';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../packages/cli/src/parse-arguments.ts';
import { commands } from '../../packages/cli/src/registry.ts';
import { createSelfSigned } from '../../packages/protocol/src/testing/self-signed.ts';

interface Asked {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

const identity = createSelfSigned('kubernetes');
const asked: Asked[] = [];
let answers: { status: number; body: unknown }[] = [];
let server: Server;
let url: string;
beforeEach(async () => {
  asked.length = 0;
  server = createServer({ cert: identity.certificate, key: identity.key }, (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { authorization } = incoming.headers;
      asked.push({ line: `${incoming.method} ${incoming.url}`, authorization, body: Buffer.concat(chunks).toString() });
      const { status, body } = answers.shift() ?? { status: 500, body: {} };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const open = (ca: string = identity.certificate) =>
  createKubernetesApi(createHttpExchange({ clock: systemClock, request }, { ca, timeoutMs: 5_000 }), {
    server: url,
    namespace: 'workers',
    token: async () => new Secret('a-token-of-the-cluster'),
  });

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
    const api = open();
    answers = [
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
            { metadata: { name: 'w-4' } },
          ],
        },
      },
      { status: 200, body: {} },
      { status: 404, body: {} },
    ];
    await api.createPod(manifest());
    const none = { address: undefined, isReady: false, exitCode: undefined, reason: undefined };
    expect(await api.listPods('switchyard.dev/installation=test')).toEqual([
      { ...none, name: 'w-1', phase: 'Running', address: '10.0.0.7', isReady: true },
      { ...none, name: 'w-2', phase: 'Failed', exitCode: 137, reason: 'OOMKilled' },
      { ...none, name: 'w-3', phase: 'Pending', reason: 'ImagePullBackOff: no such image' },
      { ...none, name: 'w-4', phase: 'Pending' },
    ]);
    await api.deletePod('w-1', 2.5);
    await api.deletePod('w-9', 0);
    expect(asked.map(({ line }) => line)).toEqual([
      'POST /api/v1/namespaces/workers/pods',
      'GET /api/v1/namespaces/workers/pods?labelSelector=switchyard.dev%2Finstallation%3Dtest',
      'DELETE /api/v1/namespaces/workers/pods/w-1?gracePeriodSeconds=3',
      'DELETE /api/v1/namespaces/workers/pods/w-9?gracePeriodSeconds=0',
    ]);
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer a-token-of-the-cluster']),
    );
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual(JSON.parse(JSON.stringify(manifest())));
  });

  it('says what the cluster refuses, and trusts no server that its authority does not know', async () => {
    answers = [{ status: 403, body: { kind: 'Status', message: 'exceeded quota: pods' } }];
    await expect(open().createPod(manifest())).rejects.toMatchObject({
      code: 'KUBERNETES_REFUSED',
      message: expect.stringContaining('exceeded quota: pods'),
    });
    await expect(open(createSelfSigned('other').certificate).listPods('x')).rejects.toThrow(/self-signed|certificate/);
    expect(asked).toHaveLength(1);
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
