/** Workers as containers of a node agent on this machine: what pools are filled with instead of processes. */
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import type { Catalog } from '@switchyard/control-plane';
import type { TokenIssuer } from '@switchyard/identity';
import { type Log, Secret, systemClock, systemRandom } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { Assignment, PodProvider } from '@switchyard/protocol';
import { createHttpExchange } from '@switchyard/protocol/http-exchange';
import { createAgentPods } from '@switchyard/scale-controller';
import type { Closers } from '../dev/closers.ts';
import type { UpSockets } from './open-up-sockets.ts';
import { type UpOptions, upDefaults } from './up-options.ts';
import { type DeployedVersion, packageVersionOf } from './versions/deployed-version.ts';
import { deployedEnvironment } from './versions/worker-environment.ts';

export interface AgentWorkersScope {
  readonly log: Log;
  readonly closers: Closers;
  readonly issuer: TokenIssuer;
  readonly catalog: Pick<Catalog, 'versions'>;
  /** The ports of this installation, which containers reach over the network of the machine. */
  readonly sockets: Pick<UpSockets, 'control' | 'rpc' | 'gatewayPort'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Workers of another place than this process. */
export interface RemoteWorkers {
  readonly provider: PodProvider;
  /** What such a worker is told: it fetches the package, and dials the port for workers. */
  assignmentFor(
    version: Pick<DeployedVersion, 'definition' | 'tenantId' | 'directory' | 'stack' | 'values'>,
  ): Promise<Assignment>;
}

/** A worker's container may use so much. */
const limits = { memoryMb: 1_024, cpus: 1 };

/** The token for the package counts so long: a fetch takes seconds. */
const packageTokenMs = 10 * 60_000;

/** Folders of this machine mean nothing in a container. */
const localNames = ['AzureWebJobsScriptRoot', 'FUNCTIONS_APPLICATION_DIRECTORY'];

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
      imageOf: ({ runtime }: Stack) => images.get(runtime),
      sidecarFlags: [`--keys=${controlUrl}/.well-known/jwks.json`],
    },
  );
  closers.add('worker containers', () => provider.close(upDefaults.workerGraceMs));
  return {
    provider,
    async assignmentFor(version) {
      const { definition, tenantId } = version;
      const { applicationId, codeVersion } = definition;
      const known = catalog.versions.get(applicationId, packageVersionOf(codeVersion));
      if (known === undefined) throw new Error('the version was taken out meanwhile');
      const { sha256 } = known;
      const grant = { subject: 'sidecar', tenants: [tenantId], scopes: ['read'] };
      const variables = deployedEnvironment(version, {
        machine: {},
        hostName: `${applicationId}.localhost:${sockets.gatewayPort}`,
      });
      return {
        ...{ application: definition, tenantId, token: undefined },
        runtimeEndpoint: sockets.rpc.localUrl,
        content: {
          ...{ kind: 'package', url: `${controlUrl}/v1/packages/${sha256}`, sha256 },
          token: await issuer.control(grant, packageTokenMs),
        },
        environment: new Map([...variables].filter(([name]) => !localNames.includes(name))),
      };
    },
  };
}
