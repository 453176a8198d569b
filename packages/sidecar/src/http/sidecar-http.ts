/** The HTTP face of a sidecar: `POST /assign`, `GET /health`, `GET /ready`, `GET /metrics`. Pure mapping; opens nothing. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { messageOf, type PlatformError } from '@switchyard/kernel';
import { type AssignOutcome, parseAssignment } from '@switchyard/protocol';
import { sidecarErrors } from '../sidecar/errors.ts';
import type { Sidecar, SidecarStatus } from '../sidecar/sidecar-contract.ts';

/** A request, as far as the mapping needs it. */
export interface SidecarRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly body: string;
}

export interface SidecarReply {
  readonly status: number;
  readonly type: 'application/json' | 'text/plain';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A sidecar's face needs nothing more of it. */
export type SidecarFace = Pick<Sidecar, 'assign' | 'status'>;

/** An assignment with the largest environment that a system takes is smaller. */
const maxBodyBytes = 8 * 1024 * 1024;

type Route = (sidecar: SidecarFace, body: string) => SidecarReply | Promise<SidecarReply>;

const routes: ReadonlyMap<string, { readonly method: string; readonly answer: Route }> = new Map([
  ['/assign', { method: 'POST', answer: assign }],
  ['/health', { method: 'GET', answer: (sidecar) => toHealth(sidecar.status()) }],
  ['/ready', { method: 'GET', answer: (sidecar) => toReadiness(sidecar.status()) }],
  ['/metrics', { method: 'GET', answer: (sidecar) => toMetrics(sidecar.status()) }],
]);

/** Answers one request. Never rejects. */
export async function answerSidecarRequest(sidecar: SidecarFace, request: SidecarRequest): Promise<SidecarReply> {
  const route = routes.get(request.path);
  if (route === undefined) return json(404, { error: 'NOT_FOUND', message: `There is no ${request.path} here.` });
  if (route.method === request.method) return await route.answer(sidecar, request.body);
  const message = `${request.path} takes ${route.method} only.`;
  return json(405, { error: 'METHOD_NOT_ALLOWED', message }, { allow: route.method });
}

/** The mapping as a listener of node:http; the composition root opens the server. */
export function createSidecarListener(sidecar: SidecarFace): RequestListener {
  return (request, response) => {
    serve(sidecar, request, response).catch((thrown: unknown) => {
      write(response, json(500, { error: 'UNEXPECTED', message: messageOf(thrown) }));
    });
  };
}

async function serve(sidecar: SidecarFace, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    const message = `The body is longer than ${maxBodyBytes} bytes.`;
    write(response, json(413, { error: 'BODY_TOO_LARGE', message }, { connection: 'close' }));
    return;
  }
  const [path = '/'] = (request.url ?? '/').split('?');
  write(response, await answerSidecarRequest(sidecar, { method: request.method ?? 'GET', path, body }));
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function write(response: ServerResponse, { status, type, headers, body }: SidecarReply): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(body);
}

async function assign(sidecar: SidecarFace, body: string): Promise<SidecarReply> {
  let given: unknown;
  try {
    given = JSON.parse(body);
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

function toErrorReply(error: PlatformError, more: Readonly<Record<string, unknown>> = {}): SidecarReply {
  const { http, retry } = error.definition;
  const headers = typeof retry === 'object' ? { 'retry-after': String(Math.ceil(retry.afterMs / 1_000)) } : {};
  return json(http, { error: error.code, message: error.message, ...more }, headers as Record<string, string>);
}

/** No worker is Degraded; an app without its Runtime is Unhealthy. */
function toHealth(status: SidecarStatus): SidecarReply {
  const { isWorkerConnected, isRuntimeConnected, application } = status;
  const isCutOff = application !== undefined && !isRuntimeConnected;
  const isOver = status.state === 'failed' || status.state === 'stopped';
  const health = isCutOff || isOver ? 'Unhealthy' : isWorkerConnected ? 'Healthy' : 'Degraded';
  const data = {
    runtime_connected: isRuntimeConnected,
    worker_connected: isWorkerConnected,
    application_id: application?.applicationId ?? '',
    is_placeholder: application === undefined,
  };
  return json(health === 'Unhealthy' ? 503 : 200, { status: health, state: status.state, data });
}

function toReadiness({ isReady, state }: SidecarStatus): SidecarReply {
  return json(isReady ? 200 : 503, { ready: isReady, state });
}

function toMetrics({ counts, epoch, isReady, isRuntimeConnected, isWorkerConnected }: SidecarStatus): SidecarReply {
  const samples: readonly (readonly [name: string, type: 'counter' | 'gauge', value: number])[] = [
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
  ];
  const body = samples.map(([name, type, value]) => `# TYPE ${name} ${type}\n${name} ${value}\n`).join('');
  return { status: 200, type: 'text/plain', headers: {}, body };
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): SidecarReply {
  return { status, type: 'application/json', headers, body: JSON.stringify(value) };
}
