import type { TypedData } from '@switchyard/protocol';

/** A whole number of groups of four, padded; long values may come in lines. */
const base64 = /^(?:[A-Za-z0-9+/]{4}[\r\n]*)*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)[\r\n]*$/;

/**
 * A value of an answer as the host gets it: texts as they are, objects, lists, numbers and truth values as JSON, null as
 * nothing. As in the official host a text that is base64 becomes bytes, which is how handlers answer with binary
 * content; `isText` (`"dataType": "string"` of the binding) leaves it alone.
 */
export function toOutputValue(value: unknown, isText: boolean): TypedData | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'string') return { data: { $case: 'json', value: JSON.stringify(value) } };
  if (isText || !base64.test(value)) return { data: { $case: 'string', value } };
  return { data: { $case: 'bytes', value: Buffer.from(value, 'base64') } };
}
