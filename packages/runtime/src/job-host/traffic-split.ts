/**
 * Which version of an app the next invocation goes to.
 *
 * Ownership: a JobHost owns it and writes the weights; whoever brings an event asks.
 *
 * I1 Of any hundred choices in a row, counted from the last change of the weights, each entry gets exactly its weight, and
 *    its choices are spread evenly.
 * I2 An entry with weight 0 is never chosen.
 * I3 The same source gets the same entry for as long as the weights stay; an entry that gains weight keeps its sources when
 *    there are two.
 */

/** An entry with its share, a whole percentage; those of all entries sum to 100. */
export interface Weighted<Entry> {
  readonly entry: Entry;
  readonly weight: number;
}

/** What the weights sum to. */
export const fullWeight = 100;

interface Share<Entry> extends Weighted<Entry> {
  /** How far the entry is behind its share. */
  credit: number;
}

export class TrafficSplit<Entry> {
  #shares: readonly Share<Entry>[];
  /** The only entry that gets anything. */
  #sole: Entry | undefined;
  readonly #fallback: Entry;

  constructor(sole: Entry) {
    this.#sole = sole;
    this.#fallback = sole;
    this.#shares = [{ entry: sole, weight: fullWeight, credit: 0 }];
  }

  /** Replaces the weights, which the caller has checked. */
  set(weights: readonly Weighted<Entry>[]): void {
    this.#shares = weights.filter(({ weight }) => weight > 0).map((share) => ({ ...share, credit: 0 }));
    this.#sole = this.#shares.length === 1 ? this.#shares[0]?.entry : undefined;
  }

  weightOf(entry: Entry): number {
    return this.#shares.find((share) => share.entry === entry)?.weight ?? 0;
  }

  /** Those that get invocations. */
  get entries(): readonly Entry[] {
    return this.#shares.map(({ entry }) => entry);
  }

  /** The next one in turn: each gains its weight, the one that is furthest behind is chosen and pays for it. */
  next(): Entry {
    if (this.#sole !== undefined) return this.#sole;
    let best: Share<Entry> | undefined;
    for (const share of this.#shares) {
      share.credit += share.weight;
      if (best === undefined || share.credit > best.credit) best = share;
    }
    if (best === undefined) return this.#fallback;
    best.credit -= fullWeight;
    return best.entry;
  }

  /** The one that this source belongs to. */
  of(source: string): Entry {
    if (this.#sole !== undefined) return this.#sole;
    let place = hashOf(source) % fullWeight;
    for (const { entry, weight } of this.#shares) {
      if (place < weight) return entry;
      place -= weight;
    }
    return this.#fallback;
  }
}

/** FNV-1a, then mixed so that names that differ in their last character alone lie far apart. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
