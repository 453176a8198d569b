/** Joins the parts of the target on node agents. */
import type { request as httpRequest, RequestListener } from 'node:http';
import type { Clock, Log, Random, Secret } from '@switchyard/kernel';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import { createSeal } from '../../catalog/seal.ts';
import type { Store } from '../../store/contract.ts';
import type { ComputeTarget } from '../contract.ts';
import { createAgentClient } from './agent-client.ts';
import { AgentPods, type AgentPodsOptions } from './agent-pods.ts';
import { AgentServices } from './agent-services.ts';
import { startKeeper } from './keeper.ts';
import { createNodeAgentTarget } from './node-agent-target.ts';
import { createServiceFront } from './service-front.ts';
import { ServiceRoutes } from './service-routes.ts';

export interface NodeAgentsDeps {
  readonly clock: Clock;
  readonly random: Pick<Random, 'bytes' | 'uuid'>;
  readonly log: Log;
  readonly store: Pick<Store, 'commit' | 'documents' | 'leases'>;
  /** 32 bytes; seals the settings of services. */
  readonly key: Uint8Array;
  /** Speaks to agents. */
  readonly exchange: HttpExchange;
  /** Asks pods whether they are ready; with a short deadline. */
  readonly probe: HttpExchange;
  /** `request` of node:http, for what the front passes on. */
  readonly request: typeof httpRequest;
}

export interface NodeAgentsOptions extends Omit<AgentPodsOptions, 'computeTarget'> {
  readonly urls: readonly string[];
  readonly token?: Secret;
  readonly holder: string;
  readonly urlOf: (serviceId: string) => string;
  /** How often lost pods are looked for. */
  readonly keepMs?: number;
  readonly pollMs?: number;
}

export interface NodeAgents {
  readonly target: ComputeTarget;
  /** Takes the requests of services. */
  readonly front: RequestListener;
  /** Ends the keeper; pods stay. */
  stop(): Promise<void>;
}

export const nodeAgentTargetName = 'node-agent';

const defaultKeepMs = 10_000;

export function openNodeAgents(deps: NodeAgentsDeps, options: NodeAgentsOptions): NodeAgents {
  const { clock, random, log, store, key, exchange, probe, request } = deps;
  const { urls, token, holder, urlOf, keepMs = defaultKeepMs, pollMs, ...rest } = options;
  const computeTarget = nodeAgentTargetName;
  const agents = urls.map((url) =>
    createAgentClient(exchange, { computeTarget, url, ...(token === undefined ? {} : { token }) }),
  );
  const routes = new ServiceRoutes();
  const services = new AgentServices({ store, seal: createSeal(random, key) }, computeTarget);
  const pods = new AgentPods({ random, log, agents, probe }, { computeTarget, ...rest });
  const target = createNodeAgentTarget(
    { clock, log, services, pods, routes, leases: store.leases },
    { name: computeTarget, holder, urlOf, ...(pollMs === undefined ? {} : { pollMs }) },
  );
  const keeper = startKeeper({ clock, log, keep: () => target.keep() }, keepMs);
  return { target, front: createServiceFront({ log, request, routes }), stop: () => keeper.stop() };
}
