import type { Clock, Timer } from '@switchyard/kernel';

/**
 * The clock of a process that a test can put to sleep. Time goes on outside; timers that come due meanwhile run on waking,
 * in their order. `await awake()` is how the rest of the process sleeps too.
 */
export interface SleepyClock extends Clock {
  sleep(): void;
  wake(): void;
  isAsleep(): boolean;
  /** Resolves at once while awake, else on waking. */
  awake(): Promise<void>;
}

/** Makes a clock over another one. */
export function createSleepyClock(clock: Clock): SleepyClock {
  let isAsleep = false;
  let overdue: (() => void)[] = [];
  const whenAwake = (run: () => void): void => {
    if (isAsleep) overdue.push(run);
    else run();
  };
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    schedule(delayMs, callback): Timer {
      let isCancelled = false;
      const timer = clock.schedule(delayMs, () => {
        whenAwake(() => {
          if (!isCancelled) callback();
        });
      });
      return {
        cancel() {
          isCancelled = true;
          timer.cancel();
        },
      };
    },
    sleep() {
      isAsleep = true;
    },
    wake() {
      isAsleep = false;
      const runs = overdue;
      overdue = [];
      for (const run of runs) run();
    },
    isAsleep: () => isAsleep,
    awake: () => new Promise((resolve) => whenAwake(resolve)),
  };
}
