/**
 * Values between the host and a worker, as `TypedData`. The rules are those of the official host's converter, so that a
 * worker sees the same shapes from us.
 */
import { messageOf } from '@switchyard/kernel';
import type { RpcHttp, TypedData } from '@switchyard/protocol';
import { triggerErrors } from './errors.ts';

/**
 * A value of the host as a worker gets it: text and bytes as they are, a fraction as double, nothing as an unset
 * TypedData, and everything else (whole numbers, dates, lists and objects too) as JSON.
 */
export function toTypedData(value: unknown): TypedData {
  if (value === null || value === undefined) return { data: undefined };
  if (typeof value === 'string') return textData(value);
  if (value instanceof Uint8Array) return { data: { $case: 'bytes', value } };
  if (typeof value === 'number' && !Number.isInteger(value)) return { data: { $case: 'double', value } };
  if (typeof value === 'bigint') return jsonData(value.toString());
  // Functions and symbols have no JSON: they are nothing to a worker.
  const json = JSON.stringify(value) as string | undefined;
  return json === undefined ? { data: undefined } : jsonData(json);
}

/** Text as a worker gets it. */
export function textData(value: string): TypedData {
  return { data: { $case: 'string', value } };
}

/** JSON text as a worker gets it. */
export function jsonData(value: string): TypedData {
  return { data: { $case: 'json', value } };
}

/** What a worker may answer with, as a value of the host. */
export type WorkerValue = undefined | string | number | bigint | Uint8Array | RpcHttp | JsonValue;

/** A parsed JSON value. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * A worker's value for the host. JSON is parsed, dates stay text, a whole number beyond 2^53 is a bigint. Collections
 * and model binding data only ever travel to a worker: TYPED_DATA_UNSUPPORTED.
 */
export function fromTypedData(typed: TypedData | undefined): WorkerValue {
  const data = typed?.data;
  if (data === undefined) return undefined;
  switch (data.$case) {
    case 'json':
      return parseJson(data.value);
    case 'int':
      return Number.isSafeInteger(Number(data.value)) ? Number(data.value) : data.value;
    case 'string':
    case 'bytes':
    case 'stream':
    case 'http':
    case 'double':
      return data.value;
    default:
      throw triggerErrors.create('TYPED_DATA_UNSUPPORTED', { type: data.$case });
  }
}

/** True when a worker gave no value: an unset TypedData, or JSON's null. */
export function isNothing(typed: TypedData | undefined): boolean {
  const data = typed?.data;
  return data === undefined || (data.$case === 'json' && data.value.trim() === 'null');
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (thrown) {
    throw triggerErrors.create('TYPED_DATA_JSON_INVALID', { reason: messageOf(thrown) }, thrown);
  }
}
