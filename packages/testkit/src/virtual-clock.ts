/**
 * Time that only moves when a test moves it.
 *
 * Purpose: run anything that takes a Clock without waiting and without races. Between two timers the clock lets every
 * promise that can settle do so, so code that awaits inside a timer has finished before the next timer runs.
 * Ownership: the test owns the clock and is the only one that advances it.
 *
 * I1 Timers run in the order of their due times; equal ones in the order in which they were scheduled.
 * I2 While a timer runs, `now` is its due time; after `advance` it is exactly the start plus what was asked for.
 * I3 A cancelled timer never runs, and no timer runs twice.
 * I4 A timer scheduled during `advance`, due within it, runs within it.
 * I5 Promises settle between timers.
 */
import { type Clock, invariant, type Timer } from '@switchyard/kernel';

/** Turns of the event loop that `settle` grants: enough for a conversation of several hops over an in-memory link. */
const settleTurns = 16;

/** More timers than this in one `advance` mean a loop that never ends. */
const maxTimersPerAdvance = 1_000_000;

/** Midnight, 2024-01-01 UTC: a date that reads well in failures. */
const defaultStartMs = Date.UTC(2024, 0, 1);

interface Entry {
  readonly dueMs: number;
  readonly sequence: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  readonly #startMs: number;
  readonly #entries: Entry[] = [];
  #nowMs: number;
  #sequence = 0;
  #advancing = false;

  constructor(startMs: number = defaultStartMs) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    invariant(!Number.isNaN(delayMs), 'a timer needs a number of milliseconds');
    const entry: Entry = { dueMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#entries.splice(this.#positionAfter(entry.dueMs), 0, entry);
    return {
      cancel: () => {
        const index = this.#entries.indexOf(entry);
        if (index >= 0) this.#entries.splice(index, 1);
      },
    };
  }

  /** How many timers wait. */
  get pendingTimers(): number {
    return this.#entries.length;
  }

  /** When the next timer is due, or undefined when none waits. */
  get nextDueMs(): number | undefined {
    return this.#entries[0]?.dueMs;
  }

  /** Moves time forward by `byMs`. Rejects with what a timer's callback throws. */
  async advance(byMs: number): Promise<void> {
    invariant(byMs >= 0, `time does not run backwards: ${byMs}`);
    await this.#exclusively(async () => {
      const endMs = this.#nowMs + byMs;
      await this.settle();
      for (let ran = 0; (this.nextDueMs ?? Number.POSITIVE_INFINITY) <= endMs; ran += 1) {
        invariant(
          ran < maxTimersPerAdvance,
          `more than ${maxTimersPerAdvance} timers in one advance: an endless loop?`,
        );
        await this.#runNext();
      }
      this.#nowMs = endMs;
    });
  }

  /**
   * Runs timer after timer until `promise` settles, and settles as it does. Rejects when nothing waits any more, or when
   * the next timer is more than `limitMs` after the start.
   */
  async runUntil<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    await this.#exclusively(async () => {
      const endMs = this.#nowMs + limitMs;
      await this.settle();
      while (!settled) {
        const dueMs = this.nextDueMs;
        invariant(dueMs !== undefined, 'the promise waits, but no timer does');
        invariant(dueMs <= endMs, `the promise did not settle within ${limitMs} ms of virtual time`);
        await this.#runNext();
      }
    });
    return promise;
  }

  /** Lets everything that can go on without time go on. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < settleTurns; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    invariant(!this.#advancing, 'the clock is already being advanced: await the first call');
    this.#advancing = true;
    try {
      await work();
    } finally {
      this.#advancing = false;
    }
  }

  async #runNext(): Promise<void> {
    const entry = this.#entries.shift();
    if (entry === undefined) return;
    this.#nowMs = Math.max(this.#nowMs, entry.dueMs);
    entry.callback();
    await this.settle();
  }

  /** The first position whose timer is due later than `dueMs`. */
  #positionAfter(dueMs: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && entry.dueMs <= dueMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
