/** HTTP with limits, to public addresses only. */
import type { WebResponse } from '@switchyard/capabilities';
import { type Clock, isPlatformError, messageOf, type PlatformError } from '@switchyard/kernel';
import { type Agent, type Dispatcher, request } from 'undici';
import { libraryErrors } from '../errors.ts';
import { readBody } from './read-body.ts';
import type { WebOptions } from './web-options.ts';
import { parseTarget, shown } from './web-target.ts';

/** A checked request. */
export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A response, and the way that led to it. */
export interface HttpResponse extends WebResponse {
  /** Addresses that redirected, in order. */
  readonly redirects: readonly string[];
}

export interface HttpClientDeps {
  readonly clock: Clock;
  readonly agent: Agent;
}

const redirectStatus = new Set([301, 302, 303, 307, 308]);

/** Headers that belong to the origin that they were meant for. */
const privateHeaders = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Fails with one of the WEB_ codes; a status is never a failure. */
export async function fetchHttp(deps: HttpClientDeps, options: WebOptions, asked: HttpRequest): Promise<HttpResponse> {
  const timeoutMs = Math.min(asked.timeoutMs, options.timeoutMs);
  const controller = new AbortController();
  const late = libraryErrors.create('WEB_DEADLINE_PASSED', { url: shown(asked.url), timeoutMs });
  const timer = deps.clock.schedule(timeoutMs, () => controller.abort(late));
  const stop = (): void => controller.abort(asked.signal.reason);
  asked.signal.throwIfAborted();
  asked.signal.addEventListener('abort', stop, { once: true });
  try {
    return await follow(deps.agent, options, { ...asked, signal: controller.signal });
  } catch (error) {
    // Whatever the library makes of it, the reason for stopping is the reason.
    if (controller.signal.aborted) throw controller.signal.reason;
    throw toWebError(error, asked.url);
  } finally {
    timer.cancel();
    asked.signal.removeEventListener('abort', stop);
  }
}

async function follow(agent: Agent, options: WebOptions, first: HttpRequest): Promise<HttpResponse> {
  const redirects: string[] = [];
  let next = first;
  for (;;) {
    const url = parseTarget(next.url, options);
    const response = await request(url, {
      dispatcher: agent,
      method: next.method as Dispatcher.HttpMethod,
      headers: { 'accept-encoding': 'gzip, deflate, br', ...next.headers },
      body: next.body ?? null,
      signal: next.signal,
    });
    const location = headerOf(response.headers, 'location');
    if (!redirectStatus.has(response.statusCode) || location === undefined)
      return await toResponse(response, url.href, redirects, options.maxResponseBytes);
    response.body.destroy();
    // Destroying a body early is an error of its own stream, which nobody else listens to.
    response.body.on('error', () => {});
    redirects.push(url.href);
    if (redirects.length > options.maxRedirects)
      throw libraryErrors.create('WEB_LIMIT_EXCEEDED', {
        url: shown(first.url),
        what: 'the number of redirects',
        limit: `${options.maxRedirects}`,
      });
    next = redirected(next, url, location, response.statusCode);
  }
}

function redirected(from: HttpRequest, url: URL, location: string, status: number): HttpRequest {
  const refuse = (reason: string): never => {
    throw libraryErrors.create('WEB_TARGET_REFUSED', { url: shown(location), reason });
  };
  if (!URL.canParse(location, url.href)) refuse('it is no address to redirect to');
  const target = new URL(location, url);
  if (url.protocol === 'https:' && target.protocol === 'http:') refuse('it leads from https to http');
  const asGet = status === 303 ? from.method !== 'HEAD' : status < 303 && from.method === 'POST';
  const dropped = (name: string): boolean =>
    (target.origin !== url.origin && privateHeaders.has(name)) || (asGet && name.startsWith('content-'));
  return {
    ...from,
    url: target.href,
    method: asGet ? 'GET' : from.method,
    body: asGet ? undefined : from.body,
    headers: Object.fromEntries(Object.entries(from.headers).filter(([name]) => !dropped(name))),
  };
}

async function toResponse(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  url: string,
  redirects: readonly string[],
  maxBytes: number,
): Promise<HttpResponse> {
  const plain: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value;
  const bytes = await readBody(body, headerOf(headers, 'content-encoding') ?? '', maxBytes, url);
  return { status: statusCode, url, headers: plain, body: bytes, redirects };
}

function headerOf(headers: Dispatcher.ResponseData['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function toWebError(error: unknown, url: string): PlatformError {
  const cause = error instanceof Error && isPlatformError(error.cause) ? error.cause : error;
  if (isPlatformError(cause)) return cause;
  return libraryErrors.create('WEB_REQUEST_FAILED', { url: shown(url), reason: messageOf(error) }, error);
}
