/**
 * Everything under `/admin` and `/runtime`: the official host's admin API, health checks and extension webhooks.
 *
 * Ownership: the gateway hands a request over and has nothing more to do with it.
 */
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { isPlatformError, type Log, messageOf } from '@switchyard/kernel';
import { isAuthorized } from '../gateway/authorize.ts';
import { inviteBody } from '../gateway/expectation.ts';
import { readBody } from '../gateway/request-body.ts';
import { writeReply } from '../gateway/write-reply.ts';
import {
  type AdminCall,
  type AdminReply,
  type AdminRequest,
  type AdminRoute,
  emptyReply,
  jsonReply,
  type StreamReply,
} from './admin-call.ts';
import { functionRoutes } from './function-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { hostRoutes } from './host-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { toQuery } from './to-query.ts';
import { webhookRoutes } from './webhook-routes.ts';

/** What the admin API reads of a body. */
const bodyLimits = { limitBytes: 4_194_304, pauseMs: 60_000 } as const;

/** The first one that fits serves a request. */
const routes: readonly AdminRoute[] = [
  ...hostRoutes,
  ...keyRoutes,
  ...functionRoutes,
  ...healthRoutes,
  ...webhookRoutes,
];

/** True for the paths that belong to the host and to no function. */
export function isHostPath(path: string): boolean {
  return /^\/(admin|runtime)(\/|$)/i.test(path);
}

/** Answers a request; what is not there is 404, for administrators, and 401 for everybody else. */
export function serveAdmin(given: AdminRequest): void {
  const { request, response, target, jobHost } = given;
  const method = request.method ?? 'GET';
  const path = target.path.replace(/\/+$/, '');
  const fitting = routes.filter(({ pattern }) => pattern.test(path));
  const route = fitting.find(({ methods }) => methods.includes(method));
  const isOpen = route?.access !== undefined;
  const credentials = { headers: request.headers, search: target.search };
  if (!isOpen && !isAuthorized(jobHost.application.keys, 'admin', '', credentials)) {
    writeReply(response, emptyReply(401));
  } else if (route === undefined) {
    writeReply(response, emptyReply(fitting.length === 0 ? 404 : 405));
  } else {
    const parameters = (route.pattern.exec(path) ?? []).slice(1).map((text) => unescaped(text ?? ''));
    const call = { ...given, method, parameters, query: toQuery(target.search), body: '' };
    if (route.readsBody === true) readThen(call, (body) => serve(route, { ...call, body }));
    else serve(route, call);
  }
}

function readThen({ request, response, host }: AdminRequest, serveWith: (body: string) => void): void {
  inviteBody(request, response);
  readBody(host.clock, request, bodyLimits, (body) => {
    // Room is only asked for where `bodyLimits` says so.
    if (body.kind === 'aborted' || body.kind === 'no-room') return;
    if (body.kind === 'too-large') writeReply(response, emptyReply(413));
    else if (body.kind === 'stalled') writeReply(response, emptyReply(408));
    else serveWith(Buffer.from(body.bytes).toString('utf8'));
  });
}

function serve(route: AdminRoute, call: AdminCall): void {
  const { response, jobHost } = call;
  const fail = (thrown: unknown): void => {
    if (isPlatformError(thrown) && thrown.blame === 'user' && thrown.definition.http < 500) {
      writeReply(response, jsonReply(thrown.definition.http, { message: thrown.message }));
      return;
    }
    report(jobHost.log, thrown);
    writeReply(response, emptyReply(500));
  };
  const write = (reply: AdminReply): void =>
    'stream' in reply ? writeStream(response, reply, fail) : writeReply(response, reply);
  try {
    const reply = route.serve(call);
    if (reply instanceof Promise) reply.then(write, fail);
    else write(reply);
  } catch (thrown) {
    fail(thrown);
  }
}

/** A stream that breaks off, or a caller that goes away, breaks the response off: a part is never taken for the whole. */
function writeStream(
  response: ServerResponse,
  { status, headers, sizeBytes, stream }: StreamReply,
  fail: (thrown: unknown) => void,
): void {
  response.writeHead(status, [...headers.flat(), 'Content-Length', String(sizeBytes)]);
  pipeline(stream, response, (error) => {
    if (error && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') fail(error);
  });
}

function report(log: Log, thrown: unknown): void {
  log.write('error', 'A request to the host could not be served.', {
    category: 'Host.Controllers.Admin',
    reason: messageOf(thrown),
    ...(thrown instanceof Error ? { stack: thrown.stack } : {}),
  });
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
