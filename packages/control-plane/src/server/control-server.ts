/**
 * The control API over node:http.
 *
 * Purpose: let nobody in who may not, read what comes with limits, give it to the handler of its operation, and write what
 * comes of it.
 * Ownership: the composition root opens the socket and closes it; the server owns the requests in between.
 *
 * I1 Every request gets one answer: of its operation, or a problem that says what to do. What nobody foresaw is logged once
 *    and shown by its number alone.
 * I2 Without an accepted token nothing is answered but health, public keys and the document of the API, and without the scope
 *    of the operation nothing is done, nor said of what was sent.
 * I3 A token sees the apps, deployments and packages of its tenants; those of others are unknown to it.
 * I4 A request with a foreign Host or from a foreign page is refused before anything else is looked at.
 * I5 When the caller is gone or the time is over, the signal of the operation aborts.
 * I6 Draining ends the streams, refuses what is new, and waits for what is under way.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createDeferred, messageOf, settlesWithin, withDeadline } from '@switchyard/kernel';
import {
  type ControlOperation,
  type ControlOperationId,
  controlOperations,
  eventStreamType,
  problemType,
} from '@switchyard/protocol/control-api';
import { writeEvents } from '@switchyard/protocol/event-response';
import { originForm } from '@switchyard/protocol/http-exchange';
import { controlErrors } from '../errors.ts';
import type { ControlServer, ControlServerDeps, ControlServerOptions } from './contract.ts';
import type { Caller, ControlCall, ControlHandlers, ControlReply } from './control-call.ts';
import { requireScope } from './control-call.ts';
import { applicationHandlers } from './handlers/applications.ts';
import { configurationHandlers } from './handlers/configuration.ts';
import { deploymentHandlers } from './handlers/deployments.ts';
import { domainHandlers } from './handlers/domain.ts';
import { observationHandlers } from './handlers/observation.ts';
import { packageHandlers } from './handlers/packages.ts';
import { serviceHandlers } from './handlers/service.ts';
import { targetHandlers } from './handlers/target.ts';
import { invokeTimeoutMs, maxEventStreams, operationTimeoutMs } from './limits.ts';
import { RequestRefused, refuseRequest, toProblemAnswer } from './problem.ts';
import { readJsonBody, readPackageBody } from './request-body.ts';
import { readInput } from './request-input.ts';
import {
  type AllowedOrigins,
  originHeaders,
  preflightHeaders,
  requireOrigin,
  toAllowedOrigins,
} from './request-origin.ts';
import { findRoute, type RouteFound } from './route-table.ts';
import { scaleHandlers } from './scale-handlers.ts';
import { dropBody } from './unread-body.ts';

const handlers: ControlHandlers<ControlOperationId> = {
  ...serviceHandlers,
  ...packageHandlers,
  ...applicationHandlers,
  ...deploymentHandlers,
  ...configurationHandlers,
  ...observationHandlers,
  ...domainHandlers,
  ...targetHandlers,
  ...scaleHandlers,
};

/** Operations that wait for customer code. Uploads have their own patience: it is for pauses, not for the whole. */
const timeouts: Partial<Record<ControlOperationId, number>> = {
  invokeFunction: invokeTimeoutMs,
  putPackage: Number.POSITIVE_INFINITY,
};

const nobody: Caller = { subject: '', tenants: [], scopes: [] };

export function createControlServer(deps: ControlServerDeps, options: ControlServerOptions): ControlServer {
  return new NodeControlServer(deps, options);
}

class NodeControlServer implements ControlServer {
  readonly #deps: ControlServerDeps;
  readonly #options: ControlServerOptions;
  readonly #allowed: AllowedOrigins;
  readonly #underWay = new Set<Promise<void>>();
  readonly #draining = new AbortController();
  #streams = 0;
  #requests = 0;

