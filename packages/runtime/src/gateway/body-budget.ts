/**
 * How much of request bodies a Runtime holds in memory at once, over all apps.
 *
 * Ownership: one for a Runtime. Who has a place leaves it when the body is not needed any more.
 *
 * I1 Places together never take more than the limit, but for one body that is larger than it and then alone.
 * I2 Who waits gets a place in the order of asking; a body that has to wait stays on the wire.
 * I3 Nobody waits for longer than `waitMs`, nor more than `maxWaiting` at once: then there is no place.
 * I4 Leaving twice, or leaving while waiting, gives back what was had, once.
 */
import { type Clock, type Timer, TransientSet } from '@switchyard/kernel';

export interface BodyBudgetOptions {
  readonly limitBytes: number;
  readonly waitMs: number;
  readonly maxWaiting: number;
}

/** Room for one body. */
export interface BodyPlace {
  /** Takes more room, for a body whose length nobody knew; false when there is none. */
  grow(bytes: number): boolean;
  leave(): void;
}

interface Waiting {
  readonly bytes: number;
  readonly done: (place: BodyPlace | undefined) => void;
  readonly timer: Timer;
}

export class BodyBudget {
  readonly #clock: Clock;
  readonly #options: BodyBudgetOptions;
  readonly #waiting = new TransientSet<Waiting>();
  #usedBytes = 0;

  constructor(clock: Clock, options: BodyBudgetOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Calls `done` with a place, or without one when there is none in time: at once where that is clear, else later. The
   * answered function ends the wait without a call.
   */
  enter(bytes: number, done: (place: BodyPlace | undefined) => void): () => void {
    if (this.#waiting.size === 0 && this.#fits(bytes)) {
      done(this.#take(bytes));
      return nothing;
    }
    if (this.#waiting.size >= this.#options.maxWaiting) {
      done(undefined);
      return nothing;
    }
    const timer = this.#clock.schedule(this.#options.waitMs, () => {
      this.#waiting.delete(waiting);
      done(undefined);
      this.#admit();
    });
    const waiting: Waiting = { bytes, done, timer };
    this.#waiting.add(waiting);
    return () => {
      timer.cancel();
      if (this.#waiting.delete(waiting)) this.#admit();
    };
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#options.limitBytes;
  }

  #take(bytes: number): BodyPlace {
    let held = bytes;
    this.#usedBytes += bytes;
    return {
      grow: (more) => {
        if (held === 0 || (this.#usedBytes > held && !this.#fits(more))) return false;
        held += more;
        this.#usedBytes += more;
        return true;
      },
      leave: () => {
        this.#usedBytes -= held;
        held = 0;
        this.#admit();
      },
    };
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      if (!this.#fits(waiting.bytes)) return;
      this.#waiting.delete(waiting);
      waiting.timer.cancel();
      waiting.done(this.#take(waiting.bytes));
    }
  }
}

const nothing = (): void => {};
