/**
 * The part of the official host's admin API (HostController, FunctionsController) that developers and probes use:
 * `host/ping`, `host/status`, `functions`, `functions/{name}` and its manual run. Everything but the ping needs the
 * admin level.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@switchyard/kernel';
import type { HttpReply } from '@switchyard/triggers';
import type { FunctionCatalog } from '../job-host/function-catalog.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import type { JobHost, JobHostState } from '../job-host/job-host.ts';
import { isAuthorized } from './authorize.ts';
import { inviteBody } from './expectation.ts';
import { toManualEvent } from './manual-event.ts';
import { readBody } from './request-body.ts';
import type { RequestTarget } from './request-target.ts';
import { writeReply } from './write-reply.ts';

/** What the admin API reads of a body. */
const bodyLimits = { limitBytes: 1_048_576, pauseMs: 60_000 } as const;

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

export interface AdminRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: RequestTarget;
  readonly jobHost: JobHost;
  readonly hostVersion: string;
  readonly clock: Clock;
}

/** True for the paths that belong to the host and to no function. */
export function isHostPath(path: string): boolean {
  return /^\/(admin|runtime)(\/|$)/i.test(path);
}

/** Answers a request under `/admin`; what is not there is 404. */
export function serveAdmin(given: AdminRequest): void {
  const { request, response, target, jobHost } = given;
  const method = request.method ?? 'GET';
  const path = target.path.replace(/\/+$/, '').toLowerCase();
  if (path === '/admin/host/ping' && (method === 'GET' || method === 'POST')) {
    writeReply(response, emptyReply(200));
    return;
  }
  const credentials = { headers: request.headers, search: target.search };
  if (!isAuthorized(jobHost.application.keys, 'admin', '', credentials)) {
    writeReply(response, emptyReply(401));
    return;
  }
  const name = /^\/admin\/functions\/([^/]+)$/.exec(path)?.[1];
  if (path === '/admin/host/status' && method === 'GET') writeReply(response, toJson(200, hostStatus(given)));
  else if (path === '/admin/functions' && method === 'GET')
    writeReply(response, toJson(200, listFunctions(jobHost.catalog)));
  else if (name !== undefined) serveFunction(given, jobHost.catalog?.find(name), method);
  else writeReply(response, emptyReply(404));
}

function serveFunction(
  { request, response, jobHost, clock }: AdminRequest,
  entry: FunctionEntry | undefined,
  method: string,
): void {
  if (entry === undefined) {
    writeReply(response, emptyReply(404));
    return;
  }
  if (method === 'GET') {
    writeReply(response, toJson(200, describeFunction(entry)));
    return;
  }
  if (method !== 'POST') {
    writeReply(response, emptyReply(405));
    return;
  }
  inviteBody(request, response);
  readBody(clock, request, bodyLimits, (body) => {
    if (body.kind === 'aborted') return;
    if (body.kind === 'too-large') writeReply(response, emptyReply(413));
    else if (body.kind === 'stalled') writeReply(response, emptyReply(408));
    else writeReply(response, runManually(jobHost, entry, Buffer.from(body.bytes).toString('utf8')));
  });
}

/** Starts the function with `{"input": "<text>"}` and does not wait for it. */
function runManually(jobHost: JobHost, entry: FunctionEntry, text: string): HttpReply {
  const input = parseInput(text);
  if (input === undefined) return toJson(400, { message: 'Send a JSON object such as {"input": "text"}.' });
  if (entry.trigger.kind === 'route') {
    return toJson(400, { message: `'${entry.metadata.name}' is an HTTP function: call its route.` });
  }
  const event = toManualEvent(entry.metadata.trigger.type, input);
  jobHost
    .choose()
    .executor.run(entry, { reason: event.reason, event: () => event }, { keepsId: false, retries: true }, () => {});
  return emptyReply(202);
}

function parseInput(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
    const input: unknown = Object.hasOwn(body, 'input') ? (body as { input: unknown }).input : '';
    return typeof input === 'string' ? input : JSON.stringify(input ?? '');
  } catch {
    return undefined;
  }
}

function hostStatus({ jobHost, hostVersion }: AdminRequest): Record<string, unknown> {
  const status = jobHost.status();
  return {
    id: jobHost.application.hostId,
    state: stateNames[status.state],
    version: hostVersion,
    versionDetails: hostVersion,
    errors: status.error === undefined ? [] : [status.error],
    workers: status.workers,
  };
}

function listFunctions(catalog: FunctionCatalog | undefined): unknown[] {
  return (catalog?.entries ?? []).map(describeFunction);
}

function describeFunction({ metadata, isDisabled, trigger }: FunctionEntry): Record<string, unknown> {
  return {
    name: metadata.name,
    language: metadata.language,
    config: { name: metadata.name, scriptFile: metadata.scriptFile, bindings: metadata.bindings.map(({ raw }) => raw) },
    isDisabled,
    isDirect: true,
    isProxy: false,
    ...(trigger.kind === 'route' ? { route: trigger.options.route } : {}),
  };
}

function toJson(status: number, value: unknown): HttpReply {
  return { status, headers: [['Content-Type', 'application/json; charset=utf-8']], body: JSON.stringify(value) };
}

function emptyReply(status: number): HttpReply {
  return { status, headers: [], body: '' };
}
