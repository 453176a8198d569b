/** The contract of compute targets through the official client, over TLS to a scripted API server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '@switchyard/control-plane';
import { openKubernetes } from '@switchyard/control-plane/targets';
import { describeTargetContract, ScriptedCluster, type TargetBench } from '@switchyard/control-plane/testing';
import { Secret, silentLog, systemClock } from '@switchyard/kernel';
import type { HttpAsk } from '@switchyard/protocol/http-exchange';
import { describe, expect, it } from 'vitest';
import { openTargets } from '../../packages/standalone/src/control-plane/targets/open-targets.ts';
import { openCluster } from '../../packages/standalone/src/kubernetes/open-cluster.ts';
import { ScriptedApiServer } from './scripted-api-server.ts';

const serve = (server: ScriptedApiServer, cluster: ScriptedCluster): void => {
  server.otherwise = ({ line, authorization, contentType, body }) => {
    const [method, url = ''] = line.split(' ');
    const headers = { authorization, 'content-type': contentType };
    const reply = cluster.handle({ method, url, headers, body } as unknown as HttpAsk);
    return { status: reply.status, body: JSON.parse(reply.text) };
  };
};

describeTargetContract('Kubernetes', async (): Promise<TargetBench> => {
  const cluster = new ScriptedCluster();
  cluster.broken.add('broken:1');
  cluster.slow.add('slow:1');
  const server = await ScriptedApiServer.open();
  serve(server, cluster);
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-target-'));
  const authorityFile = join(folder, 'ca.crt');
  await writeFile(authorityFile, server.authority);
  const target = openKubernetes(
    {
      clock: systemClock,
      cluster: await openCluster({
        place: { kind: 'server', server: server.url, authorityFile, credential: { token: new Secret(cluster.token) } },
        ...{ namespace: 'shops', environment: {}, timeoutMs: 5_000 },
      }),
    },
    {
      ...{ namespace: 'shops', installation: 'test', containerPort: 8080, healthPath: '/' },
      ...{ pollMs: 1, settleMs: 10_000 },
    },
  );
  return {
    ...{ target, service: { serviceId: 'shop', tenantId: 'acme' }, versions: ['shop:1', 'shop:2'] },
    ...{ broken: 'broken:1', slow: 'slow:1' },
    changes: () => cluster.changes,
    spoil: (version) => void cluster.spoilt.add(version),
    cut: () => {
      cluster.refusal = { status: 503, message: 'the server is shutting down' };
    },
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

describe('the compute target of a kubeconfig', () => {
  it('asks by the program that it names', async () => {
    const cluster = new ScriptedCluster();
    const server = await ScriptedApiServer.open();
    serve(server, cluster);
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-target-'));
    const credential = { kind: 'ExecCredential', status: { token: cluster.token } };
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'echo', args: [JSON.stringify(credential)] };
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, server.kubeconfig({ exec }));
    const store = openSqliteStore({ clock: systemClock }, { file: ':memory:' });
    const environment = {
      PATH: process.env.PATH,
      SWITCHYARD_TARGET_KUBERNETES_NAMESPACE: 'shops',
      SWITCHYARD_TARGET_KUBERNETES_KUBECONFIG: kubeconfig,
    };
    const opened = await openTargets({ log: silentLog, environment, store, key: new Uint8Array(32), holder: 'test' });
    try {
      const [target] = opened.targets;
      const { signal } = new AbortController();
      const shop = { serviceId: 'shop', tenantId: 'acme' };
      expect(await target?.provision(shop, 'shop:1', signal)).toEqual({ kind: 'ready' });
      expect(await target?.get('shop')).toMatchObject({ serviceId: 'shop' });
      expect(new Set(server.asked.map(({ authorization }) => authorization))).toEqual(
        new Set([`Bearer ${cluster.token}`]),
      );
    } finally {
      await opened.close();
      await store.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