  constructor(deps: ControlServerDeps, options: ControlServerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#allowed = toAllowedOrigins(options);
  }

  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    // A socket that breaks is the end of the request, which `close` tells.
    response.on('error', () => {});
    const work = this.#serve(request, response).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#draining.abort();
    await settlesWithin(this.#deps.clock, deadlineMs, Promise.all(this.#underWay));
  }

  /** Never rejects. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    const onClose = (): void => gone.abort();
    response.once('close', onClose);
    try {
      await this.#answer(request, response, gone);
    } catch (thrown) {
      this.#refuse(request, response, thrown);
    } finally {
      response.off('close', onClose);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, gone: AbortController): Promise<void> {
    const { method = 'GET', headers } = request;
    requireOrigin(headers, this.#allowed);
    const more = originHeaders(headers, this.#allowed);
    if (method === 'OPTIONS' && headers.origin !== undefined) {
      response.writeHead(204, { ...more, ...preflightHeaders }).end();
      return;
    }
    if (this.#draining.signal.aborted) refuseRequest('CONTROL_DRAINING', {});
    const [path = '/'] = originForm(request.url).split('?');
    const route = requireRoute(findRoute(method, path), method, path);
    const { id } = route;
    const operation: ControlOperation = controlOperations[id];
    const caller = operation.scope === 'none' ? nobody : await this.#requireCaller(headers.authorization);
    if (operation.scope !== 'none') requireScope({ caller }, operation.scope);
    const parameters = requireParameters(route);
    const reply = await this.#handle(id, operation, request, { parameters, caller, gone });
    await this.#write(request, response, operation, reply, { more, signal: gone.signal });
  }

  async #requireCaller(authorization: string | undefined): Promise<Caller> {
    const verdict = await this.#deps.guard(authorization);
    if (verdict.kind === 'accepted') return verdict;
    const { status, reason } = verdict;
    throw new RequestRefused(controlErrors.create('CONTROL_TOKEN_REFUSED', { reason }), { status });
  }

  async #handle(
    id: ControlOperationId,
    operation: ControlOperation,
    request: IncomingMessage,
    of: { readonly parameters: ReadonlyMap<string, string>; readonly caller: Caller; readonly gone: AbortController },
  ): Promise<ControlReply> {
    const { clock } = this.#deps;
    const query = operation.query && readInput('query', operation.query, queryOf(request));
    const body = await readBody(clock, operation, request);
    const call = {
      ...{ parameters: Object.fromEntries(of.parameters), query, body, caller: of.caller },
      signal: of.gone.signal,
      deps: this.#deps,
      options: this.#options,
    };
    // The table has given each part the type that the handler of the same operation wants.
    const handler = handlers[id] as (call: ControlCall<never>) => ControlReply | Promise<ControlReply>;
    const limitMs = timeouts[id] ?? operationTimeoutMs;
    const reply = Promise.resolve(handler(call as unknown as ControlCall<never>));
    if (limitMs === Number.POSITIVE_INFINITY) return await reply;
    return await withDeadline(clock, limitMs, reply, () => {
      of.gone.abort();
      return controlErrors.create('CONTROL_TIMED_OUT', { limitMs });
    });
  }

  async #write(
    request: IncomingMessage,
    response: ServerResponse,
    { answer }: ControlOperation,
    reply: ControlReply,
    { more, signal }: { readonly more: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<void> {
    const headers = { ...more, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
    switch (reply.kind) {
      case 'json': {
        const text = JSON.stringify(reply.value);
        const sizes = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
        response.writeHead(answer.status, { ...headers, ...sizes }).end(request.method === 'HEAD' ? '' : text);
        return;
      }
      case 'empty':
        response.writeHead(answer.status, headers).end();
        return;
      case 'bytes': {
        const { type, sizeBytes, bytes } = reply;
        response.writeHead(answer.status, { ...headers, 'content-type': type, 'content-length': sizeBytes });
        if (request.method === 'HEAD') response.end();
        else await writeBytes(response, bytes, signal);
        return;
      }
      case 'events':
        if (request.method === 'HEAD')
          response.writeHead(answer.status, { ...headers, 'content-type': eventStreamType }).end();
        else await this.#writeEvents(request, response, headers, reply.events, signal);
    }
  }

  async #writeEvents(
    request: IncomingMessage,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    events: Extract<ControlReply, { kind: 'events' }>['events'],
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#streams >= maxEventStreams) refuseRequest('CONTROL_TOO_MANY_STREAMS', { limit: maxEventStreams });
    this.#streams += 1;
    const toFailure = (thrown: unknown): unknown => this.#toProblem(request, thrown).problem;
    const end = AbortSignal.any([signal, this.#draining.signal]);
    try {
      await writeEvents({ clock: this.#deps.clock, toFailure }, response, headers, events, end);
    } finally {
      this.#streams -= 1;
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    if (response.headersSent || response.destroyed) {
      // Too late to say it: an answer that breaks off is no answer.
      if (!response.destroyed) this.#toProblem(request, thrown);
      response.destroy();
      return;
    }
    const { status, headers, problem } = this.#toProblem(request, thrown);
    const text = JSON.stringify(problem);
    response.writeHead(status, {
      ...headers,
      ...originHeaders(request.headers, this.#allowed),
      'content-type': problemType,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? '' : text);
    dropBody(this.#deps.clock, request);
  }

  #toProblem(request: IncomingMessage, thrown: unknown): ReturnType<typeof toProblemAnswer> {
    this.#requests += 1;
    const requestId = `control-${this.#requests}`;
    const answer = toProblemAnswer(thrown, requestId);
    if (answer.isUnexpected) {
      const [path = '/'] = originForm(request.url).split('?');
      const fields = { requestId, method: request.method, path, error: messageOf(thrown), stack: stackOf(thrown) };
      this.#deps.log.write('error', 'A request to the control API failed', fields);
    }
    return answer;
  }
}

type RouteOfOperation = Extract<RouteFound, { kind: 'found' | 'invalid' }>;

function requireRoute(found: RouteFound, method: string, path: string): RouteOfOperation {
  const shown = path.slice(0, 200);
  switch (found.kind) {
    case 'found':
    case 'invalid':
      return found;
    case 'unknown':
      return refuseRequest('CONTROL_ROUTE_UNKNOWN', { path: shown });
    case 'method': {
      const allowed = found.allowed.join(', ');
      const error = controlErrors.create('CONTROL_METHOD_UNKNOWN', { path: shown, method, allowed });
      throw new RequestRefused(error, {}, { allow: allowed });
    }
  }
}

function requireParameters(route: RouteOfOperation): ReadonlyMap<string, string> {
  if (route.kind === 'found') return route.parameters;
  const { name, reason } = route;
  return refuseRequest('CONTROL_INPUT_INVALID', { where: 'path', at: ` at '${name}'`, reason });
}

async function readBody(
  clock: ControlServerDeps['clock'],
  { body }: ControlOperation,
  request: IncomingMessage,
): Promise<unknown> {
  if (body === undefined) return undefined;
  if (body === 'package') return readPackageBody(clock, request);
  return readInput('body', body, await readJsonBody(clock, request));
}

function queryOf({ url }: IncomingMessage): Record<string, string> {
  const target = originForm(url);
  const start = target.indexOf('?');
  return Object.fromEntries(new URLSearchParams(start < 0 ? '' : target.slice(start)));
}

/** Writes bytes as fast as the reader takes them; throws when the source does. */
async function writeBytes(
  response: ServerResponse,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of bytes) {
    if (signal.aborted) return;
    if (response.write(chunk)) continue;
    const taken = createDeferred<void>();
    const onEvent = (): void => taken.resolve();
    response.once('drain', onEvent).once('close', onEvent);
    await taken.promise;
    response.off('drain', onEvent).off('close', onEvent);
  }
  response.end();
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? '') : '';
}
