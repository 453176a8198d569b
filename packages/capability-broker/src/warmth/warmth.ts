/**
 * What is known of how long loading takes and how often a capability is used, and the loading ahead that follows.
 *
 * Ownership: the broker owns one.
 *
 * I1 The load time is what the manifest says until it was measured, and then follows what was measured.
 * I2 Before a capability is expected to be used again it is loaded ahead, once per use.
 */
import type { Clock, Timer } from '@switchyard/kernel';
import { type CapabilityManifest, keyOf } from '../registry/capability-manifest.ts';
import { type IdleGapOptions, IdleGaps } from './idle-gaps.ts';

export interface WarmthOptions extends IdleGapOptions {
  /** How often it looks whether something is due. */
  readonly intervalMs: number;
  preload(manifest: CapabilityManifest): void;
}

interface Known {
  readonly manifest: CapabilityManifest;
  readonly gaps: IdleGaps;
  loadMs: number | undefined;
  /** The use for which it was loaded ahead. */
  preloadedForMs: number | undefined;
}

/** How much a new measurement counts. */
const smoothing = 0.3;

/** More capabilities than this are not watched. */
const maxKnown = 10_000;

export class Warmth {
  readonly #clock: Clock;
  readonly #options: WarmthOptions;
  readonly #known = new Map<string, Known>();
  #timer: Timer | undefined;

  constructor(deps: { readonly clock: Clock }, options: WarmthOptions) {
    this.#clock = deps.clock;
    this.#options = options;
    this.#schedule();
  }

  use(manifest: CapabilityManifest): void {
    this.#of(manifest)?.gaps.use(this.#clock.now());
  }

  loaded(manifest: CapabilityManifest, loadMs: number): void {
    const known = this.#of(manifest);
    if (known !== undefined)
      known.loadMs = known.loadMs === undefined ? loadMs : known.loadMs + smoothing * (loadMs - known.loadMs);
  }

  estimatedLoadMs(manifest: CapabilityManifest): number {
    return this.#known.get(keyOf(manifest))?.loadMs ?? manifest.estimatedLoadMs;
  }

  keepAliveMs(manifest: CapabilityManifest): number {
    const known = this.#known.get(keyOf(manifest));
    return known?.gaps.plan(this.estimatedLoadMs(manifest)).keepAliveMs ?? this.#options.fixedKeepAliveMs;
  }

  close(): void {
    this.#timer?.cancel();
  }

  #of(manifest: CapabilityManifest): Known | undefined {
    const key = keyOf(manifest);
    const known = this.#known.get(key);
    if (known !== undefined || this.#known.size >= maxKnown) return known;
    const fresh = { manifest, gaps: new IdleGaps(this.#options), loadMs: undefined, preloadedForMs: undefined };
    this.#known.set(key, fresh);
    return fresh;
  }

  #schedule(): void {
    this.#timer = this.#clock.schedule(this.#options.intervalMs, () => {
      for (const known of this.#known.values()) this.#look(known);
      this.#schedule();
    });
  }

  #look(known: Known): void {
    const { lastUseMs } = known.gaps;
    const { preloadAfterMs } = known.gaps.plan(this.estimatedLoadMs(known.manifest));
    if (lastUseMs === undefined || preloadAfterMs === undefined || known.preloadedForMs === lastUseMs) return;
    // Looking only now and then, it has to begin one look early.
    if (this.#clock.now() - lastUseMs + this.#options.intervalMs < preloadAfterMs) return;
    known.preloadedForMs = lastUseMs;
    this.#options.preload(known.manifest);
  }
}
