/**
 * Turns callbacks into an async iteration that a slow reader can follow: what it cannot take in time is dropped and
 * counted, never kept without limit.
 *
 * Ownership: one per reader; ended by the reader's signal or by its source.
 *
 * I1 At most `capacity` items wait; items leave in the order in which they came.
 * I2 What is dropped is counted, and the count comes in the place of what is missing.
 * I3 The iteration ends when the signal aborts, and at once; or after the last item when the source ends.
 */
import { BoundedQueue, createDeferred } from '@switchyard/kernel';

export interface Dropped {
  readonly dropped: number;
}

export class LiveLines<Item> {
  readonly #queue: BoundedQueue<Item>;
  #dropped = 0;
  #ended = false;
  #awake = createDeferred<void>();

  constructor(capacity: number) {
    this.#queue = new BoundedQueue(capacity);
  }

  /** Adds an item; dropped when the reader is too far behind. */
  add(item: Item): void {
    if (this.#ended) return;
    if (!this.#queue.offer(item)) this.#dropped += 1;
    this.#awake.resolve();
  }

  /** So many items were lost before they came here. */
  drop(count: number): void {
    this.#dropped += count;
    this.#awake.resolve();
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#awake.resolve();
  }

  /** The items as they come. To be read once. */
  async *read(signal: AbortSignal): AsyncGenerator<Item | Dropped, void, undefined> {
    const onAbort = (): void => this.end();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const item = this.#queue.poll();
        if (item !== undefined) yield item;
        else if (this.#dropped > 0) {
          const dropped = this.#dropped;
          this.#dropped = 0;
          yield { dropped };
        } else if (this.#ended) return;
        else await this.#sleep();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#ended = true;
    }
  }

  async #sleep(): Promise<void> {
    await this.#awake.promise;
    this.#awake = createDeferred();
  }
}
