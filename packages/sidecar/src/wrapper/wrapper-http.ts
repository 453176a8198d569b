/** The HTTP face of a wrapper: `POST /restart`, `POST /shutdown`, `GET /status`. Pure mapping; opens nothing. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { messageOf, type PlatformError } from '@switchyard/kernel';
import { toUsageJson } from '@switchyard/protocol';
import type { SupervisorStatus, WorkerControl } from './contract.ts';
import { wrapperErrors } from './errors.ts';
import { parseRestartBody, parseShutdownBody } from './restart-body.ts';

/** A wrapper's face needs nothing more of the supervisor. */
export interface WrapperFace extends WorkerControl {
  shutdown(graceMs?: number): Promise<unknown>;
  status(): SupervisorStatus;
}

export interface WrapperRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly body: string;
}

export interface WrapperReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** More than the longest command line that is taken. */
const maxBodyBytes = 1024 * 1024;

interface Route {
  readonly method: 'GET' | 'POST';
  readonly answer: (wrapper: WrapperFace, body: string) => WrapperReply | Promise<WrapperReply>;
}

const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/restart', { method: 'POST', answer: restart }],
  ['/shutdown', { method: 'POST', answer: shutdown }],
  ['/status', { method: 'GET', answer: showStatus }],
]);

/** Answers one request. `/restart` and `/shutdown` answer at once; what they begin goes on. */
export async function answerWrapperRequest(wrapper: WrapperFace, request: WrapperRequest): Promise<WrapperReply> {
  const { method, path, body } = request;
  const route = routes.get(path);
  if (route === undefined) return toErrorReply(wrapperErrors.create('WRAPPER_PATH_UNKNOWN', { path }));
  if (route.method === method) return await route.answer(wrapper, body);
  const error = wrapperErrors.create('WRAPPER_METHOD_UNKNOWN', { path, method, allowed: route.method });
  return toErrorReply(error, { allow: route.method });
}

/** The mapping as a listener of node:http; the composition root opens the server. */
export function createWrapperListener(wrapper: WrapperFace): RequestListener {
  return (request, response) => {
    serve(wrapper, request, response).catch((thrown: unknown) => {
      write(response, json(500, { error: 'UNEXPECTED', message: messageOf(thrown) }));
    });
  };
}

async function serve(wrapper: WrapperFace, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    const error = wrapperErrors.create('WRAPPER_REQUEST_TOO_LARGE', { limit: maxBodyBytes });
    write(response, toErrorReply(error, { connection: 'close' }));
    return;
  }
  const [path = '/'] = (request.url ?? '/').split('?');
  write(response, await answerWrapperRequest(wrapper, { method: request.method ?? 'GET', path, body }));
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

function write(response: ServerResponse, { status, headers, body }: WrapperReply): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

async function restart(wrapper: WrapperFace, body: string): Promise<WrapperReply> {
  const reading = parseRestartBody(body);
  if (reading.kind === 'invalid') return invalid(reading.key, reading.expected);
  const outcome = await wrapper.restart(reading.value.reason, reading.value.change);
  switch (outcome.kind) {
    case 'accepted':
      return json(202, { status: 'accepted' });
    case 'in-progress':
      return json(409, { status: 'in-progress' }, { 'retry-after': '1' });
    case 'rejected':
      return json(409, { status: 'rejected', message: outcome.reason });
  }
}

function showStatus(wrapper: WrapperFace): WrapperReply {
  const { usage, ...status } = wrapper.status();
  return json(200, { ...status, ...(usage === undefined ? {} : { usage: toUsageJson(usage) }) });
}

function shutdown(wrapper: WrapperFace, body: string): WrapperReply {
  const reading = parseShutdownBody(body);
  if (reading.kind === 'invalid') return invalid(reading.key, reading.expected);
  // `ended` tells the owner; the caller is not kept waiting.
  void wrapper.shutdown(reading.value.graceMs);
  return json(202, { status: 'accepted' });
}

function invalid(key: string, expected: string): WrapperReply {
  return toErrorReply(wrapperErrors.create('WRAPPER_REQUEST_INVALID', { key, expected }));
}

function toErrorReply(error: PlatformError, headers: Readonly<Record<string, string>> = {}): WrapperReply {
  return json(error.definition.http, { error: error.code, message: error.message }, headers);
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): WrapperReply {
  return { status, headers, body: JSON.stringify(value) };
}
