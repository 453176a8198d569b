/**
 * The pods of the target on its agents: seen through their labels, started and stopped one by one.
 *
 * I1 An agent that does not answer hides its pods; when none answers, nobody can tell what there is, and that is thrown.
 * I2 A pod is ready once it answers requests.
 * I3 Settings go into the environment of a pod and nowhere else: not into its labels, not into an address.
 */
import { type Log, messageOf, type Random } from '@switchyard/kernel';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import type { JobRequestInput, JobSummary } from '@switchyard/protocol/job-api';
import { computeErrors } from '../errors.ts';
import type { AgentClient } from './agent-client.ts';
import type { AgentService } from './agent-services.ts';
import { type PodStart, planPods, type SeenAgent, type SeenPod } from './plan-pods.ts';

export interface AgentPodsOptions {
  readonly computeTarget: string;
  /** The network of pods; the agent's own choice when left out. With `host` each pod gets a port of its own. */
  readonly network?: string;
  /** The port that containers are told to listen on (`PORT`), on networks other than `host`. */
  readonly containerPort: number;
  /** Ports of pods on the network `host`: from, and how many. */
  readonly hostPorts: { readonly first: number; readonly count: number };
  /** Asked to tell whether a pod takes requests; any answer below 500 is a yes. */
  readonly healthPath: string;
}

export interface AgentPodsDeps {
  readonly random: Pick<Random, 'uuid'>;
  readonly log: Log;
  readonly agents: readonly AgentClient[];
  /** Asks pods whether they are ready; with a deadline of its own. */
  readonly probe: HttpExchange;
}

const labels = {
  target: 'switchyard.target',
  service: 'switchyard.service',
  tenant: 'switchyard.tenant',
  version: 'switchyard.version',
  generation: 'switchyard.generation',
  port: 'switchyard.port',
} as const;

export class AgentPods {
  readonly #deps: AgentPodsDeps;
  readonly #options: AgentPodsOptions;

