import type { BindingData } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import { fromTypedData } from './typed-data.ts';

/**
 * The values behind `trigger_metadata`, for expressions. Bytes, requests and values that are none are left out; JSON
 * that cannot be parsed stays text.
 */
export function bindingDataFrom(metadata: ReadonlyMap<string, TypedData>): BindingData {
  const values = new Map<string, unknown>();
  for (const [name, typed] of metadata) {
    const value = plainValue(typed);
    if (value !== undefined && value !== null) values.set(name, value);
  }
  return values;
}

function plainValue(typed: TypedData): unknown {
  const { data } = typed;
  switch (data?.$case) {
    case 'string':
    case 'int':
    case 'double':
      return fromTypedData(typed);
    case 'json':
      return parsedOrText(data.value);
    default:
      return undefined;
  }
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
