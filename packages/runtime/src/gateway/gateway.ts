/**
 * The HTTP side: from a request to the function that it is for, and back.
 *
 * Ownership: the Runtime owns the gateway; a request belongs to it until its response is written. Requests of one app never
 * wait for those of another, and the way of a warm request has no asynchronous step of the gateway's own.
 *
 * I1 Every request gets exactly one response, unless its caller went away.
 * I2 A request that is for no app or function gets 404, one that may not be served 401, and neither reaches a worker.
 * I3 Nothing that a caller sends, or a function answers, makes the gateway throw or affects another request.
 * I4 A caller that goes away ends the wait of its request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Log, messageOf } from '@switchyard/kernel';
import { type HttpReply, type InvocationOutcome, toHttpReply } from '@switchyard/triggers';
import { type RuntimeErrorCode, runtimeErrors } from '../errors.ts';
import type { FunctionCatalog } from '../job-host/function-catalog.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import type { JobHost } from '../job-host/job-host.ts';
import { isHostPath, serveAdmin } from './admin.ts';
import { isAuthorized } from './authorize.ts';
import { homePage } from './home-page.ts';
import type { HostTable } from './host-table.ts';
import { type Address, HttpExchange, type OpenForward } from './http-exchange.ts';
import { defaultForwardLimits, HttpForward, type HttpRequester } from './http-forward.ts';
import { hasBody, readBody } from './request-body.ts';
import { parseTarget, type RequestTarget } from './request-target.ts';
import { writeReply } from './write-reply.ts';

export interface GatewayDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly hosts: HostTable<JobHost>;
  /** How requests reach workers that take HTTP themselves. */
  readonly request: HttpRequester;
}

export interface GatewayOptions {
  readonly hostVersion: string;
}

/** A request whose app is known. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: RequestTarget;
  /** The host as the caller addressed it, for absolute URLs. */
  readonly authority: string;
  readonly jobHost: JobHost;
}

const httpRun = { keepsId: false, retries: true } as const;

/** A body that went to a worker once cannot be sent again. */
const streamedRun = { keepsId: false, retries: false } as const;

