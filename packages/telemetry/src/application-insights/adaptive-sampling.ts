/**
 * Which part of an app's telemetry is sent: a share that follows how much of it there is, so that about so many items a second
 * go out (adaptive sampling of the official library).
 *
 * Ownership: one per app and per process; it has no timer and is asked for every item.
 *
 * I1 The items of one operation are kept or dropped together, by the hash that the official libraries use: what a worker
 *    sends itself by the same share stays complete.
 * I2 The share never leaves its limits, and changes no sooner than the settings allow.
 * I3 Types that are not sampled are always kept, and do not count.
 */
import type { SampledType, SamplingSettings } from '@switchyard/model';

export interface AdaptiveSamplingDeps {
  /** Milliseconds of the monotonic clock. */
  readonly nowMs: () => number;
  /** Between 0 and 1, for items of no operation. */
  readonly random: () => number;
}

export class AdaptiveSampling {
  readonly #deps: AdaptiveSamplingDeps;
  readonly #settings: SamplingSettings;
  #percentage: number;
  #count = 0;
  #averagePerSecond: number | undefined;
  #lookedAtMs: number;
  /** The first change has none before it to wait for. */
  #changedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: AdaptiveSamplingDeps, settings: SamplingSettings) {
    this.#deps = deps;
    this.#settings = settings;
    this.#percentage = this.#within(settings.initialSamplingPercentage);
    this.#lookedAtMs = deps.nowMs();
  }

  /** The share that is sent now. */
  get percentage(): number {
    return this.#percentage;
  }

  /** The share in percent under which the item is sent; undefined when it is dropped. */
  keep(type: SampledType, operationId: string | undefined): number | undefined {
    if (!this.#settings.types.has(type)) return 100;
    this.#look();
    this.#count += 1;
    if (this.#percentage >= 100) return this.#percentage;
    const score = operationId === undefined ? this.#deps.random() * 100 : samplingScore(operationId);
    return score < this.#percentage ? this.#percentage : undefined;
  }

  /** Moves the share when an interval is over. */
  #look(): void {
    const { evaluationIntervalMs, movingAverageRatio, maxTelemetryItemsPerSecond } = this.#settings;
    const nowMs = this.#deps.nowMs();
    const sinceMs = nowMs - this.#lookedAtMs;
    if (sinceMs < evaluationIntervalMs) return;
    const perSecond = (this.#count * 1_000) / sinceMs;
    this.#averagePerSecond =
      this.#averagePerSecond === undefined
        ? perSecond
        : movingAverageRatio * perSecond + (1 - movingAverageRatio) * this.#averagePerSecond;
    this.#count = 0;
    this.#lookedAtMs = nowMs;
    const wanted = this.#within((100 * maxTelemetryItemsPerSecond) / Math.max(this.#averagePerSecond, 1e-9));
    if (wanted !== this.#percentage && nowMs - this.#changedAtMs >= this.#pauseBefore(wanted)) {
      this.#percentage = wanted;
      this.#changedAtMs = nowMs;
    }
  }

  #pauseBefore(wanted: number): number {
    const { samplingPercentageIncreaseTimeoutMs, samplingPercentageDecreaseTimeoutMs } = this.#settings;
    return wanted > this.#percentage ? samplingPercentageIncreaseTimeoutMs : samplingPercentageDecreaseTimeoutMs;
  }

  #within(percentage: number): number {
    const { minSamplingPercentage, maxSamplingPercentage } = this.#settings;
    return Math.min(maxSamplingPercentage, Math.max(minSamplingPercentage, percentage));
  }
}

const seed = 5_381;
const leastLength = 8;
const largest = 2_147_483_647;

/** From 0 to 100: the hash of an operation's id, as the official libraries compute it. */
export function samplingScore(operationId: string): number {
  let text = operationId;
  while (text.length > 0 && text.length < leastLength) text += text;
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 33) + text.charCodeAt(index)) | 0;
  const positive = hash === -largest - 1 ? largest : Math.abs(hash);
  return (positive / largest) * 100;
}
