import type { RpcHttp } from '@switchyard/protocol';
import { customWorkerErrors } from '../errors.ts';
import type { HandlerRequest } from '../handler/ports.ts';
import { bodyOf, headersOf } from '../http-values.ts';

/** Headers that belong to the connection of the caller, and the length, which is measured anew. */
const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const noBody = new Uint8Array();

/** What the worker adds to every request. */
export interface AddedHeaders {
  readonly userAgent: string;
  readonly others: readonly (readonly [name: string, value: string])[];
}

/**
 * The caller's own request, for the handler: method, path, query, headers and body as they came. The host's name follows
 * the caller's in `user-agent`.
 * @throws PlatformError CUSTOM_HANDLER_REQUEST_INVALID
 */
export function toForwardedRequest(
  http: RpcHttp,
  port: number,
  added: AddedHeaders,
  functionName: string,
): HandlerRequest {
  const own = new Set(added.others.map(([name]) => name.toLowerCase()));
  const headers: (readonly [string, string])[] = [];
  let userAgent = added.userAgent;
  for (const [name, value] of headersOf(http)) {
    const lower = name.toLowerCase();
    if (lower === 'user-agent') userAgent = `${value} ${added.userAgent}`;
    else if (!connectionHeaders.has(lower) && !own.has(lower)) headers.push([name, value]);
  }
  if (!headers.some(([name]) => name.toLowerCase() === 'host')) headers.push(['host', `127.0.0.1:${port}`]);
  return {
    port,
    method: http.method.toUpperCase(),
    path: pathOf(http.url, functionName),
    headers: [...headers, ['user-agent', userAgent], ...added.others],
    body: bodyOf(http) ?? noBody,
  };
}

/** Path and query exactly as the caller wrote them. */
function pathOf(url: string, functionName: string): string {
  const [, path = '/'] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^#]*)/i.exec(url) ?? [];
  if (URL.canParse(url)) return path.startsWith('/') ? path : `/${path}`;
  const reason = `its address '${url.slice(0, 200)}' is not absolute`;
  throw customWorkerErrors.create('CUSTOM_HANDLER_REQUEST_INVALID', { functionName, reason });
}
