/**
 * Which headers go on, and which end here, when a request is handed to a worker and its response to the caller. Pure.
 *
 * What belongs to one connection stays on it (RFC 9110, section 7.6.1): the names below and those that `Connection` lists.
 * The framing of a body is written anew for the next connection, and says the same.
 */

/** Headers of one connection. `Trailer` is treated apart: it names fields that may go on. */
const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
]);

/** Headers of a request that are written here, whatever the caller sent. */
const writtenHeaders: ReadonlySet<string> = new Set([
  'host',
  'expect',
  'x-ms-invocation-id',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** Methods that mostly come without a body: without one, the others say so (RFC 9110, section 8.6). */
const bodilessMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/** Where a forwarded request came from and where it goes. */
export interface ForwardOrigin {
  /** Host and port of the worker. */
  readonly host: string;
  /** The address of the caller; undefined when its connection is gone. */
  readonly remoteAddress: string | undefined;
  /** The host as the caller addressed it. */
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  readonly invocationId: string;
}

/**
 * The headers of the request to the worker: the caller's in their order and spelling, then `x-forwarded-*` and
 * `x-ms-invocation-id`. Workers build the request's URL from the forwarded host and scheme, so those are ours alone; the
 * caller's address goes to the end of a list that came along.
 */
export function toWorkerHeaders(method: string, rawHeaders: readonly string[], origin: ForwardOrigin): string[] {
  const headers = ['host', origin.host];
  const dropped = namesIn(rawHeaders, 'connection');
  const forwardedFor: string[] = [];
  let isChunked = false;
  let hasLength = false;
  for (const [name, value, key] of entries(rawHeaders)) {
    if (key === 'x-forwarded-for') forwardedFor.push(value);
    if (key === 'transfer-encoding') isChunked = true;
    if (key === 'content-length') hasLength = true;
    else if (connectionHeaders.has(key) || writtenHeaders.has(key) || dropped.has(key)) continue;
    headers.push(name, value);
  }
  if (isChunked) headers.push('transfer-encoding', 'chunked');
  else if (!hasLength && !bodilessMethods.has(method)) headers.push('content-length', '0');
  if (origin.remoteAddress !== undefined) forwardedFor.push(origin.remoteAddress);
  if (forwardedFor.length > 0) headers.push('x-forwarded-for', forwardedFor.join(', '));
  headers.push('x-forwarded-host', origin.authority, 'x-forwarded-proto', origin.scheme);
  headers.push('x-ms-invocation-id', origin.invocationId);
  return headers;
}

/**
 * The headers of the response to the caller: the worker's in their order and spelling. `Trailer` goes on only when the body
 * goes out in chunks, which alone can carry what it announces.
 */
export function toCallerHeaders(rawHeaders: readonly string[], sendsChunks: boolean): string[] {
  const headers: string[] = [];
  const dropped = namesIn(rawHeaders, 'connection');
  for (const [name, value, key] of entries(rawHeaders)) {
    const isKept = key === 'trailer' ? sendsChunks : !connectionHeaders.has(key) && !dropped.has(key);
    if (isKept || key === 'content-length') headers.push(name, value);
  }
  return headers;
}

/** What a list-valued header names, in lower case. */
function namesIn(rawHeaders: readonly string[], header: string): ReadonlySet<string> {
  let names: Set<string> | undefined;
  for (const [, value, key] of entries(rawHeaders)) {
    if (key !== header) continue;
    names ??= new Set();
    for (const name of value.split(',')) names.add(name.trim().toLowerCase());
  }
  return names ?? noNames;
}

const noNames: ReadonlySet<string> = new Set();

function* entries(raw: readonly string[]): Generator<readonly [name: string, value: string, key: string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    yield [name, raw[index + 1] ?? '', name.toLowerCase()];
  }
}
