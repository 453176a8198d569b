/**
 * What the functions of one version have done since it was hosted, counted as it happens.
 *
 * Ownership: the executor of a version owns it and counts; whoever decides on scale and roll-outs reads.
 *
 * I1 Every begun invocation is ended once, so `activeCount` is never negative and is 0 when nothing runs.
 * I2 Counters only grow.
 * I3 Functions beyond `maxFunctions` share one entry, so names cannot make it grow without end.
 */

/** The upper ends of the classes of duration in milliseconds: 1 and then 25 % more each; the last one has no end. */
export const durationClassesMs: readonly number[] = Array.from({ length: 60 }, (_, index) => 1.25 ** index);

/** Counters of one function. They live on: copy what is to be compared later. */
export interface FunctionMeasure {
  readonly name: string;
  /** Invocations that have no outcome yet: those that run, wait for a worker or wait to be tried again. */
  readonly activeCount: number;
  readonly startedCount: number;
  readonly endedCount: number;
  /** Those that failed, were lost, or answered with a status of 500 or more. */
  readonly failedCount: number;
  /** The time of all that ended, waiting included, in milliseconds. */
  readonly totalMs: number;
  /** How many ended in each class of duration; the last one has those beyond all classes. */
  readonly durationCounts: readonly number[];
}

/** Functions that are told apart. */
const maxFunctions = 1_000;

const otherName = '(other)';

class Counter implements FunctionMeasure {
  readonly name: string;
  activeCount = 0;
  startedCount = 0;
  endedCount = 0;
  failedCount = 0;
  totalMs = 0;
  readonly durationCounts: number[] = new Array(durationClassesMs.length + 1).fill(0);

  constructor(name: string) {
    this.name = name;
  }
}

export class FunctionMeasures {
  readonly #counters = new Map<string, Counter>();

  get all(): readonly FunctionMeasure[] {
    return [...this.#counters.values()];
  }

  begin(name: string): void {
    const counter = this.#counterOf(name);
    counter.activeCount += 1;
    counter.startedCount += 1;
  }

  end(name: string, durationMs: number, hasFailed: boolean): void {
    const counter = this.#counterOf(name);
    counter.activeCount -= 1;
    counter.endedCount += 1;
    if (hasFailed) counter.failedCount += 1;
    counter.totalMs += durationMs;
    const index = classOf(durationMs);
    counter.durationCounts[index] = (counter.durationCounts[index] ?? 0) + 1;
  }

  #counterOf(name: string): Counter {
    const known = this.#counters.get(name);
    if (known !== undefined) return known;
    const shown = this.#counters.size < maxFunctions ? name : otherName;
    const counter = this.#counters.get(shown) ?? new Counter(shown);
    this.#counters.set(shown, counter);
    return counter;
  }
}

const growth = Math.log(1.25);

function classOf(durationMs: number): number {
  if (durationMs <= 1) return 0;
  // What lies at the end of a class belongs to it, in spite of binary fractions.
  return Math.min(durationClassesMs.length, Math.ceil(Math.log(durationMs) / growth - 1e-9));
}
