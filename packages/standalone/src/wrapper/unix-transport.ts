/** The way to a wrapper's socket, for its client. */
import { request } from 'node:http';
import type { WrapperTransport } from '@switchyard/sidecar';

/** An answer of a wrapper is shorter. */
const maxAnswerBytes = 4 * 1024 * 1024;

/** A wrapper answers at once; the client gives up before. */
const timeoutMs = 10_000;

export function createUnixTransport(socketPath: string): WrapperTransport {
  return ({ method, path, body }) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const outgoing = request({ socketPath, method, path, headers, timeout: timeoutMs, agent: false }, (response) => {
        const chunks: Uint8Array[] = [];
        let sizeBytes = 0;
        response.on('data', (chunk: Uint8Array) => {
          sizeBytes += chunk.length;
          if (sizeBytes > maxAnswerBytes) outgoing.destroy(new Error('its answer is too long'));
          else chunks.push(chunk);
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer came within ${timeoutMs} ms`)));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
}
