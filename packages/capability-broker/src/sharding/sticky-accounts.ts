/**
 * Which shard an account was on last.
 *
 * I1 An account is remembered for `ttlMs` after its last use, and no longer.
 * I2 When a shard is lost, each of its accounts moves to the shard that `nextOf` names, or is forgotten; other accounts stay.
 * I3 No more than `maxEntries` are remembered; the one that was used longest ago goes first.
 */
import type { Clock } from '@switchyard/kernel';

export interface StickyOptions {
  readonly ttlMs: number;
  readonly maxEntries: number;
}

interface Entry {
  readonly capability: string;
  readonly account: string;
  readonly shard: string;
  readonly usedAtMs: number;
}

export class StickyAccounts {
  readonly #clock: Clock;
  readonly #options: StickyOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: { readonly clock: Clock }, options: StickyOptions) {
    this.#clock = deps.clock;
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  shardOf(capability: string, account: string): string | undefined {
    const entry = this.#entries.get(keyOf(capability, account));
    if (entry === undefined || this.#clock.now() - entry.usedAtMs >= this.#options.ttlMs) return undefined;
    return entry.shard;
  }

  use(capability: string, account: string, shard: string): void {
    const key = keyOf(capability, account);
    this.#entries.delete(key);
    this.#entries.set(key, { capability, account, shard, usedAtMs: this.#clock.now() });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#options.maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }

  loseShard(shard: string, nextOf: (capability: string, account: string) => string | undefined): void {
    for (const [key, entry] of this.#entries) {
      if (entry.shard !== shard) continue;
      const next = nextOf(entry.capability, entry.account);
      if (next === undefined) this.#entries.delete(key);
      else this.#entries.set(key, { ...entry, shard: next });
    }
  }
}

function keyOf(capability: string, account: string): string {
  return JSON.stringify([capability, account]);
}
