/**
 * The HTTP API of an agent, version 1, over node:http.
 *
 * Purpose: let nobody in who may not, read what comes within limits, give it to its route and write what comes of it. All
 * state is the job service's.
 * Ownership: the composition root opens the socket and closes it; the API owns the requests in between.
 *
 * I1 Every request gets one answer: of its route, or an error with a code and what to do.
 * I2 Nothing is answered, and nothing done, for a request without the token that the agent wants, or from a web page.
 * I3 What nobody foresaw is logged once and answered as INTERNAL_ERROR, without a word of it.
 * I4 Draining ends the streams and the waits, so that no reader keeps the agent from closing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Log, messageOf, settlesWithin } from '@switchyard/kernel';
import { writeEvents } from '@switchyard/protocol/event-response';
import { originForm } from '@switchyard/protocol/http-exchange';
import { toOpenApi } from '@switchyard/protocol/job-api';
import { type AccessRule, requireAccess } from './access.ts';
import { cancelJob, followJob, type JobRoutesDeps, listJobs, lookUpJob, submitJob } from './job-routes.ts';
import { maxEventStreams } from './limits.ts';
import { type Reply, RequestRefused, refuse } from './reply.ts';
import { dropBody, readJsonBody } from './request-body.ts';
import {
  describeAgent,
  describeHealth,
  measureAgent,
  type StatusRoutesDeps,
  type StatusRoutesOptions,
} from './status-routes.ts';

export interface AgentApiDeps extends Omit<JobRoutesDeps, 'service'>, Omit<StatusRoutesDeps, 'service'> {
  readonly service: JobRoutesDeps['service'] & StatusRoutesDeps['service'];
  readonly log: Log;
}

export interface AgentApiOptions extends StatusRoutesOptions {
  readonly access: AccessRule;
  readonly maxBodyBytes: number;
}

/** Tells proxies to hand every event on as it comes. */
const unbuffered = { 'x-accel-buffering': 'no' };

/** One request on its way through the routes. */
interface AgentCall {
  readonly request: IncomingMessage;
  /** Decoded; empty where the path has none. */
  readonly jobId: string;
  readonly query: URLSearchParams;
  readonly signal: AbortSignal;
}

type Route = (api: AgentApi, call: AgentCall) => Reply | Promise<Reply>;

export class AgentApi {
  readonly deps: AgentApiDeps;
  readonly options: AgentApiOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #draining = new AbortController();
  #streams = 0;

  constructor(deps: AgentApiDeps, options: AgentApiOptions) {
    this.deps = deps;
    this.options = options;
  }

