/**
 * Things that wait, each for a limited time.
 *
 * Purpose: bridge the time until somebody can take them, without growing and without waiting for ever.
 * Ownership: one owner offers and takes; an item that expired is handed back to it.
 *
 * I1 It never holds more than `capacity` items.
 * I2 Items are kept in the order in which they came.
 * I3 No item stays past its deadline; `onExpired` gets it exactly once.
 */
import { type Clock, type Timer, TransientMap } from '@switchyard/kernel';

interface Held<Item> {
  readonly key: string;
  readonly item: Item;
  readonly dueMs: number;
}

export class HoldQueue<Item> {
  readonly capacity: number;
  readonly #clock: Clock;
  readonly #onExpired: (item: Item) => void;
  readonly #held = new TransientMap<string, Held<Item>>();
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, capacity: number, onExpired: (item: Item) => void) {
    this.#clock = clock;
    this.capacity = capacity;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Keeps the item under its key for at most `waitMs`; false when there is no room. */
  offer(key: string, item: Item, waitMs: number): boolean {
    if (this.#held.size >= this.capacity) return false;
    const dueMs = this.#clock.monotonic() + waitMs;
    this.#held.set(key, { key, item, dueMs });
    if (dueMs < this.#timerDueMs) this.#arm(dueMs);
    return true;
  }

  /** What is held, in its order. */
  *items(): IterableIterator<Item> {
    for (const { item } of this.#held.values()) yield item;
  }

  remove(key: string): Item | undefined {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    this.#held.delete(key);
    if (this.#held.size === 0) this.#disarm();
    return held.item;
  }

  /** Takes everything, oldest first. */
  drain(): Item[] {
    const items = [...this.#held.values()].map(({ item }) => item);
    this.#held.clear();
    this.#disarm();
    return items;
  }

  #expire(): void {
    this.#disarm();
    const nowMs = this.#clock.monotonic();
    let nextDueMs = Number.POSITIVE_INFINITY;
    const expired: Held<Item>[] = [];
    for (const held of this.#held.values()) {
      if (held.dueMs <= nowMs) expired.push(held);
      else nextDueMs = Math.min(nextDueMs, held.dueMs);
    }
    for (const { key } of expired) this.#held.delete(key);
    if (nextDueMs !== Number.POSITIVE_INFINITY) this.#arm(nextDueMs);
    for (const { item } of expired) this.#onExpired(item);
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.schedule(Math.max(0, dueMs - this.#clock.monotonic()), () => this.#expire());
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }
}
