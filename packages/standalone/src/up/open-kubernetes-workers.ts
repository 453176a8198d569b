/** Workers as pods of a Kubernetes cluster: what pools are filled with instead of processes. */
import { request } from 'node:https';
import { isPlatformError, type Log, messageOf, systemClock, systemRandom } from '@switchyard/kernel';
import { createHttpExchange } from '@switchyard/protocol/http-exchange';
import { createKubernetesApi, createKubernetesPods } from '@switchyard/scale-controller';
import type { Closers } from '../dev/closers.ts';
import { clusterErrors } from '../kubernetes/errors.ts';
import { openCluster } from '../kubernetes/open-cluster.ts';
import { outerUrlOf, type UpSockets } from './open-up-sockets.ts';
import { createRemoteAssignments, imageFor, type RemoteAssignmentDeps, type RemoteWorkers } from './remote-workers.ts';
import type { Trust } from './trust.ts';
import { type KubernetesWorkerOptions, upDefaults } from './up-options.ts';

export interface KubernetesWorkersScope extends RemoteAssignmentDeps {
  readonly log: Log;
  readonly closers: Closers;
  readonly sockets: Pick<UpSockets, 'control' | 'rpc' | 'gatewayPort'>;
  readonly trust: Trust;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** An assignment fetches and unpacks the package, and lists its functions. */
const assignMs = 60_000;

/**
 * Ends what an earlier start has left in the cluster.
 * Rejects with DOOR_UNREACHABLE, with what is wrong with the way to the cluster, and with KUBERNETES_REFUSED.
 */
export async function openKubernetesWorkers(
  { log, closers, sockets, trust, environment, ...deps }: KubernetesWorkersScope,
  options: KubernetesWorkerOptions,
): Promise<RemoteWorkers> {
  const controlUrl = outerUrlOf(sockets.control, 'commands and packages', '--control-host');
  const rpcUrl = outerUrlOf(sockets.rpc, 'workers', '--rpc-host');
  const { namespace, kubeconfig, images, installation, serviceAccount, tlsSecret, tlsName, requests, limits } = options;
  const { authority: ca } = trust;
  const cluster = await openCluster({
    place: kubeconfig === undefined ? { kind: 'server' } : { kind: 'kubeconfig', path: kubeconfig },
    ...{ namespace, environment },
  });
  const provider = createKubernetesPods(
    {
      ...{ clock: systemClock, random: systemRandom, log },
      api: createKubernetesApi(cluster),
      exchange: createHttpExchange(
        { clock: systemClock, request },
        { timeoutMs: assignMs, serverName: tlsName, ...(ca === undefined ? {} : { ca }) },
      ),
      tokenFor: (podId) => deps.issuer.assign({ podId }),
    },
    {
      ...{ installation, controlUrl, tlsSecret, requests, limits },
      imageOf: (stack) => imageFor(images, stack),
      serviceAccountName: serviceAccount,
    },
  );
  await provider.sweep().catch((thrown: unknown) => {
    if (isPlatformError(thrown)) throw thrown;
    throw clusterErrors.create('CLUSTER_UNREACHABLE', { server: cluster.server, reason: messageOf(thrown) }, thrown);
  });
  closers.add('worker pods', () => provider.close(upDefaults.workerGraceMs));
  const reach = { controlUrl, rpcUrl, gatewayPort: sockets.gatewayPort };
  return { provider, assignmentFor: createRemoteAssignments(deps, reach) };
}
