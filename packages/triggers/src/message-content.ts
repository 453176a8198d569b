/** What a function gives to an output of messages or events of AMQP: what each of them carries. */
import type { TypedData } from '@switchyard/protocol';
import { toOutgoingBytes, toOutgoingItems } from './outgoing-items.ts';

export interface MessageContent {
  readonly body: Uint8Array;
  readonly contentType: string;
}

/** A list, also one in JSON text, is several; objects are JSON; nothing is none. */
export function toMessageContents(value: TypedData): readonly MessageContent[] {
  return toOutgoingItems(value).map((item) => ({ body: toOutgoingBytes(item), contentType: toContentType(item) }));
}

function toContentType(item: unknown): string {
  if (item instanceof Uint8Array) return 'application/octet-stream';
  return typeof item === 'string' ? 'text/plain' : 'application/json';
}
