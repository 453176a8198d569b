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
const requestTimeoutMs = 35_000;

const retryBackoff: BackoffOptions = { minimumMs: 500, maximumMs: 30_000, factor: 2, jitter: 0.2 };

/** Which request, for messages. */
export interface RequestName {
  readonly operation: string;
  readonly queue: string;
}

/** What requests need. */
export interface RequestDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes one request with a deadline; an aborted `signal` ends it early. Rejects with STORAGE_REQUEST_LATE after 35 s.
 */
export async function request<T>(
  deps: Pick<RequestDeps, 'clock'>,
  name: RequestName,
  call: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const stop = new AbortController();
  const abort = (): void => stop.abort(signal?.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await withDeadline(deps.clock, requestTimeoutMs, call(stop.signal), () => {
      stop.abort();
      return triggerErrors.create('STORAGE_REQUEST_LATE', { ...name, timeoutMs: requestTimeoutMs });
    });
  } finally {
    // Never abort a request that has ended: its connection may carry another one by now.
    signal?.removeEventListener('abort', abort);
  }
}

/** Makes a request again while it fails for a reason that may pass, up to `maxTries` times. */
export async function insist<T>(
  deps: RequestDeps,
  name: RequestName,
  maxTries: number,
  call: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await request(deps, name, call, signal);
    } catch (thrown) {
      const isFinal =
        signal?.aborted === true || tries >= maxTries || (isPlatformError(thrown) && thrown.retry === 'never');
      if (isFinal) throw thrown;
      await sleep(deps.clock, backoffMs(retryBackoff, tries - 1, deps.random), signal);
    }
  }
}
