import { invariant, TransientMap } from '@switchyard/kernel';

/** What can be in flight. */
export interface InFlightItem {
  readonly invocationId: string;
  readonly sentAtMs: number;
}

/**
 * The invocations that run on one worker, oldest first.
 *
 * Purpose: track each of them exactly once, from the write on the stream to its answer, its timeout or the worker's end.
 * Ownership: the worker owns it; the dispatcher adds and takes.
 *
 * I1 It never holds more than `capacity` items; `add` refuses instead.
 * I2 An item leaves at most once, by `take` or by `drain`, so its size can never be negative.
 * I3 Iteration is in the order of adding, so the first item is the one that has run longest.
 */
export class InFlight<Item extends InFlightItem> {
  readonly capacity: number;
  readonly #items = new TransientMap<string, Item>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.#items.size;
  }

  /** How many more it takes. */
  get room(): number {
    return this.capacity - this.#items.size;
  }

  get isFull(): boolean {
    return this.#items.size >= this.capacity;
  }

  /** Adds an item; false when there is no room. An id can be in flight once only. */
  add(item: Item): boolean {
    if (this.isFull) return false;
    invariant(!this.#items.has(item.invocationId), `invocation ${item.invocationId} is already in flight`);
    this.#items.set(item.invocationId, item);
    return true;
  }

  has(invocationId: string): boolean {
    return this.#items.has(invocationId);
  }

  get(invocationId: string): Item | undefined {
    return this.#items.get(invocationId);
  }

  /** Takes the item out; undefined when it is not, or no longer, in flight. */
  take(invocationId: string): Item | undefined {
    const item = this.#items.get(invocationId);
    if (item !== undefined) this.#items.delete(invocationId);
    return item;
  }

  /** The item that has run longest. */
  oldest(): Item | undefined {
    return this.#items.values().next().value;
  }

  /** Takes everything out, oldest first. */
  drain(): Item[] {
    const items = [...this.#items.values()];
    this.#items.clear();
    return items;
  }
}
