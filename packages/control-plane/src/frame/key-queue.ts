/**
 * Lets the runs of one key follow one another, and those of different keys go side by side, so many at a time.
 *
 * I1 Of one key at most one run is under way.
 * I2 Never more than `limit` runs are under way.
 */
import { createDeferred, type Deferred } from '@switchyard/kernel';

export class KeyQueue {
  readonly #limit: number;
  readonly #tails = new Map<string, Promise<void>>();
  readonly #waiting: Deferred<void>[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `work` after all that was asked for this key before. */
  run<Value>(key: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const result = before.then(() => this.#admitted(work));
    const tail = result.then(
      () => {},
      () => {},
    );
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return result;
  }

  /** Resolves when nothing is under way or waits. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  async #admitted<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#running >= this.#limit) {
      const turn = createDeferred<void>();
      this.#waiting.push(turn);
      await turn.promise;
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next.resolve();
    }
  }
}
