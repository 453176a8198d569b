/** `/runtime/health`: whether the app is well, for probes. Callers without the master key learn the word alone. */
import { isAuthorized } from '../gateway/authorize.ts';
import type { Vital } from '../health/process-health.ts';
import { namesOf } from '../health/watch-health.ts';
import type { JobHost } from '../job-host/job-host.ts';
import { type AdminCall, type AdminRoute, jsonReply } from './admin-call.ts';

export type Health = 'healthy' | 'degraded' | 'unhealthy';

/** What has run short by the app's own threshold at this moment; nothing for an app that wants no monitor. */
export function shortagesOf({ jobHost, host }: Pick<AdminCall, 'jobHost' | 'host'>): readonly Vital[] {
  const { enabled, counterThreshold } = jobHost.application.host.healthMonitor;
  return enabled ? (host.health?.shortages(counterThreshold) ?? []) : [];
}

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
  const isUp = (kind === 'active' || kind === 'dormant') && jobHost.outage === undefined;
  return isUp && !jobHost.isOffline && !jobHost.duty.isPausedBy('health');
}

function tell(call: AdminCall, status: Health) {
  const { jobHost, request, target, host } = call;
  const { keys } = jobHost.application;
  const isTold = isAuthorized(keys, 'admin', '', { headers: request.headers, search: target.search });
  const { state, functions, rejected, workers, error } = jobHost.status();
  const details = {
    state,
    functions: functions.length,
    rejected: rejected.map(({ name, reason }) => ({ name, reason })),
    workers: workers.map((worker) => ({ workerId: worker.workerId, state: worker.state })),
    ...(error === undefined ? {} : { error }),
    ...(host.health === undefined ? {} : { short: namesOf(shortagesOf(call)), vitals: host.health.vitals }),
  };
  return jsonReply(status === 'unhealthy' ? 500 : 200, isTold ? { status, details } : { status });
}
