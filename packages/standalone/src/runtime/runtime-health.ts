import type { JobHostStatus, WorkerStatus } from '@switchyard/runtime';

/** What the health of a Runtime is judged by. */
export interface RuntimeVitals {
  /** The port for workers is open. */
  readonly isListening: boolean;
  readonly jobHosts: readonly JobHostStatus[];
  readonly placeholders: readonly WorkerStatus[];
  /** The memory of this process, as a part of what it may use. */
  readonly memoryUtilization: number;
}

export interface RuntimeHealth {
  readonly status: 'Healthy' | 'Degraded' | 'Unhealthy';
  readonly data: {
    readonly grpc_server: boolean;
    readonly total_workers: number;
    readonly ready_workers: number;
    readonly placeholders: number;
    readonly active_jobhosts: number;
    readonly memory_utilization: number;
    readonly pending_invocations: number;
  };
}

/** Above this part of its memory a Runtime is degraded. */
const memoryThreshold = 0.9;

/** Unhealthy: workers cannot come. Degraded: there are workers and none is ready, or memory runs short. */
export function judgeHealth({ isListening, jobHosts, placeholders, memoryUtilization }: RuntimeVitals): RuntimeHealth {
  const workers = jobHosts.flatMap((jobHost) => jobHost.workers);
  const ready = workers.filter(({ state }) => state === 'ready').length;
  const isShort = memoryUtilization > memoryThreshold || (workers.length > 0 && ready === 0);
  const versions = jobHosts.flatMap((jobHost) => jobHost.versions);
  return {
    status: isListening ? (isShort ? 'Degraded' : 'Healthy') : 'Unhealthy',
    data: {
      grpc_server: isListening,
      total_workers: workers.length,
      ready_workers: ready,
      placeholders: placeholders.length,
      active_jobhosts: jobHosts.filter(({ state }) => state === 'active').length,
      memory_utilization: Math.round(memoryUtilization * 1_000) / 1_000,
      pending_invocations: versions.reduce((sum, { invocations }) => sum + invocations, 0),
    },
  };
}
