/**
 * An HTTP request as the worker gets it. This runs for every request, so it passes over the headers once and allocates
 * only what goes on the wire.
 */
import type { NullableString, RpcHttp, TypedData } from '@switchyard/protocol';
import type { TriggerEvent } from '../contract.ts';
import { maxJsonChars, TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData, textData } from '../typed-data.ts';
import { clientPrincipalHeader, readClientPrincipal } from './client-principal.ts';
import type { HttpCapabilities, HttpTriggerRequest } from './contract.ts';
import { toKeyIdentity } from './key-identity.ts';
import { isBinaryMediaType, mediaTypeOf } from './media-type.ts';
import { parseQuery } from './query.ts';

/** The official host's words for every call over HTTP. */
const reason = 'This function was programmatically called via the host APIs.';

const jsonMediaType = 'application/json';

/** What `trigger_metadata` calls the request itself, for workers that want it there. */
const requestEntry = '$request';

/** Never written to: what an RpcHttp shows where it has nothing. */
const nothing = new Map<string, never>();
const noIdentities: RpcHttp['identities'] = [];
const emptyObject = jsonData('{}');

/**
 * Maps a request to the event of an httpTrigger.
 *
 * Headers have lower-case names; repeated ones are joined by commas (cookies by `; `). With `nullableValues` the
 * nullable maps are filled, else the plain ones, which leave out empty query values and, with `ignoreEmptyHeaders`,
 * empty headers. `trigger_metadata` holds the properties of a JSON body, the query (but for the key `code`), the route
 * parameters, and the objects `Query` and `Headers`; a worker without `triggerMetadataRemoved` also finds the request
 * there, under `$request` and the name of the binding.
 */
export function toHttpEvent(
  request: HttpTriggerRequest,
  capabilities: HttpCapabilities,
  bindingName?: string,
): TriggerEvent {
  const headers = joinHeaders(request.rawHeaders);
  const query = request.search === '' ? undefined : parseQuery(request.search);
  const http = toRpcHttp(request, capabilities, headers, query);
  const bodyText = addBody(http, request, capabilities, headers);
  const data: TypedData = { data: { $case: 'http', value: http } };
  const metadata = toMetadata(request, headers, query, bodyText);
  if (!capabilities.triggerMetadataRemoved) {
    metadata.set(requestEntry, data);
    if (bindingName !== undefined) metadata.set(bindingName, data);
  }
  const event = { data, metadata: metadata.entries, reason, signal: request.signal };
  const traceParent = headers.get('traceparent');
  if (traceParent === undefined) return event;
  const traceState = headers.get('tracestate');
  return traceState === undefined ? { ...event, traceParent } : { ...event, traceParent, traceState };
}

