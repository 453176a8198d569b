import type { TypedData } from '@switchyard/protocol';
import { fromTypedData } from './typed-data.ts';

/** What an output sends one by one: the items of a list, also of one that a text spells as JSON, or the value itself. */
export function toOutgoingItems(value: TypedData): readonly unknown[] {
  const given = value.data?.$case === 'string' ? readList(value.data.value) : fromTypedData(value);
  if (given === undefined || given === null) return [];
  return Array.isArray(given) ? given : [given];
}

/** The bytes of an item: text and bytes as they are, anything else as JSON. */
export function toOutgoingBytes(item: unknown): Uint8Array {
  if (item instanceof Uint8Array) return item;
  return Buffer.from(typeof item === 'string' ? item : JSON.stringify(item ?? null));
}

function readList(text: string): unknown {
  if (!text.trim().startsWith('[')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