export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #options: GatewayOptions;
  /** HTTP invocations without an outcome, for apps that limit them. */
  readonly #outstanding = new Map<JobHost, number>();

  constructor(deps: GatewayDeps, options: GatewayOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Serves one request. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    try {
      this.#route(request, response);
    } catch (thrown) {
      this.#fail(response, thrown);
    }
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    const target = parseTarget(request.url ?? '/', request.headers.host);
    if (target === undefined) {
      writeReply(response, errorReply('REQUEST_TARGET_INVALID'));
      return;
    }
    const lookup = this.#deps.hosts.find(target.authority);
    if (lookup.kind === 'invalid') {
      writeReply(response, errorReply('REQUEST_HOST_INVALID'));
      return;
    }
    if (lookup.kind === 'unknown') {
      writeReply(response, this.#unknownApp());
      return;
    }
    const { app: jobHost, authority } = lookup;
    const visit: Visit = { request, response, target, authority, jobHost };
    if (isHostPath(target.path)) serveAdmin({ ...visit, hostVersion: this.#options.hostVersion });
    else this.#visit(visit);
  }

  #visit(visit: Visit): void {
    const { state } = visit.jobHost;
    switch (state.kind) {
      case 'active':
      case 'dormant':
        this.#serve(visit, state.catalog);
        return;
      case 'created':
      case 'indexing':
        this.#waitForIndex(visit);
        return;
      default:
        writeReply(visit.response, emptyReply(503), [...retryHeaders(503), ...closeHeaders]);
    }
  }

  #waitForIndex(visit: Visit): void {
    const { response } = visit;
    const giveUp = visit.jobHost.whenIndexed((catalog) => {
      response.off('close', giveUp);
      if (catalog === undefined) writeReply(response, emptyReply(503), retryHeaders(503));
      else this.#guarded(response, () => this.#serve(visit, catalog));
    });
    response.on('close', giveUp);
  }

  #serve(visit: Visit, catalog: FunctionCatalog): void {
    const { request, response, target, jobHost } = visit;
    const method = request.method ?? 'GET';
    // The fetch classes, in which workers hand a request to a function, refuse the method.
    if (method === 'TRACE') {
      writeReply(response, emptyReply(405));
      return;
    }
    const match = catalog.router.match(method, target.path);
    if (match === undefined || match.entry.entry.isDisabled) {
      const isHome = target.path === '/' && (method === 'GET' || method === 'HEAD');
      writeReply(response, isHome ? homePage(jobHost.application.isHomepageDisabled) : emptyReply(404));
      return;
    }
    const { entry } = match.entry;
    if (!this.#isAllowed(visit, entry)) {
      writeReply(response, emptyReply(401));
      return;
    }
    const exchange = new HttpExchange(visit, match, addressOf(visit), this.#openForward);
    if (!hasBody(request)) this.#invoke(jobHost, exchange);
    else if (jobHost.streamsHttp) {
      exchange.isStreaming = true;
      this.#invoke(jobHost, exchange);
    } else this.#readBody(jobHost, exchange);
  }

  readonly #openForward: OpenForward = (exchange, httpUri, invocationId) => {
    const { clock, request } = this.#deps;
    const deps = { clock, request, limits: defaultForwardLimits };
    return new HttpForward(deps, exchange, { httpUri, invocationId });
  };

  #isAllowed({ request, target, jobHost }: Visit, entry: FunctionEntry): boolean {
    if (entry.trigger.kind !== 'route') return false;
    const { keys } = jobHost.application;
    const credentials = { headers: request.headers, search: target.search };
    return isAuthorized(keys, entry.trigger.options.authLevel, entry.metadata.name, credentials);
  }

  #readBody(jobHost: JobHost, exchange: HttpExchange): void {
    readBody(exchange.request, jobHost.application.bodyLimitBytes, (result) => {
      if (result.kind === 'aborted') return;
      if (result.kind === 'too-large') {
        writeReply(exchange.response, emptyReply(413), closeHeaders);
        return;
      }
      exchange.body = result.bytes;
      this.#guarded(exchange.response, () => this.#invoke(jobHost, exchange));
    });
  }

  #invoke(jobHost: JobHost, exchange: HttpExchange): void {
    const { response, entry } = exchange;
    const limit = jobHost.application.host.extensions.http.maxOutstandingRequests;
    const isLimited = limit >= 0;
    if (isLimited && !this.#enter(jobHost, limit)) {
      writeReply(response, busyReply, retryHeaders(busyReply.status));
      return;
    }
    const invocation = jobHost.executor.run(entry, exchange, jobHost.streamsHttp ? streamedRun : httpRun, (outcome) => {
      if (isLimited) this.#leave(jobHost);
      this.#answer(jobHost, exchange, outcome);
    });
    if (response.headersSent) return;
    response.on('close', () => {
      invocation.cancel();
      exchange.forward?.fail();
    });
  }

  #answer(jobHost: JobHost, exchange: HttpExchange, outcome: InvocationOutcome): void {
    const { request, response, entry, forward } = exchange;
    if (forward !== undefined) {
      if (outcome.kind !== 'succeeded') forward.fail();
      return;
    }
    if (response.destroyed) return;
    this.#guarded(response, () => {
      const { accept } = request.headers;
      const output = { name: entry.httpOutputName, method: exchange.method };
      const reply = toHttpReply(outcome, accept === undefined ? output : { ...output, accept });
      if (reply.problem !== undefined) this.#reportProblem(jobHost, entry, outcome, reply.problem.message);
      const { responseHeaders } = jobHost.application;
      writeReply(response, reply, outcome.kind === 'lost' ? retryHeaders(reply.status) : responseHeaders);
    });
  }

  #reportProblem(jobHost: JobHost, entry: FunctionEntry, outcome: InvocationOutcome, reason: string): void {
    this.#deps.log.write('error', 'The response of a function could not be sent.', {
      category: entry.logCategory,
      applicationId: jobHost.application.definition.applicationId,
      functionName: entry.metadata.name,
      invocationId: outcome.invocationId,
      reason,
    });
  }

  #enter(jobHost: JobHost, limit: number): boolean {
    const count = this.#outstanding.get(jobHost) ?? 0;
    if (count >= limit) return false;
    this.#outstanding.set(jobHost, count + 1);
    return true;
  }

  #leave(jobHost: JobHost): void {
    const count = this.#outstanding.get(jobHost) ?? 0;
    if (count > 1) this.#outstanding.set(jobHost, count - 1);
    else this.#outstanding.delete(jobHost);
  }

  /** Tells a developer which apps there are; anyone else learns nothing. */
  #unknownApp(): HttpReply {
    const jobHosts = this.#deps.hosts.all;
    if (!jobHosts.every(({ application }) => application.development)) return emptyReply(404);
    if (jobHosts.length === 0) return plainReply(404, 'No app is running here.');
    const names = jobHosts.map(({ application }) => `${application.definition.applicationId}.localhost`);
    return plainReply(404, `No app answers to this host name. Use one of: ${names.join(', ')}.`);
  }

  #guarded(response: ServerResponse, work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#fail(response, thrown);
    }
  }

  #fail(response: ServerResponse, thrown: unknown): void {
    this.#deps.log.write('error', 'A request could not be served.', {
      category: 'Host.Gateway',
      reason: messageOf(thrown),
      ...(thrown instanceof Error ? { stack: thrown.stack } : {}),
    });
    if (response.headersSent) response.destroy();
    else writeReply(response, emptyReply(500));
  }
}

/** Seconds after which a caller may try again, where the host itself says that nothing is ready or free. */
const retryAfterSeconds: ReadonlyMap<number, string> = new Map([
  [503, '5'],
  [429, '1'],
]);

function retryHeaders(status: number): readonly string[] {
  const seconds = retryAfterSeconds.get(status);
  return seconds === undefined ? [] : ['Retry-After', seconds];
}

/** The caller should open no further request on this connection. */
const closeHeaders: readonly string[] = ['Connection', 'close'];

/** What the official host answers when an app has more requests than it wants (reference host-behaviours section 5). */
const busyReply: HttpReply = { status: 429, headers: [['X-FUNCTION-SCALEOUT', '1']], body: '' };

function addressOf({ request, target, authority }: Visit): Address {
  const scheme = 'encrypted' in request.socket && request.socket.encrypted === true ? 'https' : 'http';
  const { path, search } = target;
  const url = `${scheme}://${authority}${path}${search === '' ? '' : `?${search}`}`;
  return { url, search, authority, scheme };
}

function errorReply(code: RuntimeErrorCode): HttpReply {
  const error = runtimeErrors.create(code);
  return plainReply(error.definition.http, error.message);
}

function emptyReply(status: number): HttpReply {
  return { status, headers: [], body: '' };
}

function plainReply(status: number, text: string): HttpReply {
  return { status, headers: [['Content-Type', 'text/plain; charset=utf-8']], body: `${text}\n` };
}
