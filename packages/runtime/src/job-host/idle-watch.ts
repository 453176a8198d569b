/**
 * Notices that nothing has happened for long, at the price of one timer, however many invocations there are.
 *
 * Phases: Resting <-> Watching. Ownership: a code version owns it.
 *
 * I1 `onIdle` is called only when nothing runs and nothing has run, and the watch has been on, for `idleMs`.
 * I2 A watch that is on stays on until it has called `onIdle` or is stopped; then it calls no more.
 */
import type { Clock, Timer } from '@switchyard/kernel';

/** A busy version is looked at no more often. */
const shortestLookMs = 100;

export interface IdleWatchOptions {
  readonly idleMs: number;
  /** Since when nothing has run, in milliseconds of the monotonic clock; undefined while something does. */
  readonly quietSinceMs: () => number | undefined;
  readonly onIdle: () => void;
}

export class IdleWatch {
  readonly #clock: Clock;
  readonly #options: IdleWatchOptions;
  #timer: Timer | undefined;
  #startedMs = 0;

  constructor(clock: Clock, options: IdleWatchOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Turns the watch on, if it is not. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#startedMs = this.#clock.monotonic();
    this.#arm(this.#options.idleMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.schedule(delayMs, () => this.#look());
  }

  #look(): void {
    const { idleMs, quietSinceMs, onIdle } = this.#options;
    const nowMs = this.#clock.monotonic();
    const quietMs = quietSinceMs();
    const remainingMs = quietMs === undefined ? idleMs : Math.max(quietMs, this.#startedMs) + idleMs - nowMs;
    if (remainingMs > 0) {
      this.#arm(Math.max(remainingMs, shortestLookMs));
      return;
    }
    this.#timer = undefined;
    onIdle();
  }
}