function joinHeaders(rawHeaders: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}${name === 'cookie' ? '; ' : ','}${value}`);
  }
  return headers;
}

function toRpcHttp(
  request: HttpTriggerRequest,
  capabilities: HttpCapabilities,
  headers: ReadonlyMap<string, string>,
  query: ReadonlyMap<string, string> | undefined,
): RpcHttp {
  const nullable = capabilities.nullableValues;
  return {
    method: request.method,
    url: request.url,
    headers: nullable ? nothing : withoutEmpty(headers, capabilities.ignoreEmptyHeaders),
    body: undefined,
    params: nullable ? nothing : presentParams(request.params),
    statusCode: '',
    query: nullable || query === undefined ? nothing : withoutEmpty(query, true),
    enableContentNegotiation: false,
    rawBody: undefined,
    identities: identitiesOf(request, headers),
    cookies: [],
    nullableHeaders: nullable ? toNullable(headers) : nothing,
    nullableParams: nullable ? toNullable(request.params) : nothing,
    nullableQuery: nullable && query !== undefined ? toNullable(query) : nothing,
  };
}

function identitiesOf(
  { trustsPrincipal, shownKey }: HttpTriggerRequest,
  headers: ReadonlyMap<string, string>,
): RpcHttp['identities'] {
  if (trustsPrincipal !== true && shownKey === undefined) return noIdentities;
  const principals = trustsPrincipal === true ? readClientPrincipal(headers.get(clientPrincipalHeader)) : [];
  return shownKey === undefined ? principals : [...principals, toKeyIdentity(shownKey)];
}

function withoutEmpty(values: ReadonlyMap<string, string>, leaveOut: boolean): Map<string, string> {
  if (!leaveOut) return values as Map<string, string>;
  const kept = new Map<string, string>();
  for (const [name, value] of values) if (value !== '') kept.set(name, value);
  return kept;
}

function presentParams(params: ReadonlyMap<string, string | undefined>): Map<string, string> {
  const present = new Map<string, string>();
  for (const [name, value] of params) if (value !== undefined) present.set(name, value);
  return present;
}

function toNullable(values: ReadonlyMap<string, string | undefined>): Map<string, NullableString> {
  const nullable = new Map<string, NullableString>();
  for (const [name, value] of values) {
    if (value !== undefined) nullable.set(name, { string: { $case: 'value', value } });
  }
  return nullable;
}

/**
 * Fills `body` and, for workers that do not ask for the body alone, `rawBody`. Returns the body's text for the binding
 * data, or undefined when it is no text.
 */
function addBody(
  http: RpcHttp,
  request: HttpTriggerRequest,
  capabilities: HttpCapabilities,
  headers: ReadonlyMap<string, string>,
): string | undefined {
  const bytes = request.body;
  if (bytes.byteLength === 0) return undefined;
  const mediaType = mediaTypeOf(headers.get('content-type') ?? '');
  const isBinary = isBinaryMediaType(mediaType);
  const asBytes: TypedData = { data: { $case: 'bytes', value: bytes } };
  if (capabilities.bodyOnly) {
    const wantsBytes = isBinary || capabilities.rawBodyBytes;
    const text = wantsBytes ? textOfObject(bytes) : toText(bytes);
    http.body = wantsBytes ? asBytes : textData(text ?? '');
    return text;
  }
  const text = toText(bytes);
  if (isBinary) http.body = asBytes;
  else http.body = mediaType === jsonMediaType ? toJsonBody(text) : textData(text);
  http.rawBody = capabilities.rawBodyBytes ? asBytes : textData(text);
  return text;
}

/** JSON as a worker without `bodyOnly` gets it: texts and fractions as themselves, the rest as the JSON it came in. */
function toJsonBody(text: string): TypedData {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null) return { data: undefined };
    if (typeof value === 'string') return textData(value);
    const isFraction = typeof value === 'number' && !Number.isInteger(value);
    return isFraction ? { data: { $case: 'double', value } } : jsonData(text);
  } catch {
    return textData(text);
  }
}

/** The text of a body that may be a JSON object; others are not worth decoding for their binding data. */
function textOfObject(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength > maxJsonChars) return undefined;
  return bytes[0] === openBrace || isBlankOrMark(bytes[0]) ? toText(bytes) : undefined;
}

const openBrace = 0x7b;

/** White space, or the first byte of a byte order mark. */
function isBlankOrMark(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0xef;
}

function toText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function toMetadata(
  request: HttpTriggerRequest,
  headers: ReadonlyMap<string, string>,
  query: ReadonlyMap<string, string> | undefined,
  bodyText: string | undefined,
): TriggerMetadata {
  const metadata = new TriggerMetadata();
  if (bodyText !== undefined) metadata.setJsonProperties(bodyText);
  if (query !== undefined) {
    for (const [name, value] of query) if (name.toLowerCase() !== 'code') metadata.set(name, textData(value));
  }
  for (const [name, value] of request.params) if (value !== undefined) metadata.set(name, textData(value));
  if (!metadata.has('Query')) metadata.set('Query', query === undefined ? emptyObject : toJsonObject(query));
  if (!metadata.has('Headers')) metadata.set('Headers', toJsonObject(headers));
  return metadata;
}

/** Written by hand, because an object on the way could not hold every name safely. */
function toJsonObject(values: ReadonlyMap<string, string>): TypedData {
  let json = '';
  for (const [name, value] of values) {
    json += `${json === '' ? '{' : ','}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return json === '' ? emptyObject : jsonData(`${json}}`);
}
