/**
 * What is known of how long loading takes and how often each shard is used, and the loading ahead that follows.
 *
 * Ownership: the broker owns one.
 *
 * I1 The load time is what the manifest says until it was measured, and then follows what was measured.
 * I2 Before a shard is expected to be used again it is loaded ahead, once per use; other shards are left alone.
 * I3 What was learned is handed to `remember` while it changes, and continued after a restart from what is given as `known`.
 */
import type { Clock, Timer } from '@switchyard/kernel';
import { type CapabilityManifest, keyOf } from '../registry/capability-manifest.ts';
import { type IdleGapOptions, IdleGaps, type SavedGaps } from './idle-gaps.ts';

export interface WarmthOptions extends IdleGapOptions {
  /** How often it looks whether something is due. */
  readonly intervalMs: number;
  preload(manifest: CapabilityManifest, shard: string): void;
  /** What was learned before a restart. */
  readonly known?: SavedWarmth;
  /** Keeps what was learned; called at most once per look, when something changed. */
  remember?(learned: SavedWarmth): void;
}

/** What was learned, as it is stored. */
export interface SavedWarmth {
  /** By `name@version`. */
  readonly loadMs: Readonly<Record<string, number>>;
  /** By `name@version#shard`. */
  readonly gaps: Readonly<Record<string, SavedGaps>>;
}

interface ShardUse {
  readonly manifest: CapabilityManifest;
  readonly shard: string;
  readonly gaps: IdleGaps;
  /** The use for which it was loaded ahead. */
  preloadedForMs: number | undefined;
}

/** How much a new measurement counts. */
const smoothing = 0.3;

/** More shards than this are not watched. */
const maxShards = 10_000;

export class Warmth {
  readonly #clock: Clock;
  readonly #options: WarmthOptions;
  readonly #loadMs: Map<string, number>;
  readonly #shards = new Map<string, ShardUse>();
  #timer: Timer | undefined;
  #isChanged = false;

  constructor(deps: { readonly clock: Clock }, options: WarmthOptions) {
    this.#clock = deps.clock;
    this.#options = options;
    this.#loadMs = new Map(Object.entries(options.known?.loadMs ?? {}));
    this.#schedule();
  }

  use(manifest: CapabilityManifest, shard: string): void {
    this.#of(manifest, shard)?.gaps.use(this.#clock.now());
    this.#isChanged = true;
  }

  loaded(manifest: CapabilityManifest, loadMs: number): void {
    const known = this.#loadMs.get(keyOf(manifest));
    this.#loadMs.set(keyOf(manifest), known === undefined ? loadMs : known + smoothing * (loadMs - known));
    this.#isChanged = true;
  }

  estimatedLoadMs(manifest: CapabilityManifest): number {
    return this.#loadMs.get(keyOf(manifest)) ?? manifest.estimatedLoadMs;
  }

  keepAliveMs(manifest: CapabilityManifest, shard: string): number {
    const plan = this.#of(manifest, shard)?.gaps.plan(this.estimatedLoadMs(manifest));
    return plan?.keepAliveMs ?? this.#options.fixedKeepAliveMs;
  }

  close(): void {
    this.#timer?.cancel();
    this.#remember();
  }

  #of(manifest: CapabilityManifest, shard: string): ShardUse | undefined {
    const place = placeOf(manifest, shard);
    const known = this.#shards.get(place);
    if (known !== undefined || this.#shards.size >= maxShards) return known;
    const before = this.#options.known?.gaps ?? {};
    const gaps = new IdleGaps(this.#options, Object.hasOwn(before, place) ? before[place] : undefined);
    const fresh: ShardUse = { manifest, shard, gaps, preloadedForMs: undefined };
    this.#shards.set(place, fresh);
    return fresh;
  }

  #schedule(): void {
    this.#timer = this.#clock.schedule(this.#options.intervalMs, () => {
      for (const shard of this.#shards.values()) this.#look(shard);
      this.#remember();
      this.#schedule();
    });
  }

  #look(use: ShardUse): void {
    const { lastUseMs } = use.gaps;
    const { preloadAfterMs } = use.gaps.plan(this.estimatedLoadMs(use.manifest));
    if (lastUseMs === undefined || preloadAfterMs === undefined || use.preloadedForMs === lastUseMs) return;
    // Looking only now and then, it has to begin one look early.
    if (this.#clock.now() - lastUseMs + this.#options.intervalMs < preloadAfterMs) return;
    use.preloadedForMs = lastUseMs;
    this.#options.preload(use.manifest, use.shard);
  }

  #remember(): void {
    const { remember, known } = this.#options;
    if (remember === undefined || !this.#isChanged) return;
    this.#isChanged = false;
    const gaps = [...this.#shards].map(([place, use]) => [place, use.gaps.save()] as const);
    remember({ loadMs: Object.fromEntries(this.#loadMs), gaps: { ...known?.gaps, ...Object.fromEntries(gaps) } });
  }
}

function placeOf(manifest: CapabilityManifest, shard: string): string {
  return `${keyOf(manifest)}#${shard}`;
}
