/**
 * Has pods removed where they run, also those whose removal could not be told at once: nobody else would ever end them.
 *
 * I1 A removal that was not told is told again, until it is; it is logged once.
 * I2 While nobody answers, one of them is tried at a time.
 */
import { type Log, messageOf } from '@switchyard/kernel';

export interface PodRemovalsDeps {
  readonly log: Log;
  /** Rejects when it could not be told. A pod that is not there is removed. */
  readonly tell: (workerId: string, graceMs: number) => Promise<void>;
}

/** More than that are forgotten: whoever runs them was away for long, and has hardly got them. */
const maxOpen = 1_000;

export class PodRemovals {
  readonly #deps: PodRemovalsDeps;
  /** With the time that they have to end. */
  readonly #open = new Map<string, number>();

  constructor(deps: PodRemovalsDeps) {
    this.#deps = deps;
  }

  /** Those that are still to be told. */
  get open(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** True once it was told. Never rejects. */
  async remove(workerId: string, graceMs: number): Promise<boolean> {
    const { log, tell } = this.#deps;
    try {
      await tell(workerId, graceMs);
      this.#open.delete(workerId);
      return true;
    } catch (thrown) {
      const reason = messageOf(thrown);
      if (!this.#open.has(workerId)) log.write('error', 'A pod could not be removed', { workerId, reason });
      if (this.#open.size < maxOpen) this.#open.set(workerId, graceMs);
      return false;
    }
  }

  /** Tells what is open, until one cannot be told. Never rejects. */
  async retry(): Promise<void> {
    for (const [workerId, graceMs] of [...this.#open]) {
      if (!(await this.remove(workerId, graceMs))) return;
    }
  }
}
