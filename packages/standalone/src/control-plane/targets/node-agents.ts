/** The compute target on node agents: `SWITCHYARD_TARGET_NODE_AGENT_*`. */
import { createServer, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { openNodeAgents } from '@switchyard/control-plane/targets';
import { messageOf, Secret, systemClock, systemRandom } from '@switchyard/kernel';
import { createHttpExchange } from '@switchyard/protocol/http-exchange';
import { targetErrors } from '../errors.ts';
import type { NodeAgentSettings } from './node-agents-settings.ts';
import type { OpenedTargets, TargetScope } from './open-targets.ts';

/** Agents, and pods: how long an answer may take. */
const agentTimeoutMs = 30_000;
const probeTimeoutMs = 2_000;

/** Where pods on the network `host` listen. */
const hostPorts = { first: 20_000, count: 10_000 };

export async function openNodeAgentTarget(scope: TargetScope, settings: NodeAgentSettings): Promise<OpenedTargets> {
  const { log, store, key, holder } = scope;
  const deps = { clock: systemClock, request: secureRequest, plainRequest: request };
  const { urls, token, network, container_port: containerPort, health_path: healthPath, keep_ms: keepMs } = settings;
  const at = { port: settings.listen_port };
  const agents = openNodeAgents(
    {
      ...{ clock: systemClock, random: systemRandom, log, store, key, request },
      exchange: createHttpExchange(deps, { timeoutMs: agentTimeoutMs }),
      probe: createHttpExchange(deps, { timeoutMs: probeTimeoutMs }),
    },
    {
      ...{ urls, containerPort, healthPath, hostPorts, holder },
      urlOf: (serviceId) => `http://${serviceId}.localhost:${at.port}`,
      ...(token === undefined ? {} : { token: new Secret(token) }),
      ...(network === undefined ? {} : { network }),
      ...(keepMs === undefined ? {} : { keepMs }),
    },
  );
  const server = createServer(agents.front);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(settings.listen_port, settings.listen_host, resolve);
    });
  } catch (thrown) {
    await agents.stop();
    const address = `${settings.listen_host}:${settings.listen_port}`;
    throw targetErrors.create('TARGET_FRONT_UNAVAILABLE', { address, reason: messageOf(thrown) }, thrown);
  }
  at.port = (server.address() as AddressInfo).port;
  log.write('information', 'Services on node agents are reached', { url: `http://<service>.localhost:${at.port}` });
  return {
    targets: [agents.target],
    async close() {
      await agents.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
