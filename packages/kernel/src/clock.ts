/**
 * Time as a port. Nothing in the core reads the system clock or starts a timer by itself, so that the whole platform
 * can run on virtual time.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds that only ever grow; for measuring durations. */
  monotonic(): number;
  /** Runs `callback` once, `delayMs` from now. Any delay is legal, also beyond the 24.8 days of a native timer. */
  schedule(delayMs: number, callback: () => void): Timer;
}

/** A scheduled callback. */
export interface Timer {
  cancel(): void;
}

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
