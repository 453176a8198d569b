import type { ServerResponse } from 'node:http';
import type { HttpReply } from '@switchyard/triggers';

/** Statuses whose responses have no body, and say nothing of its length. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/**
 * Writes a complete response with exactly the reply's headers, those of `extraHeaders` that it lacks (name and value
 * alternating) and the length of its body. The response to HEAD has no body to measure: it tells a length only when the
 * function gave one, or the body that it stands for. A caller that is gone is no error.
 */
export function writeReply(
  response: ServerResponse,
  reply: HttpReply,
  extraHeaders: readonly string[] = noHeaders,
): void {
  if (response.headersSent || response.destroyed) return;
  const { status, headers, body } = reply;
  const flat: string[] = [];
  let hasLength = false;
  for (const [name, value] of headers) {
    flat.push(name, value);
    if (name.length === contentLength.length && name.toLowerCase() === contentLength) hasLength = true;
  }
  addMissingHeaders(flat, extraHeaders);
  const isUnknown = body.length === 0 && response.req.method === 'HEAD';
  if (!hasLength && !isUnknown && !isBodiless(status)) {
    flat.push('Content-Length', String(typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength));
  }
  response.writeHead(status, flat);
  if (typeof body === 'string') response.end(body);
  else if (body.byteLength <= oneWriteBytes) response.end(toLatin1(body), 'latin1');
  else response.end(body);
}

/** Adds the headers whose names are not there yet, and gives the list back. */
export function addMissingHeaders(flat: string[], extraHeaders: readonly string[]): string[] {
  if (extraHeaders.length === 0) return flat;
  const names = new Set<string>();
  for (let index = 0; index < flat.length; index += 2) names.add((flat[index] ?? '').toLowerCase());
  for (let index = 0; index + 1 < extraHeaders.length; index += 2) {
    const name = extraHeaders[index] ?? '';
    if (!names.has(name.toLowerCase())) flat.push(name, extraHeaders[index + 1] ?? '');
  }
  return flat;
}

/**
 * Node puts a body that is text behind the head in one write, and sends bytes in a write of their own. Latin-1 turns bytes
 * into text and back as they are; for small bodies that saves more than it costs (a third of the way through the gateway).
 */
const oneWriteBytes = 4_096;

function toLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

const contentLength = 'content-length';
const noHeaders: readonly string[] = [];
