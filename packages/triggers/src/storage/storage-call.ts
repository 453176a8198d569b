/** Requests to blobs and tables: each with a deadline, and made again where that makes sense. */
import {
  type BackoffOptions,
  backoffMs,
  type Clock,
  isPlatformError,
  type Random,
  sleep,
  withDeadline,
} from '@switchyard/kernel';
import { triggerErrors } from '../errors.ts';

/** A request that takes longer than this failed; the service itself gives up after 30 s. */
const callTimeoutMs = 35_000;

/** The slowest transfer that is still waited for. */
const minBytesPerMs = 1_000;

const retryBackoff: BackoffOptions = { minimumMs: 500, maximumMs: 30_000, factor: 2, jitter: 0.2 };

/** Which request, for messages: `read` of `blob 'images/a.png'`. */
export interface CallName {
  readonly operation: string;
  readonly resource: string;
}

/** What calls need. */
export interface CallDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface CallOptions {
  /** Aborts the call, or the wait for the next try. */
  readonly signal?: AbortSignal | undefined;
  /** How long one try may take. */
  readonly timeoutMs?: number;
}

/** How long a request may take that carries so many bytes. */
export function transferTimeoutMs(sizeBytes: number): number {
  return callTimeoutMs + Math.ceil(sizeBytes / minBytesPerMs);
}

/** Makes one request. Rejects with STORAGE_CALL_LATE when no answer comes in time. */
export async function callStorage<T>(
  deps: Pick<CallDeps, 'clock'>,
  name: CallName,
  call: (signal: AbortSignal) => Promise<T>,
  { signal, timeoutMs = callTimeoutMs }: CallOptions = {},
): Promise<T> {
  const stop = new AbortController();
  const abort = (): void => stop.abort(signal?.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await withDeadline(deps.clock, timeoutMs, call(stop.signal), () =>
      triggerErrors.create('STORAGE_CALL_LATE', { ...name, timeoutMs }),
    );
  } finally {
    signal?.removeEventListener('abort', abort);
    stop.abort();
  }
}

/** Makes a request again while it fails for a reason that may pass, up to `maxTries` times. */
export async function callUntilDone<T>(
  deps: CallDeps,
  name: CallName,
  maxTries: number,
  call: (signal: AbortSignal) => Promise<T>,
  options: CallOptions = {},
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await callStorage(deps, name, call, options);
    } catch (thrown) {
      const isFinal = isPlatformError(thrown) && thrown.retry === 'never';
      if (isFinal || tries >= maxTries || options.signal?.aborted === true) throw thrown;
      await sleep(deps.clock, backoffMs(retryBackoff, tries - 1, deps.random), options.signal);
    }
  }
}
