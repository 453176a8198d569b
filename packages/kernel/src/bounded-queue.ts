/**
 * A first-in, first-out queue with a hard limit, for everything that waits.
 *
 * Purpose: make "full" an answer that the caller must handle, instead of memory that grows.
 * Ownership: one owner adds and takes; it is not shared between threads.
 *
 * I1 The queue never holds more than `capacity` items.
 * I2 Items leave in the order in which they were accepted.
 * I3 An item is returned at most once.
 */
export class BoundedQueue<T> {
  readonly capacity: number;
  #items: (T | undefined)[] = [];
  #head = 0;

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity must be at least 1, got ${capacity}`);
    this.capacity = capacity;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  get isFull(): boolean {
    return this.size >= this.capacity;
  }

  /** Adds an item, or returns false when the queue is full. */
  offer(item: T): boolean {
    if (this.isFull) return false;
    this.#items.push(item);
    return true;
  }

  /** Takes the oldest item. */
  poll(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) this.#compact();
    return item;
  }

  /** Takes everything, oldest first. */
  drain(): T[] {
    const rest = this.#items.slice(this.#head) as T[];
    this.#items = [];
    this.#head = 0;
    return rest;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
