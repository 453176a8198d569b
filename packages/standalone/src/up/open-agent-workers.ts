/** Workers as containers of a node agent, on this machine or on another one: what pools are filled with instead of processes. */
import { refuseClearTokens } from '@switchyard/identity';
import { type Log, Secret, systemClock, systemRandom } from '@switchyard/kernel';
import { workerTokenPath } from '@switchyard/protocol/control-api';
import { createAgentPods } from '@switchyard/scale-controller';
import type { Closers } from '../dev/closers.ts';
import { isLoopbackHost } from '../http/listen.ts';
import { outerUrlOf, type UpSockets } from './open-up-sockets.ts';
import { createRemoteAssignments, imageFor, type RemoteAssignmentDeps, type RemoteWorkers } from './remote-workers.ts';
import type { Trust } from './trust.ts';
import { type UpOptions, upDefaults } from './up-options.ts';

export interface AgentWorkersScope extends RemoteAssignmentDeps {
  readonly log: Log;
  readonly closers: Closers;
  readonly sockets: Pick<UpSockets, 'control' | 'rpc' | 'gatewayPort' | 'certificate'>;
  readonly trust: Trust;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Reaches the agent when the first worker is wanted.
 * @throws PlatformError DOOR_UNREACHABLE, TOKEN_IN_CLEAR
 */
export function openAgentWorkers(
  { log, closers, sockets, trust, environment, ...deps }: AgentWorkersScope,
  { url, images, limits }: NonNullable<UpOptions['workerAgent']>,
): RemoteWorkers {
  const place = placeOf(new URL(url).hostname, sockets, trust);
  const { controlUrl, rpcUrl } = place;
  const token = environment.SWITCHYARD_WORKER_AGENT_TOKEN ?? '';
  const refusal = token === '' ? undefined : refuseClearTokens(url, { allow: trust.allowsClear });
  if (refusal !== undefined) throw refusal;
  const provider = createAgentPods(
    {
      ...{ clock: systemClock, random: systemRandom, log, trust: trust.pinned.trust },
      exchange: trust.pinned.exchange(trust.authority),
      tokenFor: (podId) => deps.issuer.assign({ podId }),
    },
    {
      ...{ agentUrl: url, limits, installation: `up-${new URL(sockets.control.localUrl).port}` },
      ...(token === '' ? {} : { agentToken: new Secret(token) }),
      imageOf: (stack) => imageFor(images, stack),
      sidecarFlags: [
        ...[`--keys=${controlUrl}/.well-known/jwks.json`, `--renew-url=${controlUrl}${workerTokenPath}`],
        ...place.sidecarFlags,
      ],
      variables: place.variables,
    },
  );
  closers.add('worker containers', () => provider.close(upDefaults.workerGraceMs));
  const reach = { controlUrl, rpcUrl, gatewayPort: sockets.gatewayPort };
  return { provider, assignmentFor: createRemoteAssignments(deps, reach) };
}

interface AgentPlace {
  readonly controlUrl: string;
  readonly rpcUrl: string;
  readonly sidecarFlags: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** How pods and this installation find each other: pods share the network of their machine. */
function placeOf(host: string, { control, rpc, certificate }: AgentWorkersScope['sockets'], trust: Trust): AgentPlace {
  if (isLoopbackHost(host)) {
    return { controlUrl: control.localUrl, rpcUrl: rpc.localUrl, sidecarFlags: [], variables: {} };
  }
  const address = host.replace(/^\[|\]$/g, '');
  const clear = trust.allowsClear ? ['--allow-clear-tokens'] : [];
  const authorities = [trust.authority, certificate?.certificate].filter((text) => text !== undefined).join('\n');
  return {
    controlUrl: outerUrlOf(control, 'commands and packages', '--control-host'),
    rpcUrl: outerUrlOf(rpc, 'workers', '--rpc-host'),
    sidecarFlags: [`--host=${address}`, `--http-host=${address}`, '--make-certificate', ...clear],
    variables: authorities === '' ? {} : { RUNTIME_CA: authorities },
  };
}
