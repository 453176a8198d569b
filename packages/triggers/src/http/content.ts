/** The content of a response, before the headers say how it is written. */
import type { RpcHttp, TypedData } from '@switchyard/protocol';
import { fromTypedData } from '../typed-data.ts';
import { withUtf8Charset } from './media-type.ts';
import { preferredForm } from './preferred-form.ts';

export type Content =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'text'; readonly text: string }
  /** A JSON object or list. `text` is how it is written when nobody negotiates. */
  | { readonly kind: 'json'; readonly text: string; readonly compact: string };

/** How a response's content type is found. */
export interface Negotiation {
  /** True when the function asked for content negotiation. */
  readonly enabled: boolean;
  /** The caller's `accept` header, or an empty text. */
  readonly accept: string;
}

const nothing: Content = { kind: 'nothing' };
const plainText = 'text/plain; charset=utf-8';
const json = 'application/json; charset=utf-8';
const xml = 'application/xml; charset=utf-8';

/** The content of a worker's value. */
export function toContent(typed: TypedData | undefined): Content {
  const data = typed?.data;
  return data?.$case === 'http' ? compactJson(describeHttp(data.value)) : contentOf(fromTypedData(typed));
}

/**
 * The content of a value: bytes and text as they are, objects and lists as JSON over several lines, as the official host
 * writes them.
 */
export function contentOf(value: unknown): Content {
  if (value === null || value === undefined) return nothing;
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (value instanceof Uint8Array) return { kind: 'bytes', bytes: value };
  if (typeof value !== 'object') return { kind: 'text', text: String(value) };
  return { kind: 'json', text: indent(value), compact: JSON.stringify(value) };
}

/** An object or list as JSON on one line. */
export function compactJson(value: unknown): Content {
  const compact = JSON.stringify(value);
  return { kind: 'json', text: compact, compact };
}

/** What the official host shows of a response without a body: the message itself. */
export function describeHttp(http: RpcHttp): Record<string, unknown> {
  return {
    method: http.method,
    query: Object.fromEntries(http.query),
    statusCode: http.statusCode,
    headers: Object.fromEntries(http.headers),
    enableContentNegotiation: http.enableContentNegotiation,
    cookies: http.cookies.map(({ name, value }) => ({ name, value })),
  };
}

/** The body and its content type. Bytes have no type of their own; texts are always UTF-8. */
export function write(
  content: Content,
  givenType: string | undefined,
  negotiation: Negotiation,
): { readonly body: Uint8Array | string; readonly contentType: string | undefined } {
  const textType = givenType === undefined ? plainText : withUtf8Charset(givenType);
  switch (content.kind) {
    case 'nothing':
      return { body: '', contentType: textType };
    case 'bytes':
      return { body: content.bytes, contentType: givenType };
    case 'text': {
      const wanted = negotiation.enabled && givenType === undefined ? preferredForm(negotiation.accept) : undefined;
      if (wanted === 'json') return { body: JSON.stringify(content.text), contentType: json };
      if (wanted === 'xml') return { body: toXml(content.text), contentType: xml };
      return { body: content.text, contentType: textType };
    }
    case 'json':
      return negotiation.enabled
        ? { body: content.compact, contentType: givenType === undefined ? json : textType }
        : { body: content.text, contentType: textType };
  }
}

/** Characters that XML cannot hold, also not as references, and halves of surrogate pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const beyondXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
const xmlEscapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' };

/** A text as the data contract serializer of .NET writes it; what XML cannot hold becomes U+FFFD. */
function toXml(text: string): string {
  const escaped = text.replace(/[&<>\r]/g, (one) => xmlEscapes[one] ?? one).replace(beyondXml, '\ufffd');
  return `<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">${escaped}</string>`;
}

/** Nesting deeper than the engine can lay out stays on one line. */
function indent(value: object): string {
  try {
    return JSON.stringify(value, undefined, 2);
  } catch (thrown) {
    if (thrown instanceof RangeError) return JSON.stringify(value);
    throw thrown;
  }
}
