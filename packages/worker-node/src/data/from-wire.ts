/** Messages of the host in the shapes that programming models expect. Pure; bytes are views, not copies. */
import type {
  InvocationRequest,
  ModelBindingData,
  NullableString,
  ParameterBinding,
  RpcClaimsIdentity,
  RpcHttp,
  RpcHttpCookie,
  TypedData,
} from '@switchyard/protocol';
import type {
  CoreHttpData,
  CoreInvocationRequest,
  CoreModelBindingData,
  CoreNullableString,
  CoreTypedData,
} from '../core/core-types.ts';
import { workerErrors } from '../errors.ts';
import type { LongIntegers } from './long-integers.ts';
import { plainRecordFromMap, recordFromMap } from './record-from-map.ts';

const sameSites = ['none', 'lax', 'strict', 'explicitNone'] as const;

/** Throws SHARED_MEMORY_UNSUPPORTED for an input that is not in the message. `longs` is loaded when it is needed. */
export function toCoreInvocationRequest(request: InvocationRequest, longs: LongIntegers): CoreInvocationRequest {
  const { traceContext, retryContext } = request;
  return {
    invocationId: request.invocationId,
    functionId: request.functionId,
    inputData: request.inputData.map((input) => toCoreInput(input, longs)),
    triggerMetadata: recordFromMap(request.triggerMetadata, (value) => toCoreTypedData(value, longs)),
    traceContext: traceContext && {
      traceParent: traceContext.traceParent,
      traceState: traceContext.traceState,
      attributes: plainRecordFromMap(traceContext.attributes),
    },
    retryContext: retryContext && {
      retryCount: retryContext.retryCount,
      maxRetryCount: retryContext.maxRetryCount,
      exception: retryContext.exception && {
        source: retryContext.exception.source,
        stackTrace: retryContext.exception.stackTrace,
        message: retryContext.exception.message,
      },
    },
  };
}

/** One value. Nothing set becomes an object without members. */
export function toCoreTypedData({ data }: TypedData, longs: LongIntegers): CoreTypedData {
  switch (data?.$case) {
    case undefined:
      return {};
    case 'string':
      return { string: data.value };
    case 'json':
      return { json: data.value };
    case 'bytes':
      return { bytes: toBuffer(data.value) };
    case 'stream':
      return { stream: toBuffer(data.value) };
    case 'http':
      return { http: toCoreHttp(data.value, longs) };
    case 'int':
      return { int: longs.from(data.value) };
    case 'double':
      return { double: data.value };
    case 'collectionBytes':
      return { collectionBytes: { bytes: data.value.bytes.map(toBuffer) } };
    case 'collectionString':
      return { collectionString: { string: data.value.string } };
    case 'collectionDouble':
      return { collectionDouble: { double: data.value.double } };
    case 'collectionSint64':
      return { collectionSint64: { sint64: data.value.sint64.map((value) => longs.from(value)) } };
    case 'modelBindingData':
      return { modelBindingData: toCoreModelBindingData(data.value) };
    case 'collectionModelBindingData':
      return {
        collectionModelBindingData: { modelBindingData: data.value.modelBindingData.map(toCoreModelBindingData) },
      };
  }
}

function toCoreInput({ name, rpcData }: ParameterBinding, longs: LongIntegers): CoreInvocationRequest['inputData'][0] {
  if (rpcData?.$case === 'rpcSharedMemory') throw workerErrors.create('SHARED_MEMORY_UNSUPPORTED', { name });
  return { name, data: rpcData && toCoreTypedData(rpcData.value, longs) };
}

function toCoreHttp(http: RpcHttp, longs: LongIntegers): CoreHttpData {
  return {
    method: http.method,
    url: http.url,
    headers: plainRecordFromMap(http.headers),
    body: http.body && toCoreTypedData(http.body, longs),
    params: plainRecordFromMap(http.params),
    statusCode: http.statusCode,
    query: plainRecordFromMap(http.query),
    enableContentNegotiation: http.enableContentNegotiation,
    rawBody: http.rawBody && toCoreTypedData(http.rawBody, longs),
    identities: http.identities.map(toCoreIdentity),
    cookies: http.cookies.map(toCoreCookie),
    nullableHeaders: recordFromMap(http.nullableHeaders, toCoreNullable),
    nullableParams: recordFromMap(http.nullableParams, toCoreNullable),
    nullableQuery: recordFromMap(http.nullableQuery, toCoreNullable),
  };
}

function toCoreNullable({ string }: NullableString): CoreNullableString {
  return { value: string?.value };
}

function toCoreModelBindingData(data: ModelBindingData): CoreModelBindingData {
  return { ...data, content: toBuffer(data.content) };
}

function toCoreIdentity(identity: RpcClaimsIdentity): object {
  return {
    authenticationType: identity.authenticationType && toCoreNullable(identity.authenticationType),
    nameClaimType: identity.nameClaimType && toCoreNullable(identity.nameClaimType),
    roleClaimType: identity.roleClaimType && toCoreNullable(identity.roleClaimType),
    claims: identity.claims,
  };
}

/** Requests carry no cookies apart from their header; a host that sends some anyway finds them here. */
function toCoreCookie(cookie: RpcHttpCookie): object {
  return { name: cookie.name, value: cookie.value, sameSite: sameSites[cookie.sameSite] };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
