/** Reads what a host says of an HTTP request, whether it fills the plain maps or the nullable ones. */
import type { NullableString, RpcHttp, TypedData } from '@switchyard/protocol';

/** The headers; names as the host gives them, which is in lower case. */
export function headersOf(http: RpcHttp): ReadonlyMap<string, string> {
  return http.headers.size > 0 ? http.headers : withoutNulls(http.nullableHeaders);
}

export function queryOf(http: RpcHttp): ReadonlyMap<string, string> {
  return http.query.size > 0 ? http.query : withoutNulls(http.nullableQuery);
}

/** Route parameters; an optional one that is missing is null. */
export function paramsOf(http: RpcHttp): ReadonlyMap<string, string | null> {
  if (http.params.size > 0) return http.params;
  return new Map([...http.nullableParams].map(([name, value]) => [name, value.string?.value ?? null]));
}

/** The body's bytes, or undefined when the request had none. */
export function bodyOf(http: RpcHttp): Uint8Array | undefined {
  const bytes = toBytes(http.body) ?? toBytes(http.rawBody);
  return bytes === undefined || bytes.length === 0 ? undefined : bytes;
}

/** The value of a header in any case. */
export function headerOf(headers: ReadonlyMap<string, string>, wanted: string): string | undefined {
  for (const [name, value] of headers) if (name.toLowerCase() === wanted) return value;
  return undefined;
}

function withoutNulls(nullable: ReadonlyMap<string, NullableString>): ReadonlyMap<string, string> {
  return new Map([...nullable].map(([name, value]) => [name, value.string?.value ?? '']));
}

function toBytes(typed: TypedData | undefined): Uint8Array | undefined {
  const data = typed?.data;
  if (data?.$case === 'bytes' || data?.$case === 'stream') return data.value;
  return data?.$case === 'string' || data?.$case === 'json' ? new TextEncoder().encode(data.value) : undefined;
}
