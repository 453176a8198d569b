import type { IncomingMessage } from 'node:http';

export type BodyResult =
  | { readonly kind: 'complete'; readonly bytes: Uint8Array }
  | { readonly kind: 'too-large' }
  /** The caller went away before the body was complete. */
  | { readonly kind: 'aborted' };

const noBytes = new Uint8Array();

/** True when the request announces a body, with a length or in chunks. */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && length !== '0';
}

/**
 * Reads a whole body, however it is framed, and calls `done` once. A body that is longer than `limitBytes` is given up
 * as soon as that is known; the rest stays unread.
 */
export function readBody(request: IncomingMessage, limitBytes: number, done: (result: BodyResult) => void): void {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) {
    done({ kind: 'too-large' });
    return;
  }
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const finish = (result: BodyResult): void => {
    request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError);
    done(result);
  };
  const onData = (chunk: Uint8Array): void => {
    sizeBytes += chunk.byteLength;
    chunks.push(chunk);
    if (sizeBytes <= limitBytes) return;
    request.pause();
    finish({ kind: 'too-large' });
  };
  const onEnd = (): void => finish({ kind: 'complete', bytes: join(chunks, sizeBytes) });
  const onClose = (): void => finish({ kind: 'aborted' });
  const onError = (): void => finish({ kind: 'aborted' });
  request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError);
}

function join(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const [first = noBytes] = chunks;
  return chunks.length <= 1 ? first : Buffer.concat(chunks, sizeBytes);
}
