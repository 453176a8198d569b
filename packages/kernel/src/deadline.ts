import type { Clock } from './clock.ts';

/**
 * Settles as `promise` does, or rejects with `late()` once `timeoutMs` have passed. The promise itself goes on: its
 * owner cancels it through its own signal.
 */
export function withDeadline<T>(clock: Clock, timeoutMs: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.schedule(timeoutMs, () => reject(late()));
    promise.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (reason) => {
        timer.cancel();
        reject(reason);
      },
    );
  });
}

/** Resolves true when `promise` settles within `timeoutMs`, false otherwise. Never rejects. */
export function settlesWithin(clock: Clock, timeoutMs: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.schedule(timeoutMs, () => resolve(false));
    const settled = (): void => {
      timer.cancel();
      resolve(true);
    };
    promise.then(settled, settled);
  });
}
