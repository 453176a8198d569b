/** What the API answers about the agent itself. */
import type { Clock } from '@switchyard/kernel';
import { type AgentHealth, type AgentInfo, jobProtocolVersion } from '@switchyard/protocol/job-api';
import type { AgentMetrics } from '../agent-metrics.ts';
import type { JobService } from '../jobs/job-service.ts';
import type { JobStore } from '../jobs/job-store.ts';
import type { SystemMetrics } from '../machine/system-metrics.ts';
import type { EngineStatus } from './engine-status.ts';
import type { Reply } from './reply.ts';

export interface StatusRoutesDeps {
  readonly service: Pick<JobService, 'state' | 'queued' | 'running'>;
  readonly store: Pick<JobStore, 'kind' | 'counts'>;
  readonly metrics: Pick<AgentMetrics, 'toText'>;
  readonly system: SystemMetrics;
  readonly engine: Pick<EngineStatus, 'read'>;
  readonly driverName: string;
  readonly clock: Clock;
}

export interface StatusRoutesOptions {
  readonly workerId: string;
  readonly labels: readonly string[];
  readonly modes: readonly ('image' | 'build')[];
  readonly version: string;
  readonly maxConcurrentJobs: number;
  readonly maxQueuedJobs: number;
  readonly maxPods: number;
  /** On the monotonic clock. */
  readonly startedAtMs: number;
}

const megabyte = 1024 * 1024;

export async function describeAgent(deps: StatusRoutesDeps, options: StatusRoutesOptions): Promise<Reply> {
  const [machine, { available, version, reason }] = await Promise.all([deps.system.describe(), deps.engine.read()]);
  const value: AgentInfo = {
    worker_id: options.workerId,
    hostname: machine.hostname,
    protocol_version: jobProtocolVersion,
    cpu_cores: machine.cpuCores,
    cpu_threads: machine.cpuThreads,
    memory_mb: machine.memoryMb,
    labels: [...options.labels],
    version: options.version,
    os: machine.os,
    architecture: machine.architecture,
    modes: [...options.modes],
    store: deps.store.kind,
    driver: { name: deps.driverName, available, version, reason },
  };
  return { kind: 'json', status: 200, value };
}

export async function describeHealth(deps: StatusRoutesDeps, options: StatusRoutesOptions): Promise<Reply> {
  const [load, { available }] = await Promise.all([deps.system.load(), deps.engine.read()]);
  const { service } = deps;
  const isLeaving = service.state === 'Draining' || service.state === 'Closed';
  const [one, five, fifteen] = load.loadAverage;
  const value: AgentHealth = {
    status: isLeaving ? 'draining' : available ? 'ok' : 'degraded',
    uptime_seconds: Math.floor(uptimeSeconds(deps, options)),
    load_average: [one, five, fifteen],
    running_jobs: service.running('job'),
    max_concurrent_jobs: options.maxConcurrentJobs,
    queued_jobs: service.queued,
    max_queued_jobs: options.maxQueuedJobs,
    running_pods: service.running('pod'),
    max_pods: options.maxPods,
    memory_mb: load.memoryMb,
    memory_available_mb: load.memoryAvailableMb,
    cpu_load: load.cpuLoad,
    ...(load.temperatureC === undefined ? {} : { temperature_c: load.temperatureC }),
  };
  return { kind: 'json', status: 200, value };
}

export async function measureAgent(deps: StatusRoutesDeps, options: StatusRoutesOptions): Promise<Reply> {
  const { service, store } = deps;
  const [load, { available }] = await Promise.all([deps.system.load(), deps.engine.read()]);
  const levels = {
    running_jobs: service.running('job'),
    max_concurrent_jobs: options.maxConcurrentJobs,
    queued_jobs: service.queued,
    max_queued_jobs: options.maxQueuedJobs,
    running_pods: service.running('pod'),
    max_pods: options.maxPods,
    engine_available: available ? 1 : 0,
    uptime_seconds: uptimeSeconds(deps, options),
    load_average_1m: load.loadAverage[0],
    cpu_load_ratio: load.cpuLoad,
    machine_memory_bytes: load.memoryMb * megabyte,
    machine_memory_available_bytes: load.memoryAvailableMb * megabyte,
    temperature_celsius: load.temperatureC,
  };
  const text = deps.metrics.toText(levels, store.counts());
  return { kind: 'text', type: 'text/plain; version=0.0.4; charset=utf-8', text };
}

function uptimeSeconds({ clock }: StatusRoutesDeps, { startedAtMs }: StatusRoutesOptions): number {
  return (clock.monotonic() - startedAtMs) / 1_000;
}
