import type { IncomingMessage } from 'node:http';
import type { Clock, Timer } from '@switchyard/kernel';

export type BodyResult =
  | { readonly kind: 'complete'; readonly bytes: Uint8Array }
  | { readonly kind: 'too-large' }
  /** Nothing came for as long as a pause may be. */
  | { readonly kind: 'stalled' }
  /** The caller went away before the body was complete. */
  | { readonly kind: 'aborted' }
  /** There is no room for more of it. */
  | { readonly kind: 'no-room' };

export interface BodyLimits {
  readonly limitBytes: number;
  /** The longest pause between two parts of a body. */
  readonly pauseMs: number;
  /** Asked for room for a body of unknown length, part by part; false when there is none. */
  readonly grow?: (bytes: number) => boolean;
}

const noBytes = new Uint8Array();

/** A body that is said to be longer gets its whole buffer once this much of it has come. */
const provenBytes = 1_048_576;

/** The length that the request announces for its body; undefined for a body in chunks. */
export function bodyLength(request: IncomingMessage): number | undefined {
  const { headers } = request;
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : undefined;
}

/** True when the request announces a body, with a length or in chunks. */
export function hasBody(request: IncomingMessage): boolean {
  return bodyLength(request) !== 0;
}

/**
 * Reads a whole body, however it is framed, and calls `done` once. A body that is longer than the limit is given up as
 * soon as that is known; the rest stays unread.
 */
export function readBody(
  clock: Clock,
  request: IncomingMessage,
  limits: BodyLimits,
  done: (result: BodyResult) => void,
): void {
  const length = bodyLength(request);
  if (length !== undefined && length > limits.limitBytes) {
    done({ kind: 'too-large' });
    return;
  }
  const parts = new BodyParts(length);
  let timer: Timer;
  let movedAtMs = clock.monotonic();
  const finish = (result: BodyResult): void => {
    timer.cancel();
    request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    if (result.kind !== 'complete') request.pause();
    done(result);
  };
  const watch = (delayMs: number): void => {
    timer = clock.schedule(delayMs, () => {
      const remainingMs = movedAtMs + limits.pauseMs - clock.monotonic();
      if (remainingMs > 0) watch(remainingMs);
      else finish({ kind: 'stalled' });
    });
  };
  const onData = (chunk: Uint8Array): void => {
    movedAtMs = clock.monotonic();
    if (length === undefined && limits.grow?.(chunk.byteLength) === false) {
      finish({ kind: 'no-room' });
      return;
    }
    parts.add(chunk);
    if (parts.sizeBytes > limits.limitBytes) finish({ kind: 'too-large' });
  };
  const onEnd = (): void => finish({ kind: 'complete', bytes: parts.join() });
  const onClose = (): void => finish({ kind: 'aborted' });
  watch(limits.pauseMs);
  request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
}

/**
 * The parts of a body as they come. A long body of known length goes straight into a buffer of that length, so that it is
 * never in memory twice; the buffer is made when the sender has shown that it means it.
 */
class BodyParts {
  readonly #length: number | undefined;
  #chunks: Uint8Array[] = [];
  #whole: Uint8Array | undefined;
  #sizeBytes = 0;

  constructor(length: number | undefined) {
    this.#length = length;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(chunk: Uint8Array): void {
    const offset = this.#sizeBytes;
    this.#sizeBytes += chunk.byteLength;
    if (this.#whole !== undefined) {
      this.#whole.set(chunk, offset);
      return;
    }
    this.#chunks.push(chunk);
    if (this.#length === undefined || this.#length < 2 * provenBytes || this.#sizeBytes < provenBytes) return;
    this.#whole = Buffer.allocUnsafe(this.#length);
    this.#whole.set(Buffer.concat(this.#chunks, this.#sizeBytes));
    this.#chunks = [];
  }

  join(): Uint8Array {
    if (this.#whole !== undefined) return this.#whole.subarray(0, this.#sizeBytes);
    const [first = noBytes] = this.#chunks;
    return this.#chunks.length <= 1 ? first : Buffer.concat(this.#chunks, this.#sizeBytes);
  }
}