  constructor(deps: AgentPodsDeps, options: AgentPodsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Every pod of the target that waits or runs. */
  async see(): Promise<readonly SeenPod[]> {
    const { agents, log } = this.#deps;
    const asked = await Promise.allSettled(
      agents.map((agent) => agent.pods({ [labels.target]: this.#options.computeTarget })),
    );
    const hidden: unknown[] = [];
    const found = asked.map((one, at) => {
      const { url = '' } = agents[at] ?? {};
      if (one.status === 'fulfilled') return one.value.map((job) => this.#toPod(url, job));
      hidden.push(one.reason);
      log.write('warning', 'A node agent does not tell its pods', { agent: url, reason: messageOf(one.reason) });
      return [];
    });
    if (hidden.length === agents.length) throw hidden[0];
    return Promise.all(found.flat().map(async (pod) => ({ ...pod, isReady: await this.#isReady(pod) })));
  }

  /** Does what the plan for a service says; the pods that it started. */
  async reconcile(service: AgentService, pods: readonly SeenPod[]): Promise<ReadonlySet<string>> {
    const { starts, stops, homeless } = planPods(service, pods, await this.#roomFor(service, pods));
    const started = new Set<string>();
    const taken = new Set(pods.map(({ agent, port }) => `${agent} ${port}`));
    for (const start of starts) started.add(await this.#start(service, start, taken));
    for (const { agent, jobId } of stops) await this.#clientOf(agent).cancel(jobId);
    if (homeless > 0 && starts.length === 0) {
      const { computeTarget } = this.#options;
      const reason = `no agent has room for ${homeless} more pods of ${service.serviceId}`;
      throw computeErrors.create('TARGET_REFUSED', { computeTarget, what: 'start pods', status: 'full', reason });
    }
    return started;
  }

  /** Why a pod that was started does not run any more; undefined while it may come up. */
  async endOf(jobId: string): Promise<string | undefined> {
    for (const agent of this.#deps.agents) {
      const job = await agent.find(jobId).catch(() => undefined);
      if (job === undefined) continue;
      if (job.error !== null) return job.error.message;
      return job.state === 'finished' ? 'the container ended by itself' : undefined;
    }
    return 'the agent knows the pod no more';
  }

  /** Nothing is asked of the agents while there is nothing to start. */
  async #roomFor(service: AgentService, pods: readonly SeenPod[]): Promise<readonly SeenAgent[]> {
    const { agents } = this.#deps;
    const everywhere = agents.map(({ url }) => ({ url, room: Number.MAX_SAFE_INTEGER }));
    if (planPods(service, pods, everywhere).starts.length === 0) return [];
    const asked = await Promise.allSettled(agents.map((agent) => agent.health()));
    return asked.map((one, at) => {
      const { url = '' } = agents[at] ?? {};
      const isOpen = one.status === 'fulfilled' && one.value.status === 'ok';
      return { url, room: isOpen ? Math.max(0, one.value.max_pods - one.value.running_pods) : 0 };
    });
  }

  async #start(service: AgentService, { agent, version }: PodStart, taken: Set<string>): Promise<string> {
    const { random } = this.#deps;
    const port = this.#portOn(agent, taken);
    taken.add(`${agent} ${port}`);
    const jobId = `${service.serviceId}.${random.uuid().replaceAll('-', '').slice(0, 12)}`;
    await this.#clientOf(agent).submit(this.#toRequest({ service, version, jobId, port }));
    return jobId;
  }

  #toRequest(of: {
    readonly service: AgentService;
    readonly version: string;
    readonly jobId: string;
    readonly port: number;
  }): JobRequestInput {
    const { service, version, jobId, port } = of;
    const { computeTarget, network } = this.#options;
    const env = Object.fromEntries([...service.settings].map(([name, value]) => [name, value.reveal()]));
    return {
      protocol_version: 1,
      job_id: jobId,
      runtime: {
        ...{ mode: 'image', image: version, lifecycle: 'pod', restart: { policy: 'always' } },
        env: { ...env, PORT: String(port) },
        ...(network === undefined ? {} : { network }),
        ...(network === 'host' ? {} : { ports: [port] }),
      },
      labels: {
        [labels.target]: computeTarget,
        [labels.service]: service.serviceId,
        [labels.tenant]: service.tenantId,
        [labels.version]: version,
        [labels.generation]: String(service.generation),
        [labels.port]: String(port),
      },
    };
  }

  #portOn(agent: string, taken: ReadonlySet<string>): number {
    const { network, containerPort, hostPorts, computeTarget } = this.#options;
    if (network !== 'host') return containerPort;
    for (let port = hostPorts.first; port < hostPorts.first + hostPorts.count; port += 1) {
      if (!taken.has(`${agent} ${port}`)) return port;
    }
    const reason = `all ${hostPorts.count} ports from ${hostPorts.first} on are taken at ${agent}`;
    throw computeErrors.create('TARGET_REFUSED', { computeTarget, what: 'start a pod', status: 'full', reason });
  }

  #toPod(agent: string, job: JobSummary): SeenPod {
    const port = Number(job.labels[labels.port] ?? this.#options.containerPort);
    return {
      ...{ jobId: job.job_id, agent, port, restarts: job.restarts, isReady: false, isLeaving: job.cancel_requested },
      serviceId: job.labels[labels.service] ?? '',
      version: job.labels[labels.version] ?? '',
      generation: Number(job.labels[labels.generation] ?? 0),
      endpoint: job.state === 'running' && !job.cancel_requested ? this.#endpointOf(agent, job, port) : undefined,
    };
  }

  /** At the port that the agent's machine lends it, else at its own. */
  #endpointOf(agent: string, { ports, address, started_at: startedAt }: JobSummary, port: number): string | undefined {
    const { hostname } = new URL(agent);
    const lent = ports[String(port)];
    if (lent !== undefined) return `http://${hostname}:${lent}`;
    if (this.#options.network === 'host') return startedAt === null ? undefined : `http://${hostname}:${port}`;
    return address === null ? undefined : `http://${address}:${port}`;
  }

  async #isReady({ endpoint }: SeenPod): Promise<boolean> {
    if (endpoint === undefined) return false;
    const url = `${endpoint}${this.#options.healthPath}`;
    try {
      return (await this.#deps.probe({ method: 'GET', url, headers: {} })).status < 500;
    } catch {
      return false;
    }
  }

  #clientOf(url: string): AgentClient {
    const found = this.#deps.agents.find((agent) => agent.url === url);
    if (found !== undefined) return found;
    const { computeTarget } = this.#options;
    throw computeErrors.create('TARGET_UNREACHABLE', { computeTarget, address: url, reason: 'it is not configured' });
  }
}