  /** Serves one request. Never throws. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    // A socket that breaks is the end of the request, which `close` tells.
    response.on('error', () => {});
    const work = this.#serve(request, response).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  /** Ends what only waits, and resolves when nothing is under way or the time is over. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining.abort();
    await settlesWithin(this.deps.clock, deadlineMs, Promise.all(this.#underWay));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, this.#draining.signal]);
    try {
      requireAccess(request.headers, this.options.access);
      const { route, jobId, query } = findRoute(request);
      const reply = await route(this, { request, jobId, query, signal });
      await this.#write(request, response, reply, signal);
    } catch (thrown) {
      this.#refuse(request, response, thrown);
    }
  }

  async #write(request: IncomingMessage, response: ServerResponse, reply: Reply, signal: AbortSignal): Promise<void> {
    if (reply.kind === 'json') writeJson(request, response, reply.status, reply.value, reply.headers);
    else if (reply.kind === 'text') writeText(request, response, 200, reply.type, reply.text);
    else if (request.method === 'HEAD') writeText(request, response, 200, 'text/event-stream', '');
    else await this.#stream(response, reply.events, signal);
    dropBody(this.deps.clock, request);
  }

  async #stream(
    response: ServerResponse,
    events: Extract<Reply, { kind: 'events' }>['events'],
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#streams >= maxEventStreams)
      refuse(
        503,
        'INTERNAL_ERROR',
        `${maxEventStreams} logs are followed already, and no more can be. Try again later.`,
      );
    this.#streams += 1;
    try {
      await writeEvents({ clock: this.deps.clock }, response, unbuffered, events, signal);
    } finally {
      this.#streams -= 1;
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    const refusal = thrown instanceof RequestRefused ? thrown : this.#unforeseen(request, response, thrown);
    // An answer that has begun can only break off.
    if (response.headersSent || response.destroyed) response.destroy();
    else writeJson(request, response, refusal.status, { error: refusal.error }, refusal.headers);
    dropBody(this.deps.clock, request);
  }

  #unforeseen(request: IncomingMessage, response: ServerResponse, thrown: unknown): RequestRefused {
    // A caller that went away in the middle of its own request is nothing to tell.
    if (!response.destroyed)
      this.deps.log.write('error', 'A request failed', {
        method: request.method,
        path: pathOf(request).slice(0, 200),
        error: messageOf(thrown),
      });
    const message = 'The agent failed at this request. Its log says more.';
    return new RequestRefused(500, { code: 'INTERNAL_ERROR', message });
  }
}

/** Routes by method and path; `*` stands for the id of a job. HEAD means GET. */
const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  '/info': { GET: ({ deps, options }) => describeAgent(deps, options) },
  '/health': { GET: ({ deps, options }) => describeHealth(deps, options) },
  '/metrics': { GET: ({ deps, options }) => measureAgent(deps, options) },
  '/openapi.json': { GET: ({ options }) => ({ kind: 'json', status: 200, value: toOpenApi(options.version) }) },
  '/jobs': {
    GET: ({ deps }, { query }) => listJobs(deps, query),
    POST: async ({ deps, options }, { request }) =>
      submitJob(deps, await readJsonBody(deps.clock, request, options.maxBodyBytes)),
  },
  '/jobs/*': {
    GET: ({ deps }, { jobId, query, signal }) => lookUpJob(deps, jobId, query, signal),
    DELETE: ({ deps }, { jobId }) => cancelJob(deps, jobId),
  },
  '/jobs/*/logs': { GET: ({ deps }, { jobId, query, signal }) => followJob(deps, jobId, query, signal) },
};

function findRoute(request: IncomingMessage): {
  readonly route: Route;
  readonly jobId: string;
  readonly query: URLSearchParams;
} {
  const path = pathOf(request);
  const [, id, rest = ''] = /^\/jobs\/([^/]+)(\/[^/]*)?$/.exec(path) ?? [];
  const pattern = id === undefined ? path : `/jobs/*${rest}`;
  const methods =
    Object.hasOwn(routes, pattern) && !(id === undefined && path.includes('*')) ? routes[pattern] : undefined;
  if (methods === undefined)
    return refuse(404, 'NOT_FOUND', `There is no path '${path.slice(0, 200)}'. GET /openapi.json names all of them.`);
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  const route = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (route === undefined) {
    const allow = Object.keys(methods).join(', ');
    return refuse(405, 'METHOD_NOT_ALLOWED', `'${path.slice(0, 200)}' does not take ${method}, but ${allow}.`, {
      allow,
    });
  }
  const query = new URLSearchParams(originForm(request.url).split('?').slice(1).join('?'));
  return { route, jobId: id === undefined ? '' : decodeId(id), query };
}

function pathOf({ url }: IncomingMessage): string {
  return originForm(url).split('?')[0] ?? '/';
}

function decodeId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    const message = `The id '${text.slice(0, 200)}' in the path is no percent-encoded UTF-8. Encode it, as encodeURIComponent does.`;
    return refuse(400, 'INVALID_JOB_ID', message);
  }
}

function writeJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  writeText(request, response, status, 'application/json', `${JSON.stringify(value)}\n`, headers);
}

function writeText(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? '' : text);
}
