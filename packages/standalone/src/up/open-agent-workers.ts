/** Workers as containers of a node agent on this machine: what pools are filled with instead of processes. */
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import type { Catalog } from '@switchyard/control-plane';
import type { TokenIssuer } from '@switchyard/identity';
import { type Log, Secret, systemClock, systemRandom } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import { workerTokenPath } from '@switchyard/protocol/control-api';
import { createHttpExchange } from '@switchyard/protocol/http-exchange';
import { createAgentPods } from '@switchyard/scale-controller';
import type { Closers } from '../dev/closers.ts';
import type { UpSockets } from './open-up-sockets.ts';
import { createRemoteAssignments, imageFor, type RemoteWorkers } from './remote-workers.ts';
import { type UpOptions, upDefaults } from './up-options.ts';

export interface AgentWorkersScope {
  readonly log: Log;
  readonly closers: Closers;
  readonly issuer: TokenIssuer;
  readonly catalog: Pick<Catalog, 'versions'>;
  /** The ports of this installation, which containers reach over the network of the machine. */
  readonly sockets: Pick<UpSockets, 'control' | 'rpc' | 'gatewayPort'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A worker's container may use so much. */
const limits = { memoryMb: 1_024, cpus: 1 };

/** Reaches the agent when the first worker is wanted. */
export function openAgentWorkers(
  { log, closers, issuer, catalog, sockets, environment }: AgentWorkersScope,
  { url, images }: NonNullable<UpOptions['workerAgent']>,
): RemoteWorkers {
  const controlUrl = sockets.control.localUrl;
  const token = environment.SWITCHYARD_WORKER_AGENT_TOKEN;
  const provider = createAgentPods(
    {
      ...{ clock: systemClock, random: systemRandom, log },
      exchange: createHttpExchange({ clock: systemClock, request, plainRequest }),
      tokenFor: (podId) => issuer.assign({ podId }),
    },
    {
      ...{ agentUrl: url, limits, installation: `up-${new URL(controlUrl).port}` },
      ...(token === undefined || token === '' ? {} : { agentToken: new Secret(token) }),
      imageOf: (stack: Stack) => imageFor(images, stack),
      sidecarFlags: [`--keys=${controlUrl}/.well-known/jwks.json`, `--renew-url=${controlUrl}${workerTokenPath}`],
    },
  );
  closers.add('worker containers', () => provider.close(upDefaults.workerGraceMs));
  const reach = { controlUrl, rpcUrl: sockets.rpc.localUrl, gatewayPort: sockets.gatewayPort };
  return { provider, assignmentFor: createRemoteAssignments({ issuer, catalog }, reach) };
}
