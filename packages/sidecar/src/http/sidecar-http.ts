/**
 * The HTTP face of a sidecar: `POST /assign`, `GET /health`, `GET /ready`, `GET /metrics`. Pure mapping; opens nothing.
 * Who may assign is checked before anything of the body is read.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Clock, messageOf, type PlatformError } from '@switchyard/kernel';
import { type AssignOutcome, parseAssignment, toUsageJson, type WorkerUsage } from '@switchyard/protocol';
import { sidecarErrors } from '../sidecar/errors.ts';
import type { Sidecar, SidecarStatus } from '../sidecar/sidecar-contract.ts';
import { type AuthorizeAssign, refusalOf } from './authorize.ts';
import { type BodyLimits, type BodyReading, readBody } from './request-body.ts';

/** A request, as far as the mapping needs it. */
export interface SidecarRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** The header of that name. */
  readonly authorization: string | undefined;
  /** Called at most once, and only for a sender that may change something. */
  readonly readBody: () => Promise<BodyReading>;
}

export interface SidecarReply {
  readonly status: number;
  readonly type: 'application/json' | 'text/plain';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A sidecar's face needs nothing more of it. */
export type SidecarFace = Pick<Sidecar, 'assign' | 'status'>;

/** What stands behind the face. */
export interface SidecarHttp {
  readonly sidecar: SidecarFace;
  /** Without it nobody may assign over HTTP. */
  readonly authorize?: AuthorizeAssign;
  /** What the pod uses; left out where nobody measures it. Never rejects. */
  readonly usage?: () => Promise<WorkerUsage | undefined>;
}

/** An assignment with the largest environment that a system takes is smaller. */
export const defaultBodyLimits: BodyLimits = { bodyBytes: 8 * 1024 * 1024, bodyMs: 30_000 };

type Show = (status: SidecarStatus, usage: WorkerUsage | undefined) => SidecarReply;
type Change = (sidecar: SidecarFace, text: string) => Promise<SidecarReply>;

type Route = { readonly kind: 'shows'; readonly show: Show } | { readonly kind: 'changes'; readonly change: Change };

const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/assign', { kind: 'changes', change: assign }],
  ['/health', { kind: 'shows', show: toHealth }],
  ['/ready', { kind: 'shows', show: toReadiness }],
  ['/metrics', { kind: 'shows', show: toMetrics }],
]);

/** Answers one request. Never rejects. */
export async function answerSidecarRequest(
  { sidecar, authorize, usage }: SidecarHttp,
  request: SidecarRequest,
  limits: BodyLimits = defaultBodyLimits,
): Promise<SidecarReply> {
  const { path, method } = request;
  const route = routes.get(path);
  if (route === undefined) {
    return toErrorReply(sidecarErrors.create('SIDECAR_PATH_UNKNOWN', { path, known: [...routes.keys()].join(', ') }));
  }
  const allowed = route.kind === 'shows' ? 'GET' : 'POST';
  if (method !== allowed) {
    const error = sidecarErrors.create('SIDECAR_METHOD_REFUSED', { path, method, allowed });
    return toErrorReply(error, {}, { allow: allowed });
  }
  if (route.kind === 'shows') return route.show(sidecar.status(), await usage?.());
  const refusal = await refusalOf(authorize, request.authorization);
  if (refusal !== undefined) {
    const challenge: Record<string, string> = refusal.definition.http === 401 ? { 'www-authenticate': 'Bearer' } : {};
    return toErrorReply(refusal, {}, challenge);
  }
  const reading = await request.readBody();
  return reading.kind === 'read' ? await route.change(sidecar, reading.text) : toUnreadReply(reading, limits);
}

/** The mapping as a listener of node:http or node:https; the composition root opens the server. */
export function createSidecarListener(
  http: SidecarHttp & { readonly clock: Clock },
  limits: BodyLimits = defaultBodyLimits,
): RequestListener {
  return (request, response) => {
    serve(http, limits, request, response).catch((thrown: unknown) => {
      write(request, response, json(500, { error: 'UNEXPECTED', message: messageOf(thrown) }));
    });
  };
}

async function serve(
  http: SidecarHttp & { readonly clock: Clock },
  limits: BodyLimits,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/'] = (request.url ?? '/').split('?');
  const asked: SidecarRequest = {
    method: request.method ?? 'GET',
    path,
    authorization: request.headers.authorization,
    readBody: () => readBody(request, http.clock, limits),
  };
  write(request, response, await answerSidecarRequest(http, asked, limits));
}

function toUnreadReply(reading: Exclude<BodyReading, { kind: 'read' }>, limits: BodyLimits): SidecarReply {
  switch (reading.kind) {
    case 'too-long':
      return toErrorReply(sidecarErrors.create('SIDECAR_BODY_TOO_LONG', { limitBytes: limits.bodyBytes }));
    case 'late':
      return toErrorReply(sidecarErrors.create('SIDECAR_BODY_LATE', { timeoutMs: limits.bodyMs }));
    case 'broken':
      return invalid('$', `a whole body (${reading.reason})`);
  }
}

