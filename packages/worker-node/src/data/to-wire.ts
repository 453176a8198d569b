/** The answer of a programming model as a message for the host. */
import type {
  InvocationResponse,
  ModelBindingData,
  NullableBool,
  NullableDouble,
  NullableString,
  NullableTimestamp,
  ParameterBinding,
  RpcHttp,
  RpcHttpCookie,
  RpcHttpCookie_SameSite,
  StatusResult,
  TypedData,
} from '@switchyard/protocol';
import { workerErrors } from '../errors.ts';
import {
  type Members,
  readBytes,
  readFlag,
  readInteger,
  readList,
  readMap,
  readMembers,
  readNumber,
  readOptional,
  readText,
  readWord,
  WireValueError,
} from './wire-value-reader.ts';

type Data = NonNullable<TypedData['data']>;

const sameSites: Readonly<Record<string, RpcHttpCookie_SameSite>> = { none: 0, lax: 1, strict: 2, explicitNone: 3 };

/** How each member of a value is read. */
const dataReaders: { readonly [Case in Data['$case']]: (value: unknown, path: string) => Data } = {
  string: (value, path) => ({ $case: 'string', value: readText(value, path) }),
  json: (value, path) => ({ $case: 'json', value: readText(value, path) }),
  bytes: (value, path) => ({ $case: 'bytes', value: readBytes(value, path) }),
  stream: (value, path) => ({ $case: 'stream', value: readBytes(value, path) }),
  http: (value, path) => ({ $case: 'http', value: toRpcHttp(value, path) }),
  int: readIntegerOrDouble,
  double: (value, path) => ({ $case: 'double', value: readNumber(value, path) }),
  collectionBytes: (value, path) => ({
    $case: 'collectionBytes',
    value: { bytes: readList(readMembers(value, path).bytes, `${path}.bytes`, readBytes) },
  }),
  collectionString: (value, path) => ({
    $case: 'collectionString',
    value: { string: readList(readMembers(value, path).string, `${path}.string`, readText) },
  }),
  collectionDouble: (value, path) => ({
    $case: 'collectionDouble',
    value: { double: readList(readMembers(value, path).double, `${path}.double`, readNumber) },
  }),
  collectionSint64: (value, path) => ({
    $case: 'collectionSint64',
    value: { sint64: readList(readMembers(value, path).sint64, `${path}.sint64`, readInteger) },
  }),
  modelBindingData: (value, path) => ({ $case: 'modelBindingData', value: toModelBindingData(value, path) }),
  collectionModelBindingData: (value, path) => ({
    $case: 'collectionModelBindingData',
    value: {
      modelBindingData: readList(
        readMembers(value, path).modelBindingData,
        `${path}.modelBindingData`,
        toModelBindingData,
      ),
    },
  }),
};

const dataCases = Object.keys(dataReaders) as Data['$case'][];

/**
 * A model's response. Whatever invocation id or result it names, those of the worker count. Throws RESPONSE_INVALID for
 * what cannot be sent.
 */
export function toInvocationResponse(invocationId: string, result: StatusResult, answer: unknown): InvocationResponse {
  const response = { ...emptyResponse(), invocationId, result };
  if (answer === undefined || answer === null) return response;
  try {
    const { outputData, returnValue } = readMembers(answer, 'the response');
    response.outputData = readList(outputData, 'outputData', toParameterBinding);
    response.returnValue = readOptional(returnValue, 'returnValue', toTypedData);
    return response;
  } catch (thrown) {
    if (!(thrown instanceof WireValueError)) throw thrown;
    const { path, found, expected } = thrown;
    throw workerErrors.create('RESPONSE_INVALID', { path, found, expected }, thrown);
  }
}

/** A response without values. */
export function emptyResponse(): InvocationResponse {
  return {
    invocationId: '',
    outputData: [],
    result: undefined,
    returnValue: undefined,
    traceContextAttributes: new Map(),
  };
}

/** One value of a model. Members it did not set do not count; two at once are an error. */
export function toTypedData(value: unknown, path: string): TypedData {
  const members = readMembers(value, path);
  let data: Data | undefined;
  for (const name of dataCases) {
    const member = members[name];
    if (member === undefined || member === null) continue;
    if (data) throw new WireValueError(path, value, `a value of one kind, not ${data.$case} and ${name} together`);
    data = dataReaders[name](member, `${path}.${name}`);
  }
  return { data };
}

