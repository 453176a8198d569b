import type { TypedData } from '@switchyard/protocol';
import { isPlainObject, parseExactJson } from './exact-json.ts';

/**
 * A value as custom handlers are used to get it, as JSON text. The official host's form: an object stands as it is, a
 * date as its text, bytes as base64, and everything else as a text that holds JSON: the message `hi` is `"\"hi\""`, the
 * number 1 is `"1"`, nothing is `"null"` (ScriptInvocationContextExtensions of the official host).
 */
export function toInputJson({ data }: TypedData): string {
  switch (data?.$case) {
    case undefined:
      return asText('null');
    case 'json':
      return fromJson(data.value);
    case 'string':
      return asText(JSON.stringify(data.value));
    case 'bytes':
    case 'stream':
      return JSON.stringify(toBase64(data.value));
    case 'int':
      return asText(String(data.value));
    case 'double':
      return asText(JSON.stringify(data.value));
    case 'collectionString':
      return asText(JSON.stringify(data.value.string));
    case 'collectionDouble':
      return asText(JSON.stringify(data.value.double));
    case 'collectionBytes':
      return asText(JSON.stringify(data.value.bytes.map(toBase64)));
    case 'collectionSint64':
      return asText(`[${data.value.sint64.join(',')}]`);
    default:
      return asText('null');
  }
}

/** A text that is JSON, in JSON. */
function asText(json: string): string {
  return JSON.stringify(json);
}

function fromJson(text: string): string {
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch {
    return asText(JSON.stringify(text));
  }
  const json = JSON.stringify(value);
  // Hosts send dates as JSON texts, and plain texts as `string`.
  return isPlainObject(value) || typeof value === 'string' ? json : asText(json);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
