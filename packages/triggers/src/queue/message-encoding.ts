/** How the content of a message is written in the queue. */

import type { QueuesExtension } from '@switchyard/model';

/** `base64`: the content's bytes in Base64. `none`: the content is the text itself. */
export type MessageEncoding = QueuesExtension['messageEncoding'];

/** The content of a message. */
export interface MessageContent {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Base64 without gaps, with its padding. */
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function encodeMessage(content: string | Uint8Array, encoding: MessageEncoding): string {
  const bytes = Buffer.from(content as Uint8Array);
  return encoding === 'base64' ? bytes.toString('base64') : bytes.toString('utf8');
}

/**
 * Reads a message. Text that is no Base64 counts as written without it, because many senders do so by accident; and the
 * text of Base64 that holds no UTF-8 is the Base64 itself.
 */
export function decodeMessage(text: string, encoding: MessageEncoding): MessageContent {
  if (encoding === 'none' || !base64Pattern.test(text)) return { bytes: Buffer.from(text, 'utf8'), text };
  const bytes = Buffer.from(text, 'base64');
  return { bytes, text: readUtf8(bytes) ?? text };
}

function readUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
