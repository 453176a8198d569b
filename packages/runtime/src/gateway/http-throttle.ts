/**
 * How many requests of an app are under way at once: `maxOutstandingRequests` and `maxConcurrentRequests` of host.json.
 *
 * Ownership: one per app that sets a limit; a request holds its turn from the moment it is let in until `leave`.
 *
 * I1 No more than `maxConcurrent` turns run at once; the others wait and begin in the order in which they came.
 * I2 A request is refused when `maxOutstanding` are under way already, waiting ones counted, or `maxWaiting` wait.
 * I3 A turn that is left, running or waiting, makes room exactly once.
 */
import { TransientMap, TransientSet } from '@switchyard/kernel';

/** Infinity stands for no limit. */
export interface ThrottleLimits {
  readonly maxOutstanding: number;
  readonly maxConcurrent: number;
  readonly maxWaiting: number;
}

/** What a request does when it is its turn. */
export type Begin = (turn: Turn) => void;

/** The place of one request. */
export interface Turn {
  /** The request is over, or gives up waiting. */
  leave(): void;
}

export class HttpThrottle {
  readonly #limits: ThrottleLimits;
  /** What waiting turns begin with, in order. */
  readonly #waiting = new TransientMap<Turn, Begin>();
  readonly #running = new TransientSet<Turn>();

  constructor(limits: ThrottleLimits) {
    this.#limits = limits;
  }

  /** Calls `begin` when it is the request's turn, perhaps at once. Undefined when there is no room. */
  enter(begin: Begin): Turn | undefined {
    const { maxOutstanding, maxConcurrent, maxWaiting } = this.#limits;
    if (this.#running.size + this.#waiting.size >= maxOutstanding) return undefined;
    const mustWait = this.#running.size >= maxConcurrent;
    if (mustWait && this.#waiting.size >= maxWaiting) return undefined;
    const turn: Turn = { leave: () => this.#leave(turn) };
    if (mustWait) this.#waiting.set(turn, begin);
    else {
      this.#running.add(turn);
      begin(turn);
    }
    return turn;
  }

  #leave(turn: Turn): void {
    if (this.#waiting.delete(turn) || !this.#running.delete(turn)) return;
    const next = this.#waiting.entries().next().value;
    if (next === undefined) return;
    const [waiting, begin] = next;
    this.#waiting.delete(waiting);
    this.#running.add(waiting);
    begin(waiting);
  }
}
