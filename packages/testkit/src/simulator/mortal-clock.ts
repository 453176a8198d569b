/**
 * The clock of a process that can die: a dead process runs no timer. What it still awaits is up to those who hold its
 * other ends (links, requests), who must stop listening to it.
 *
 * I1 After `kill` no timer of this clock runs, and none can be scheduled.
 * I2 `pendingTimers` counts what this process alone waits for.
 */
import type { Clock, Timer } from '@switchyard/kernel';

export interface MortalClock extends Clock {
  readonly isAlive: boolean;
  /** How many timers of this process wait. */
  readonly pendingTimers: number;
  kill(): void;
}

export function createMortalClock(clock: Clock): MortalClock {
  const timers = new Set<Timer>();
  let isAlive = true;
  return {
    get isAlive() {
      return isAlive;
    },
    get pendingTimers() {
      return timers.size;
    },
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    schedule(delayMs, callback) {
      if (!isAlive) return { cancel: () => {} };
      const timer = clock.schedule(delayMs, () => {
        timers.delete(timer);
        callback();
      });
      timers.add(timer);
      return {
        cancel() {
          timers.delete(timer);
          timer.cancel();
        },
      };
    },
    kill() {
      isAlive = false;
      for (const timer of timers) timer.cancel();
      timers.clear();
    },
  };
}
