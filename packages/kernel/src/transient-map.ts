/**
 * A map whose entries come and go quickly, such as calls in flight.
 *
 * Whenever a `Map` of V8 is rehashed, its old table goes on pointing to the new one. Once one table has come to the old
 * generation, every later one is held by its forerunner, with all that was ever in it, until the next full collection: young
 * garbage is copied again and again, and each pause is about ten times as long. This map therefore takes a new `Map` before
 * that comes to much, which cuts the chain.
 *
 * I1 It holds what a `Map` would hold, in the same order.
 * I2 What was removed is garbage for the next young collection, but for the removals since the last renewal.
 * I3 An iteration that goes on while entries are removed may still show those that were there when it began.
 */

/** Small maps are renewed after so many removals, larger ones after half their size: a removal copies two entries at most. */
const leastRemovals = 16;

/** True when a collection of `size` entries is to be renewed. */
export function isRenewalDue(removals: number, size: number): boolean {
  return removals > leastRemovals && removals > size / 2;
}

export class TransientMap<Key, Value> {
  #entries = new Map<Key, Value>();
  #removals = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  set(key: Key, value: Value): this {
    this.#entries.set(key, value);
    return this;
  }

  /** True when there was such an entry. */
  delete(key: Key): boolean {
    if (!this.#entries.delete(key)) return false;
    this.#removals += 1;
    if (isRenewalDue(this.#removals, this.#entries.size)) this.#renew(this.#entries);
    return true;
  }

  clear(): void {
    this.#renew();
  }

  keys(): MapIterator<Key> {
    return this.#entries.keys();
  }

  values(): MapIterator<Value> {
    return this.#entries.values();
  }

  entries(): MapIterator<[Key, Value]> {
    return this.#entries.entries();
  }

  [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.#entries[Symbol.iterator]();
  }

  #renew(kept?: Iterable<[Key, Value]>): void {
    this.#entries = new Map(kept);
    this.#removals = 0;
  }
}
