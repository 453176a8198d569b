import { BoundedQueue } from '@switchyard/kernel';

/**
 * Lets a few workers start up at once and keeps the others waiting: every start costs most of a core, and many at once
 * would make each of them miss its deadline.
 *
 * Ownership: whoever is let in owns its pass and returns it.
 *
 * I1 At most `maxConcurrent` passes are out at any time.
 * I2 Urgent starts go first; equals in the order in which they came.
 * I3 A pass that is returned twice counts once.
 * I4 At most `maxWaiting` starts wait; the next one is turned away at once.
 */
export class StartGate {
  readonly #urgent: BoundedQueue<(pass: StartPass) => void>;
  readonly #normal: BoundedQueue<(pass: StartPass) => void>;
  readonly #maxWaiting: number;
  #free: number;

  constructor(maxConcurrent: number, maxWaiting: number) {
    this.#free = maxConcurrent;
    this.#maxWaiting = maxWaiting;
    this.#urgent = new BoundedQueue(maxWaiting);
    this.#normal = new BoundedQueue(maxWaiting);
  }

  /** Resolves with a pass when it is this start's turn; undefined when too many wait already. */
  enter(urgent: boolean): Promise<StartPass> | undefined {
    if (this.#free > 0) return Promise.resolve(this.#issue());
    if (this.#urgent.size + this.#normal.size >= this.#maxWaiting) return undefined;
    return new Promise((resolve) => (urgent ? this.#urgent : this.#normal).offer(resolve));
  }

  #issue(): StartPass {
    this.#free -= 1;
    let out = true;
    return {
      giveBack: () => {
        if (!out) return;
        out = false;
        this.#free += 1;
        const next = this.#urgent.poll() ?? this.#normal.poll();
        next?.(this.#issue());
      },
    };
  }
}

/** The right to start up now. */
export interface StartPass {
  giveBack(): void;
}
