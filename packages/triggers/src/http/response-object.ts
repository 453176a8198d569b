/** A response that a function wrote as a plain JSON object, the way older programming models and scripts do. */
import type { RpcHttpCookie } from '@switchyard/protocol';
import { RpcHttpCookie_SameSite } from '@switchyard/protocol';

type JsonObject = Readonly<Record<string, unknown>>;

/** The parts of such an object; names are found without regard to case. */
export interface ResponseObject {
  readonly status: unknown;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly cookies: readonly RpcHttpCookie[];
  readonly body: unknown;
  readonly enableContentNegotiation: boolean;
}

const sameSites: ReadonlyMap<string, RpcHttpCookie_SameSite> = new Map([
  ['lax', RpcHttpCookie_SameSite.Lax],
  ['strict', RpcHttpCookie_SameSite.Strict],
  ['none', RpcHttpCookie_SameSite.ExplicitNone],
]);

/** The response in `value`, or undefined when it is content: only an object with a property `body` is a response. */
export function toResponseObject(value: unknown): ResponseObject | undefined {
  if (!isObject(value)) return undefined;
  const parts = new Map(Object.entries(value).map(([name, part]) => [name.toLowerCase(), part]));
  if (!parts.has('body')) return undefined;
  return {
    status: parts.has('statuscode') ? parts.get('statuscode') : parts.get('status'),
    headers: toHeaders(parts.get('headers')),
    cookies: toCookies(parts.get('cookies')),
    body: parts.get('body'),
    enableContentNegotiation: parts.get('enablecontentnegotiation') === true,
  };
}

/** A header with a list of values stands once per value. */
function toHeaders(headers: unknown): [string, string][] {
  if (!isObject(headers)) return [];
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((item): [string, string] => [name, toText(item)]),
  );
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function toCookies(cookies: unknown): RpcHttpCookie[] {
  return Array.isArray(cookies) ? cookies.filter(isObject).map(toCookie) : [];
}

function toCookie(cookie: JsonObject): RpcHttpCookie {
  const text = (name: string): string | undefined => (typeof cookie[name] === 'string' ? cookie[name] : undefined);
  const flag = (name: string): boolean | undefined => (typeof cookie[name] === 'boolean' ? cookie[name] : undefined);
  const domain = text('domain');
  const path = text('path');
  const secure = flag('secure');
  const httpOnly = flag('httpOnly');
  const maxAge = typeof cookie.maxAge === 'number' ? cookie.maxAge : undefined;
  const expiresMs = Date.parse(text('expires') ?? '');
  return {
    name: text('name') ?? '',
    value: toText(cookie.value),
    domain: domain === undefined ? undefined : { string: { $case: 'value', value: domain } },
    path: path === undefined ? undefined : { string: { $case: 'value', value: path } },
    secure: secure === undefined ? undefined : { bool: { $case: 'value', value: secure } },
    httpOnly: httpOnly === undefined ? undefined : { bool: { $case: 'value', value: httpOnly } },
    maxAge: maxAge === undefined ? undefined : { double: { $case: 'value', value: maxAge } },
    expires: Number.isNaN(expiresMs) ? undefined : { timestamp: { $case: 'value', value: toTimestamp(expiresMs) } },
    sameSite: sameSites.get((text('sameSite') ?? '').toLowerCase()) ?? RpcHttpCookie_SameSite.None,
  };
}

function toTimestamp(timeMs: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(timeMs / 1000)), nanos: 0 };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
