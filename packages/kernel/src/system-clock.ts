import type { Clock, Timer } from './clock.ts';

/** The longest delay that the platform's timers take; longer ones are sliced. */
const maxNativeDelayMs = 2 ** 31 - 1;

/** The machine's own time. Timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback): Timer {
    let remainingMs = Math.max(0, delayMs);
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const sliceMs = Math.min(remainingMs, maxNativeDelayMs);
      remainingMs -= sliceMs;
      handle = setTimeout(() => (remainingMs > 0 ? arm() : callback()), sliceMs);
      handle.unref();
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
};
