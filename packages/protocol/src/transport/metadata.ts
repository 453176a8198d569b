/**
 * gRPC metadata as HTTP/2 headers. Values are ASCII text; a name that ends with `-bin` carries base64 as it is.
 * Source: the gRPC over HTTP/2 protocol page, "Custom-Metadata".
 */
import { sensitiveHeaders } from 'node:http2';
import { protocolErrors } from '../errors.ts';

/** Metadata of one call: lower-case names, ASCII values. */
export type Metadata = ReadonlyMap<string, string>;

const validName = /^[0-9a-z_.-]+$/;
const validValue = /^[\x20-\x7e]*$/;

/** Headers that belong to the protocol, not to the caller. */
const reserved: ReadonlySet<string> = new Set(['te', 'content-type', 'connection', 'host', 'content-length']);

/** The headers for `metadata`. Throws RPC_METADATA_INVALID for what HTTP/2 or gRPC would not carry. */
export function toHeaders(metadata: Metadata): Record<string, string> & { [sensitiveHeaders]?: string[] } {
  const headers: Record<string, string> & { [sensitiveHeaders]?: string[] } = Object.create(null);
  for (const [name, value] of metadata) {
    if (!validName.test(name)) {
      throw protocolErrors.create('RPC_METADATA_INVALID', { name, reason: 'its name is not made of 0-9 a-z _ . -' });
    }
    if (reserved.has(name) || name.startsWith('grpc-')) {
      throw protocolErrors.create('RPC_METADATA_INVALID', { name, reason: 'gRPC itself uses this name' });
    }
    if (!validValue.test(value)) {
      throw protocolErrors.create('RPC_METADATA_INVALID', { name, reason: 'its value is not printable ASCII' });
    }
    headers[name] = value.trim();
  }
  // Tokens stay out of the header compression tables of both ends.
  if (metadata.has('authorization')) headers[sensitiveHeaders] = ['authorization'];
  return headers;
}

/** What the opener of a stream sent, without the headers that gRPC and HTTP/2 use themselves. */
export function fromHeaders(headers: Readonly<Record<string, unknown>>): Metadata {
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || name.startsWith('grpc-') || reserved.has(name)) continue;
    if (typeof value === 'string') metadata.set(name, value);
    else if (Array.isArray(value)) metadata.set(name, value.join(', '));
  }
  return metadata;
}
