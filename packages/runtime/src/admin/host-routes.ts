/** `admin/host`: how the host is, and what it is told to do (HostController of the official host). */
import { hostname } from 'node:os';
import { namesOf } from '../health/watch-health.ts';
import type { JobHost, JobHostState } from '../job-host/job-host.ts';
import { type AdminCall, type AdminRoute, emptyReply, jsonReply } from './admin-call.ts';
import { runWarmup } from './function-routes.ts';
import { healthOf, shortagesOf } from './health-routes.ts';

/** Our states in the words of the official host. */
const stateNames: Readonly<Record<JobHostState['kind'], string>> = {
  created: 'Default',
  indexing: 'Starting',
  dormant: 'Running',
  active: 'Running',
  draining: 'Stopping',
  stopped: 'Offline',
  faulted: 'Error',
};

export const hostRoutes: readonly AdminRoute[] = [
  { methods: ['GET', 'POST'], pattern: /^\/admin\/host\/ping$/i, access: 'public', serve: ping },
  {
    methods: ['GET'],
    pattern: /^\/admin\/host\/status$/i,
    serve: (call) => jsonReply(200, hostStatus(call)),
  },
  { methods: ['POST'], pattern: /^\/admin\/host\/drain$/i, serve: drain },
  {
    methods: ['GET'],
    pattern: /^\/admin\/host\/drain\/status$/i,
    serve: ({ jobHost }) => jsonReply(200, drainStatus(jobHost)),
  },
  { methods: ['POST'], pattern: /^\/admin\/host\/resume$/i, serve: resume },
  { methods: ['PUT'], pattern: /^\/admin\/host\/state$/i, readsBody: true, serve: setState },
  { methods: ['POST'], pattern: /^\/admin\/host\/restart$/i, serve: restart },
  {
    methods: ['POST'],
    pattern: /^\/admin\/host\/synctriggers$/i,
    // Listeners follow the functions by themselves here: there is nobody else to be told.
    serve: ({ jobHost }) => jsonReply(200, { status: 'success', functions: jobHost.catalog?.status.length ?? 0 }),
  },
  { methods: ['POST'], pattern: /^\/admin\/host\/(?:log|debug)$/i, serve: () => emptyReply(202) },
  {
    methods: ['POST'],
    pattern: /^\/admin\/host\/scale\/status$/i,
    serve: ({ jobHost }) => jsonReply(200, { vote: 'none', targetWorkerCount: jobHost.status().workers.length }),
  },
  {
    methods: ['GET'],
    pattern: /^\/admin\/host\/config$/i,
    serve: ({ jobHost }) => jsonReply(200, { hostConfiguration: jobHost.application.hostJson ?? { version: '2.0' } }),
  },
  {
    methods: ['GET'],
    pattern: /^\/admin\/host\/extensions$/i,
    serve: ({ jobHost }) =>
      jsonReply(200, { extensions: Object.keys(extensionsOf(jobHost)).map((name) => ({ name })) }),
  },
  {
    methods: ['GET'],
    pattern: /^\/admin\/host\/processes$/i,
    serve: ({ jobHost }) => jsonReply(200, { processes: jobHost.status().workers }),
  },
  {
    methods: ['GET', 'POST'],
    pattern: /^\/admin\/warmup$/i,
    serve: (call) => emptyReply(runWarmup(call) ? 202 : 200),
  },
];

/** Everybody may ask whether somebody is there; with `checkHealth=1` also whether they are well. */
function ping(call: AdminCall) {
  const { query, jobHost } = call;
  const isAskedForHealth = /^(1|true)$/i.test(query.get('checkhealth') ?? '');
  const isUnwell = (): boolean => healthOf(jobHost) === 'unhealthy' || shortagesOf(call).length > 0;
  return emptyReply(isAskedForHealth && isUnwell() ? 429 : 200);
}

function hostStatus(call: AdminCall): Record<string, unknown> {
  const { jobHost, host } = call;
  const status = jobHost.status();
  const unwell = jobHost.duty.isPausedBy('health') ? [`The host is unhealthy: ${namesOf(shortagesOf(call))}.`] : [];
  const { extensionBundle } = jobHost.application.host;
  return {
    id: jobHost.application.hostId,
    state: jobHost.duty.isPausedBy('state') ? 'Offline' : stateNames[status.state],
    version: host.hostVersion,
    versionDetails: host.hostVersion,
    platformVersion: process.version,
    instanceId: jobHost.key,
    computerName: hostname(),
    isPrimary: host.isPrimary(jobHost),
    errors: [...(status.error === undefined ? [] : [status.error]), ...unwell],
    processUptime: Math.max(1, Math.round(host.clock.monotonic() - jobHost.createdMs)),
    functionAppContentEditingState: jobHost.application.functionFolders === undefined ? 'NotAllowed' : 'Allowed',
    ...(extensionBundle === undefined ? {} : { extensionBundle }),
    workers: status.workers,
  };
}

function drain({ jobHost }: AdminCall) {
  jobHost.duty.pause('drain');
  return emptyReply(202);
}

function drainStatus(jobHost: JobHost): Record<string, unknown> {
  const outstanding = jobHost.outstanding;
  const isDone = outstanding.invocations === 0 && outstanding.retries === 0 && !jobHost.duty.isPausing;
  return {
    state: !jobHost.duty.isPausedBy('drain') ? 'Disabled' : isDone ? 'Completed' : 'InProgress',
    outstandingInvocations: outstanding.invocations,
    outstandingRetries: outstanding.retries,
  };
}

function resume({ jobHost }: AdminCall) {
  const state = stateNames[jobHost.state.kind];
  if (state !== 'Running') return jsonReply(409, { state });
  jobHost.duty.resume('drain');
  return jsonReply(200, { state });
}

/** "running" or "offline", as a JSON text. */
function setState({ body, jobHost }: AdminCall) {
  const wanted = body.trim().replaceAll('"', '').toLowerCase();
  if (wanted !== 'running' && wanted !== 'offline') {
    return jsonReply(400, { message: 'Send the JSON text "running" or "offline".' });
  }
  const { duty } = jobHost;
  const isSame = duty.isPausedBy('state') === (wanted === 'offline');
  if (wanted === 'offline') duty.pause('state');
  else duty.resume('state');
  return emptyReply(isSame ? 200 : 202);
}

function restart({ jobHost, host }: AdminCall) {
  for (const { workerId } of jobHost.status().workers) host.restartWorker(workerId);
  return emptyReply(202);
}

function extensionsOf({ application: { hostJson } }: JobHost): object {
  const extensions =
    typeof hostJson === 'object' && hostJson !== null && 'extensions' in hostJson ? hostJson.extensions : undefined;
  return typeof extensions === 'object' && extensions !== null ? extensions : {};
}
