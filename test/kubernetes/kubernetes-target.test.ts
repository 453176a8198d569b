/** The contract of compute targets over a real TLS connection to a scripted API server. */
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { openKubernetes } from '@switchyard/control-plane/targets';
import { describeTargetContract, ScriptedCluster, type TargetBench } from '@switchyard/control-plane/testing';
import { Secret, systemClock } from '@switchyard/kernel';
import { createHttpExchange, type HttpAsk } from '@switchyard/protocol/http-exchange';
import { createSelfSigned } from '../../packages/protocol/src/testing/self-signed.ts';

const identity = createSelfSigned('kubernetes');

describeTargetContract('Kubernetes', async (): Promise<TargetBench> => {
  const cluster = new ScriptedCluster();
  cluster.broken.add('broken:1');
  cluster.slow.add('slow:1');
  const server = createServer({ cert: identity.certificate, key: identity.key }, (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method, url = '', headers } = incoming;
      const ask = { method, url, headers, body: Buffer.concat(chunks).toString() } as unknown as HttpAsk;
      const { status, text } = cluster.handle(ask);
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = openKubernetes(
    {
      clock: systemClock,
      exchange: createHttpExchange({ clock: systemClock, request }, { ca: identity.certificate, timeoutMs: 5_000 }),
    },
    {
      server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: async () => new Secret(cluster.token),
      ...{
        namespace: 'shops',
        installation: 'test',
        containerPort: 8080,
        healthPath: '/',
        pollMs: 1,
        settleMs: 10_000,
      },
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
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
});
