/**
 * How long a capability rests between two uses, and what follows from it: how long it is worth keeping, and when to load
 * it again before it is asked for. The idea is the published hybrid-histogram keep-alive policy for functions.
 *
 * I1 With fewer than `minSamples` gaps, or when most lie beyond the window, the fixed time holds and nothing is loaded
 *    ahead.
 * I2 Otherwise it is kept for as long as the longest hundredth of its gaps, and never longer than the window.
 * I3 What is loaded ahead is loaded before the shortest twentieth of the gaps has passed, less the time that loading takes.
 */

/** One bin per minute, four hours in all. */
const binMs = 60_000;
const binCount = 240;

export interface IdleGapOptions {
  /** What holds while too little is known. */
  readonly fixedKeepAliveMs: number;
  readonly minSamples: number;
}

/** What to do with a capability that nobody uses. */
export interface WarmthPlan {
  /** Keep it loaded for so long after its last use. */
  readonly keepAliveMs: number;
  /** Load it again so long after its last use, when it is not loaded; undefined: wait until somebody asks. */
  readonly preloadAfterMs: number | undefined;
}

/** The gaps of one capability. */
export class IdleGaps {
  readonly #options: IdleGapOptions;
  readonly #bins: number[];
  #beyond: number;
  #lastUseMs: number | undefined;

  constructor(options: IdleGapOptions, saved?: SavedGaps) {
    this.#options = options;
    this.#bins = Array.from({ length: binCount }, (_, index) => saved?.bins[index] ?? 0);
    this.#beyond = saved?.beyond ?? 0;
  }

  get lastUseMs(): number | undefined {
    return this.#lastUseMs;
  }

  /** Somebody used it. */
  use(nowMs: number): void {
    if (this.#lastUseMs !== undefined) {
      const bin = Math.floor(Math.max(0, nowMs - this.#lastUseMs) / binMs);
      if (bin >= binCount) this.#beyond += 1;
      else this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    }
    this.#lastUseMs = nowMs;
  }

  plan(estimatedLoadMs: number): WarmthPlan {
    const inside = this.#bins.reduce((sum, count) => sum + count, 0);
    const total = inside + this.#beyond;
    if (total < this.#options.minSamples || inside < total / 2)
      return { keepAliveMs: this.#options.fixedKeepAliveMs, preloadAfterMs: undefined };
    const keepAliveMs = (this.#binAt(inside * 0.99) + 1) * binMs;
    const preloadAfterMs = this.#binAt(inside * 0.05) * binMs - estimatedLoadMs;
    return { keepAliveMs, preloadAfterMs: preloadAfterMs > 0 ? preloadAfterMs : undefined };
  }

  save(): SavedGaps {
    return { bins: [...this.#bins], beyond: this.#beyond };
  }

  /** The bin in which the gap of this rank lies. */
  #binAt(rank: number): number {
    let seen = 0;
    for (const [bin, count] of this.#bins.entries()) {
      seen += count;
      if (seen >= rank && seen > 0) return bin;
    }
    return binCount - 1;
  }
}

/** Gaps as they are stored. */
export interface SavedGaps {
  readonly bins: readonly number[];
  readonly beyond: number;
}
