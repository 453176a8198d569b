/** The contract of compute targets through the official client, over TLS to a scripted API server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKubernetes } from '@switchyard/control-plane/targets';
import { describeTargetContract, ScriptedCluster, type TargetBench } from '@switchyard/control-plane/testing';
import { Secret, systemClock } from '@switchyard/kernel';
import type { HttpAsk } from '@switchyard/protocol/http-exchange';
import { openCluster } from '../../packages/standalone/src/kubernetes/open-cluster.ts';
import { ScriptedApiServer } from './scripted-api-server.ts';

describeTargetContract('Kubernetes', async (): Promise<TargetBench> => {
  const cluster = new ScriptedCluster();
  cluster.broken.add('broken:1');
  cluster.slow.add('slow:1');
  const server = await ScriptedApiServer.open();
  server.otherwise = ({ line, authorization, contentType, body }) => {
    const [method, url = ''] = line.split(' ');
    const headers = { authorization, 'content-type': contentType };
    const reply = cluster.handle({ method, url, headers, body } as unknown as HttpAsk);
    return { status: reply.status, body: JSON.parse(reply.text) };
  };
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
