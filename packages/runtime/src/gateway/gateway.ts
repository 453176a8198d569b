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
import type { HttpReply, Kinds } from '@switchyard/triggers';
import type { AdminHost } from '../admin/admin-call.ts';
import { isHostPath, serveAdmin } from '../admin/serve-admin.ts';
import { type RuntimeErrorCode, runtimeErrors } from '../errors.ts';
import type { ProcessHealth } from '../health/process-health.ts';
import type { WorkerHttp } from '../http-stream/worker-http.ts';
import type { FunctionCatalog } from '../job-host/function-catalog.ts';
import type { JobHost } from '../job-host/job-host.ts';
import type { RuntimeLimits } from '../limits.ts';
import { withoutStderr } from '../stderr-quote.ts';
import { accessTo } from './access.ts';
import { homePage } from './home-page.ts';
import type { HostTable } from './host-table.ts';
import type { Address } from './http-exchange.ts';
import { HttpFunctions, retryHeaders } from './http-functions.ts';
import { replyHeadersOf } from './reply-headers.ts';
import { hasBody } from './request-body.ts';
import { parseTarget, type RequestTarget } from './request-target.ts';
import { discardBody } from './unread-body.ts';
import { writeReply } from './write-reply.ts';

export interface GatewayDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly hosts: HostTable<JobHost>;
  /** The way to workers that take HTTP themselves. */
  readonly workerHttp: WorkerHttp;
  readonly kinds: Pick<Kinds, 'webhook'>;
  /** How this process is; without it nobody looks, and no request is turned away for that. */
  readonly processHealth?: ProcessHealth | undefined;
  /** True while this is the primary host of the app. */
  readonly isPrimary: (jobHost: JobHost) => boolean;
  /** Starts a worker's process anew, if that can be done; does not wait. */
  readonly restartWorker: (workerId: string) => void;
}

export interface GatewayOptions {
  readonly hostVersion: string;
  readonly limits: RuntimeLimits;
}

/** A request whose app is known. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: RequestTarget;
  readonly address: Address;
  readonly jobHost: JobHost;
  /** What every response of the app carries, name and value alternating. */
  readonly replyHeaders: readonly string[];
}