function write(request: IncomingMessage, response: ServerResponse, reply: SidecarReply): void {
  const { status, type, headers, body } = reply;
  if (response.headersSent || response.destroyed) return;
  // What was not read of the request would stand in front of the next one on this connection.
  const ending: Record<string, string> = request.complete ? {} : { connection: 'close' };
  response.writeHead(status, { 'content-type': type, ...headers, ...ending });
  response.end(body);
}

async function assign(sidecar: SidecarFace, text: string): Promise<SidecarReply> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return invalid('$', 'JSON');
  }
  const reading = parseAssignment(given);
  if (reading.kind === 'invalid') return invalid(reading.key, reading.expected);
  const outcome = await sidecar.assign(reading.assignment);
  return toAssignReply(outcome, sidecar.status());
}

function invalid(key: string, expected: string): SidecarReply {
  return toErrorReply(sidecarErrors.create('SIDECAR_ASSIGNMENT_INVALID', { key, expected }));
}

function toAssignReply(outcome: AssignOutcome, { workerId, state }: SidecarStatus): SidecarReply {
  if (outcome.kind === 'assigned') return json(200, { workerId, state });
  return toErrorReply(outcome.error, outcome.kind === 'failed' ? { tainted: outcome.tainted } : {});
}

function toErrorReply(
  error: PlatformError,
  more: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): SidecarReply {
  const { http, retry } = error.definition;
  const later: Record<string, string> =
    typeof retry === 'object' ? { 'retry-after': String(Math.ceil(retry.afterMs / 1_000)) } : {};
  return json(http, { error: error.code, message: error.message, ...more }, { ...later, ...headers });
}

/** No worker is Degraded; an app without its Runtime is Unhealthy. */
function toHealth(status: SidecarStatus, usage: WorkerUsage | undefined): SidecarReply {
  const { isWorkerConnected, isRuntimeConnected, application, stack } = status;
  const isCutOff = application !== undefined && !isRuntimeConnected;
  const isOver = status.state === 'failed' || status.state === 'stopped';
  const health = isCutOff || isOver ? 'Unhealthy' : isWorkerConnected ? 'Healthy' : 'Degraded';
  const data = {
    runtime_connected: isRuntimeConnected,
    worker_connected: isWorkerConnected,
    worker_id: status.workerId,
    stack: { ...stack },
    runtime_endpoint: status.runtimeEndpoint ?? '',
    application_id: application?.applicationId ?? '',
    tenant_id: status.tenantId ?? '',
    is_placeholder: application === undefined,
    ...(usage === undefined ? {} : { usage: toUsageJson(usage) }),
  };
  return json(health === 'Unhealthy' ? 503 : 200, { status: health, state: status.state, data });
}

function toReadiness({ isReady, state }: SidecarStatus): SidecarReply {
  return json(isReady ? 200 : 503, { ready: isReady, state });
}

function toMetrics(
  { counts, epoch, isReady, isRuntimeConnected, isWorkerConnected }: SidecarStatus,
  usage: WorkerUsage | undefined,
): SidecarReply {
  const samples: readonly Sample[] = [
    ['sidecar_frames_up_total', 'counter', counts.framesUp],
    ['sidecar_frames_down_total', 'counter', counts.framesDown],
    ['sidecar_bytes_up_total', 'counter', counts.bytesUp],
    ['sidecar_bytes_down_total', 'counter', counts.bytesDown],
    ['sidecar_frames_consumed_total', 'counter', counts.framesConsumed],
    ['sidecar_lines_dropped_total', 'counter', counts.linesDropped],
    ['sidecar_runtime_streams_total', 'counter', epoch],
    ['sidecar_runtime_connected', 'gauge', Number(isRuntimeConnected)],
    ['sidecar_worker_connected', 'gauge', Number(isWorkerConnected)],
    ['sidecar_ready', 'gauge', Number(isReady)],
    ...(usage === undefined ? [] : toUsageSamples(usage)),
  ];
  const body = samples.map(([name, type, value]) => `# TYPE ${name} ${type}\n${name} ${value}\n`).join('');
  return { status: 200, type: 'text/plain', headers: {}, body };
}

type Sample = readonly [name: string, type: 'counter' | 'gauge', value: number];

function toUsageSamples({ cpuMs, memoryBytes, cpuLimit }: WorkerUsage): readonly Sample[] {
  return [
    ['sidecar_pod_cpu_seconds_total', 'counter', cpuMs / 1_000],
    ['sidecar_pod_memory_bytes', 'gauge', memoryBytes],
    ['sidecar_pod_cpu_limit', 'gauge', cpuLimit],
  ];
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): SidecarReply {
  return { status, type: 'application/json', headers, body: JSON.stringify(value) };
}
