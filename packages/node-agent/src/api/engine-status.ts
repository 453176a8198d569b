/**
 * What the container engine last said of itself.
 *
 * I1 The engine is asked at most once per `fingerprintMs`, however often somebody wants to know.
 */
import type { Clock } from '@switchyard/kernel';
import type { Fingerprint, TaskDriver } from '../driver/contract.ts';
import { fingerprintMs } from './limits.ts';

const never = new AbortController().signal;

export class EngineStatus {
  readonly #driver: Pick<TaskDriver, 'fingerprint'>;
  readonly #clock: Clock;
  #last: { readonly atMs: number; readonly answer: Promise<Fingerprint> } | undefined;

  constructor(driver: Pick<TaskDriver, 'fingerprint'>, clock: Clock) {
    this.#driver = driver;
    this.#clock = clock;
  }

  /** Never rejects. */
  async read(): Promise<Fingerprint> {
    const nowMs = this.#clock.monotonic();
    if (this.#last === undefined || nowMs - this.#last.atMs >= fingerprintMs)
      this.#last = { atMs: nowMs, answer: this.#driver.fingerprint(never) };
    return await this.#last.answer;
  }
}
