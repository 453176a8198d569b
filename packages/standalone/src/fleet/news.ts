import type { Clock } from '@switchyard/kernel';

/** Whoever waits for something to change, without knowing what that will be. */
export class News {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something has changed. */
  tell(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }

  /** Resolves when something has changed, and after `atMostMs` in any case. */
  async next(atMostMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const timer = this.#clock.schedule(atMostMs, resolve);
    await promise;
    timer.cancel();
    this.#waiting.delete(resolve);
  }
}
