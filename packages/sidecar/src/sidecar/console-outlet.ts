/**
 * The worker's console on its way to the Runtime: lines wait while there is no stream that may carry them.
 *
 * Ownership: the sidecar owns it and names the stream.
 *
 * I1 Lines leave in the order in which they came, each once.
 * I2 Lines beyond `capacity` that find no stream are dropped and counted.
 */
import type { MutableRelayCounts } from './relay.ts';

/** What carries lines; a relay does. */
export interface LineCarrier {
  inject(frame: Uint8Array): void;
}

export class ConsoleOutlet {
  readonly #capacity: number;
  readonly #counts: Pick<MutableRelayCounts, 'linesDropped'>;
  #carrier: LineCarrier | undefined;
  #waiting: Uint8Array[] = [];

  constructor(capacity: number, counts: Pick<MutableRelayCounts, 'linesDropped'>) {
    this.#capacity = capacity;
    this.#counts = counts;
  }

  write(frame: Uint8Array): void {
    if (this.#carrier !== undefined) this.#carrier.inject(frame);
    else if (this.#waiting.length < this.#capacity) this.#waiting.push(frame);
    else this.#counts.linesDropped += 1;
  }

  /** From now on this stream carries them, those that waited first; none does when it is undefined. */
  connect(carrier: LineCarrier | undefined): void {
    this.#carrier = carrier;
    if (carrier === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const frame of waiting) carrier.inject(frame);
  }

  /** Nobody wants them any more. */
  close(): void {
    this.#carrier = undefined;
    this.#waiting = [];
  }
}
