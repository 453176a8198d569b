/** How the process is that all apps share, as numbers that are not older than a second. */
import type { Clock } from '@switchyard/kernel';

/** Something of this process that can run short. */
export interface Vital {
  readonly name: string;
  /** The part of it that is used: 0 to 1. */
  readonly used: number;
  /** Of memory: what the whole process holds. */
  readonly residentBytes?: number;
  /** True for what shows how much there is to do: it may turn requests away, and makes nobody unhealthy. */
  readonly isLoad: boolean;
}

/** What can be measured of this process. Each call measures anew; what is an average is one since the last call. */
export type ReadVitals = () => readonly Vital[];

/** Measurements are shared for so long by all who ask. */
const freshMs = 1_000;

export class ProcessHealth {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #read: ReadVitals;
  #vitals: readonly Vital[] = [];
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'monotonic'>, read: ReadVitals) {
    this.#clock = clock;
    this.#read = read;
  }

  get vitals(): readonly Vital[] {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#readAtMs >= freshMs) {
      this.#vitals = this.#read();
      this.#readAtMs = nowMs;
    }
    return this.#vitals;
  }

  /** What the process holds of memory; 0 where that is not measured. */
  get residentBytes(): number {
    return this.vitals.reduce((most, { residentBytes = 0 }) => Math.max(most, residentBytes), 0);
  }

  /** What has run short: more than the part `threshold` of it is used. */
  shortages(threshold: number): readonly Vital[] {
    return this.vitals.filter(({ used, isLoad }) => !isLoad && used > threshold);
  }

  /** True while requests had better be turned away: something has run short, or there is too much to do. */
  isBusy(threshold: number): boolean {
    return this.vitals.some(({ used }) => used > threshold);
  }
}