function toParameterBinding(value: unknown, path: string): ParameterBinding {
  const { name, data } = readMembers(value, path);
  const typed = readOptional(data, `${path}.data`, toTypedData);
  return { name: readText(name, `${path}.name`), rpcData: typed && { $case: 'data', value: typed } };
}

/** Libraries send every whole number as `int`; one that does not fit into 64 bits travels as the double that it is. */
function readIntegerOrDouble(value: unknown, path: string): Data {
  if (typeof value === 'number' && Math.abs(value) >= 2 ** 63) return { $case: 'double', value };
  return { $case: 'int', value: readInteger(value, path) };
}

function toModelBindingData(value: unknown, path: string): ModelBindingData {
  const { version, source, contentType, content } = readMembers(value, path);
  return {
    version: readText(version, `${path}.version`),
    source: readText(source, `${path}.source`),
    contentType: readText(contentType, `${path}.contentType`),
    content: readOptional(content, `${path}.content`, readBytes) ?? new Uint8Array(),
  };
}

function toRpcHttp(value: unknown, path: string): RpcHttp {
  const http = readMembers(value, path);
  return {
    method: readText(http.method, `${path}.method`),
    url: readText(http.url, `${path}.url`),
    headers: readMap(http.headers, `${path}.headers`, readText),
    body: readOptional(http.body, `${path}.body`, toTypedData),
    params: readMap(http.params, `${path}.params`, readText),
    statusCode: readText(http.statusCode, `${path}.statusCode`),
    query: readMap(http.query, `${path}.query`, readText),
    enableContentNegotiation: readFlag(http.enableContentNegotiation, `${path}.enableContentNegotiation`),
    rawBody: readOptional(http.rawBody, `${path}.rawBody`, toTypedData),
    identities: [],
    cookies: readList(http.cookies, `${path}.cookies`, toRpcHttpCookie),
    nullableHeaders: readMap(http.nullableHeaders, `${path}.nullableHeaders`, toNullableString),
    nullableParams: readMap(http.nullableParams, `${path}.nullableParams`, toNullableString),
    nullableQuery: readMap(http.nullableQuery, `${path}.nullableQuery`, toNullableString),
  };
}

function toRpcHttpCookie(value: unknown, path: string): RpcHttpCookie {
  const cookie = readMembers(value, path);
  return {
    name: readText(cookie.name, `${path}.name`),
    value: readText(cookie.value, `${path}.value`),
    domain: readOptional(cookie.domain, `${path}.domain`, toNullableString),
    path: readOptional(cookie.path, `${path}.path`, toNullableString),
    expires: readOptional(cookie.expires, `${path}.expires`, toNullableTimestamp),
    secure: readOptional(cookie.secure, `${path}.secure`, toNullableBool),
    httpOnly: readOptional(cookie.httpOnly, `${path}.httpOnly`, toNullableBool),
    sameSite: readOptional(cookie.sameSite, `${path}.sameSite`, (word, at) => readWord(sameSites, word, at)) ?? 0,
    maxAge: readOptional(cookie.maxAge, `${path}.maxAge`, toNullableDouble),
  };
}

function toNullableString(value: unknown, path: string): NullableString {
  const text = readOptional(readMembers(value, path).value, `${path}.value`, readText);
  return { string: text === undefined ? undefined : { $case: 'value', value: text } };
}

function toNullableBool(value: unknown, path: string): NullableBool {
  const flag = readOptional(readMembers(value, path).value, `${path}.value`, readFlag);
  return { bool: flag === undefined ? undefined : { $case: 'value', value: flag } };
}

function toNullableDouble(value: unknown, path: string): NullableDouble {
  const number = readOptional(readMembers(value, path).value, `${path}.value`, readNumber);
  return { double: number === undefined ? undefined : { $case: 'value', value: number } };
}

function toNullableTimestamp(value: unknown, path: string): NullableTimestamp {
  const time = readOptional(readMembers(value, path).value, `${path}.value`, readMembers);
  return { timestamp: time && { $case: 'value', value: toSpan(time, `${path}.value`) } };
}

/** Seconds and nanoseconds, of a timestamp or a duration. */
export function toSpan(span: Members, path: string): { seconds: bigint; nanos: number } {
  return {
    seconds: readOptional(span.seconds, `${path}.seconds`, readInteger) ?? 0n,
    nanos: readOptional(span.nanos, `${path}.nanos`, readNumber) ?? 0,
  };
}
