/** Reads the body of a request as text, within a size and a time. */
import type { IncomingMessage } from 'node:http';
import { type Clock, createDeferred, messageOf } from '@switchyard/kernel';

export interface BodyLimits {
  readonly bodyBytes: number;
  /** From the end of the headers to the last byte of the body. */
  readonly bodyMs: number;
}

export type BodyReading =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'late' }
  /** Its sender broke off. */
  | { readonly kind: 'broken'; readonly reason: string };

/** Reads the whole body. Never rejects; what is left of a body that does not fit is thrown away. */
export function readBody(request: IncomingMessage, clock: Clock, limits: BodyLimits): Promise<BodyReading> {
  const reading = createDeferred<BodyReading>();
  const timer = clock.schedule(limits.bodyMs, () => reading.resolve({ kind: 'late' }));
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const take = (chunk: Uint8Array): void => {
    sizeBytes += chunk.length;
    if (sizeBytes <= limits.bodyBytes) chunks.push(chunk);
    else reading.resolve({ kind: 'too-long' });
  };
  request.on('data', take);
  request.once('end', () => reading.resolve({ kind: 'read', text: Buffer.concat(chunks).toString('utf8') }));
  request.once('error', (error) => reading.resolve({ kind: 'broken', reason: messageOf(error) }));
  request.once('close', () => reading.resolve({ kind: 'broken', reason: 'the connection was closed' }));
  return reading.promise.finally(() => {
    timer.cancel();
    request.off('data', take);
    // Bytes that nobody takes would make the system reset the connection, and the answer would be lost with it.
    request.resume();
  });
}
