/**
 * An agent: job service and HTTP API over one driver and one store. It opens no socket; whoever makes it gives
 * `handleRequest` to a server of node:http.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Log, type Random, Secret } from '@switchyard/kernel';
import { AgentMetrics } from './agent-metrics.ts';
import { isLoopbackAddress } from './api/access.ts';
import { AgentApi } from './api/agent-api.ts';
import { EngineStatus } from './api/engine-status.ts';
import type { AgentSettings } from './config/agent-settings.ts';
import type { TaskDriver } from './driver/contract.ts';
import type { Workspaces } from './execution/workspaces.ts';
import { JobService } from './jobs/job-service.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { SystemMetrics } from './machine/system-metrics.ts';

export interface NodeAgentDeps {
  readonly driver: TaskDriver;
  /** The agent closes it. */
  readonly store: JobStore;
  readonly workspaces: Workspaces;
  readonly system: SystemMetrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface NodeAgentOptions {
  readonly settings: AgentSettings;
  readonly workerId: string;
  readonly hostname: string;
  /** Of the program. */
  readonly version: string;
}

export interface NodeAgent {
  /** Serves one request of the API. Never throws. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  /** Takes over or removes what an earlier run left, then starts to work. Requests may come before. */
  open(): Promise<void>;
  /**
   * Takes no more jobs and lets those that run go on for a while; then ends them, or with a durable store leaves them to
   * their containers. Nothing of this process stays.
   */
  close(): Promise<void>;
}

const second = 1_000;
const kilobyte = 1_024;
const megabyte = 1_024 * 1_024;
/** How long answers that only wait may take to end. */
const apiDrainMs = 1_000;

export function createNodeAgent(deps: NodeAgentDeps, options: NodeAgentOptions): NodeAgent {
  const { settings } = options;
  const { driver, store, clock } = deps;
  const metrics = new AgentMetrics();
  const service = createService(deps, settings, metrics);
  const engine = new EngineStatus(driver, clock);
  const api = new AgentApi(
    { ...deps, service, metrics, engine, driverName: driver.name },
    {
      workerId: options.workerId,
      labels: settings.labels,
      modes: settings.allowed_modes,
      version: options.version,
      maxConcurrentJobs: settings.max_concurrent_jobs,
      maxQueuedJobs: settings.max_queued_jobs,
      maxPods: settings.max_pods,
      startedAtMs: clock.monotonic(),
      access: {
        token: settings.token === '' ? undefined : new Secret(settings.token),
        isLoopback: isLoopbackAddress(settings.listen.host),
        hostname: options.hostname,
      },
      maxBodyBytes: settings.limits.body_kb * kilobyte,
    },
  );
  return {
    handleRequest: (request, response) => api.handleRequest(request, response),
    open: () => service.open(),
    async close() {
      // What goes on without the agent need not be waited for.
      await service.drain(store.kind === 'memory' ? settings.drain_seconds * second : 0);
      await api.drain(apiDrainMs);
      await service.close();
    },
  };
}

function createService(deps: NodeAgentDeps, settings: AgentSettings, metrics: AgentMetrics): JobService {
  const { retention } = settings;
  return new JobService(
    { ...deps, metrics },
    {
      policy: settings,
      scheduling: {
        maxConcurrentJobs: settings.max_concurrent_jobs,
        maxPods: settings.max_pods,
        maxQueued: settings.max_queued_jobs,
        fairness: settings.fairness,
      },
      running: {
        pullPolicy: settings.pull_policy,
        readOnlyRoot: settings.read_only_root,
        user: settings.user === '' ? undefined : settings.user,
        temporaryMb: settings.limits.temporary_mb,
        stopGraceMs: settings.stop_grace_seconds * second,
        prepareMs: settings.prepare_seconds * second,
        enginePatienceMs: settings.engine_patience_seconds * second,
      },
      retention: {
        maxJobs: retention.max_jobs,
        maxAgeMs: retention.max_age_seconds * second,
        maxOutputBytes: retention.max_output_mb * megabyte,
      },
    },
  );
}
