/** `/runtime/health`: whether the app is well, for probes. Callers without the master key learn the word alone. */
import { isAuthorized } from '../gateway/authorize.ts';
import type { JobHost } from '../job-host/job-host.ts';
import { type AdminCall, type AdminRoute, jsonReply } from './admin-call.ts';

export type Health = 'healthy' | 'degraded' | 'unhealthy';

export const healthRoutes: readonly AdminRoute[] = [
  {
    methods: ['GET'],
    pattern: /^\/runtime\/health$/i,
    access: 'public',
    serve: (call) => tell(call, healthOf(call.jobHost)),
  },
  // This process answers, so it lives.
  {
    methods: ['GET'],
    pattern: /^\/runtime\/health\/live$/i,
    access: 'public',
    serve: (call) => tell(call, 'healthy'),
  },
  {
    methods: ['GET'],
    pattern: /^\/runtime\/health\/ready$/i,
    access: 'public',
    serve: (call) => tell(call, isReady(call.jobHost) ? 'healthy' : 'unhealthy'),
  },
];

/** Degraded: it serves, but some of its functions cannot run. */
export function healthOf(jobHost: JobHost): Health {
  const { error, rejected, unloaded = [] } = jobHost.status();
  if (!isReady(jobHost) || error !== undefined) return 'unhealthy';
  return rejected.length + unloaded.length > 0 ? 'degraded' : 'healthy';
}

/** True when a request would be served now: an app that sleeps wakes up for it. */
function isReady(jobHost: JobHost): boolean {
  const { kind } = jobHost.state;
  return (kind === 'active' || kind === 'dormant') && jobHost.outage === undefined && !jobHost.isOffline;
}

function tell({ jobHost, request, target }: AdminCall, status: Health) {
  const { keys } = jobHost.application;
  const isTold = isAuthorized(keys, 'admin', '', { headers: request.headers, search: target.search });
  const { state, functions, rejected, workers, error } = jobHost.status();
  const details = {
    state,
    functions: functions.length,
    rejected: rejected.map(({ name, reason }) => ({ name, reason })),
    workers: workers.map((worker) => ({ workerId: worker.workerId, state: worker.state })),
    ...(error === undefined ? {} : { error }),
  };
  return jsonReply(status === 'unhealthy' ? 500 : 200, isTold ? { status, details } : { status });
}