export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #options: GatewayOptions;
  readonly #functions: HttpFunctions;
  readonly #admin: AdminHost;
  #isIntakeClosed = false;

  constructor(deps: GatewayDeps, options: GatewayOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#functions = new HttpFunctions({ ...deps, limits: options.limits });
    this.#admin = { ...deps, health: deps.processHealth, hostVersion: options.hostVersion, warmedUp: new WeakSet() };
  }

  /** Turns everything away that is for a function, or serves it again. */
  closeIntake(isClosed: boolean): void {
    this.#isIntakeClosed = isClosed;
  }

  /** Serves one request. A body that its sender announces with `Expect: 100-continue` must not have been asked for yet. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    try {
      if (hasBody(request)) {
        const { unreadBodyMs } = this.#options.limits;
        response.once('finish', () => discardBody(this.#deps.clock, request, unreadBodyMs));
      }
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
    const address = addressOf(request, target, authority);
    const replyHeaders = replyHeadersOf(jobHost.application, address);
    const visit: Visit = { request, response, target, address, jobHost, replyHeaders };
    if (isHostPath(target.path)) {
      serveAdmin({ ...visit, url: address.url, host: this.#admin });
      return;
    }
    if (this.#isIntakeClosed) {
      reply(visit, errorReply('RUNTIME_MEMORY_SHORT'), retryHeaders(503));
      return;
    }
    if (jobHost.isOffline) {
      reply(visit, { status: 503, headers: htmlHeaders, body: jobHost.application.offlinePage?.() ?? '' });
    } else this.#visit(visit);
  }

  #visit(visit: Visit): void {
    const { state, outage } = visit.jobHost;
    if (outage !== undefined) {
      this.#moveOn(visit);
      return;
    }
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
        reply(visit, emptyReply(503), [...retryHeaders(503), ...closeHeaders]);
    }
  }

  #waitForIndex(visit: Visit): void {
    const { response } = visit;
    let giveUp = (): void => {};
    giveUp = visit.jobHost.whenIndexed((catalog) => {
      response.off('close', giveUp);
      this.#guarded(response, () => (catalog === undefined ? this.#moveOn(visit) : this.#serve(visit, catalog)));
    });
    response.on('close', giveUp);
  }

  /** The version that the request is for does not come up; another one may have taken its place. */
  #moveOn(visit: Visit): void {
    const lookup = this.#deps.hosts.find(visit.target.authority);
    const jobHost = lookup.kind === 'found' ? lookup.app : visit.jobHost;
    if (jobHost === visit.jobHost) reply(visit, unavailableReply(jobHost), retryHeaders(503));
    else this.#visit({ ...visit, jobHost, replyHeaders: replyHeadersOf(jobHost.application, visit.address) });
  }

  #serve(visit: Visit, catalog: FunctionCatalog): void {
    const { request, target, jobHost } = visit;
    const method = request.method ?? 'GET';
    // The fetch classes, in which workers hand a request to a function, refuse the method.
    if (method === 'TRACE') {
      reply(visit, emptyReply(405));
      return;
    }
    const match = catalog.router.match(method, target.path);
    const credentials = { headers: request.headers, search: target.search };
    const { keys } = jobHost.application;
    const access = match === undefined ? 'unknown' : accessTo(match.entry.entry, keys, credentials);
    if (match === undefined || access === 'unknown') {
      const isHome = target.path === '/' && (method === 'GET' || method === 'HEAD');
      reply(visit, isHome ? homePage(jobHost.application.isHomepageDisabled) : emptyReply(404));
    } else if (access === 'refused') reply(visit, emptyReply(401));
    else if (asksForWebSocket(request)) reply(visit, errorReply('REQUEST_UPGRADE_REFUSED'));
    else this.#functions.serve(visit, match);
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

/** The caller should open no further request on this connection. */
const closeHeaders: readonly string[] = ['Connection', 'close'];

const htmlHeaders: HttpReply['headers'] = [['Content-Type', 'text/html; charset=utf-8']];

/** Other protocols that a caller offers to change to (h2c) may be passed over (RFC 9110, section 7.8). */
function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && /^\s*websocket\s*$/i.test(headers.upgrade);
}

function addressOf(request: IncomingMessage, { path, search }: RequestTarget, authority: string): Address {
  const scheme = 'encrypted' in request.socket && request.socket.encrypted === true ? 'https' : 'http';
  const target = search === '' ? path : `${path}?${search}`;
  return { url: `${scheme}://${authority}${target}`, target, search, authority, scheme };
}

/** Answers with a reply of the host's own. */
function reply({ response, replyHeaders }: Visit, given: HttpReply, ownHeaders: readonly string[] = noHeaders): void {
  writeReply(response, given, ownHeaders.length === 0 ? replyHeaders : [...ownHeaders, ...replyHeaders]);
}

const noHeaders: readonly string[] = [];

function errorReply(code: RuntimeErrorCode): HttpReply {
  const error = runtimeErrors.create(code);
  return plainReply(error.definition.http, error.message);
}

function emptyReply(status: number): HttpReply {
  return { status, headers: [], body: '' };
}

/** A developer is told what is wrong; the rest of it, with the stack, stands in the log. */
function unavailableReply({ application, outage = '' }: JobHost): HttpReply {
  const hint = withoutStderr(outage);
  return application.development && hint !== '' ? plainReply(503, hint) : emptyReply(503);
}

function plainReply(status: number, text: string): HttpReply {
  return { status, headers: [['Content-Type', 'text/plain; charset=utf-8']], body: `${text}\n` };
}
