import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** One HTTP request. */
export interface HttpMessage {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** The authorities of the server's certificate, as PEM; those whom everybody trusts when left out. */
  readonly ca?: string;
  /** Ends the exchange, and the reading of its answer. */
  readonly signal: AbortSignal;
}

/** Bytes, or a stream of known length. */
export type HttpBody = Uint8Array | { readonly stream: Readable; readonly sizeBytes: number };

/** An answer whose body is still to be read; who does not want it destroys it. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readable;
}

/**
 * Sends a request and resolves with the head of the answer. Redirects are not followed: a token belongs to the address
 * that it was given for. Rejects with the error of the socket, or with an AbortError.
 */
export async function exchange(message: HttpMessage): Promise<HttpAnswer> {
  const { method, url, headers, body, signal, ca } = message;
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const length = body === undefined ? undefined : body instanceof Uint8Array ? body.byteLength : body.sizeBytes;
  const request = send(url, {
    method,
    headers: { ...headers, ...(length === undefined ? {} : { 'content-length': String(length) }) },
    // A command asks a few times and ends: a connection that is kept would only hold the process.
    agent: false,
    signal,
    ...(ca === undefined ? {} : { ca }),
  });
  const answered = new Promise<HttpAnswer>((resolve, reject) => {
    request.once('response', (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
    });
    // Stays for good: a socket may break once more after the answer.
    request.on('error', reject);
  });
  sendBody(request, body);
  return answered;
}

function sendBody(request: ClientRequest, body: HttpBody | undefined): void {
  if (body === undefined || body instanceof Uint8Array) {
    request.end(body);
    return;
  }
  // A server that refuses answers before it has read everything: that answer is worth more than the broken pipe.
  pipeline(body.stream, request).catch((error: Error) => request.destroy(error));
}

/** The whole of a body. Throws a RangeError when it is longer than `maxBytes`. */
export async function readBody(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new RangeError(`it is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
