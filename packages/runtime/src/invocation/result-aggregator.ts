/**
 * Adds the results of an app's functions up, and tells of the sums (`aggregator` of host.json).
 *
 * Ownership: the JobHost opens and closes one.
 *
 * I1 A sum is told `flushTimeoutMs` after its first result, or at once when `batchSize` results are in all sums together.
 * I2 Every result is in exactly one sum; `close` tells what is left.
 * I3 Without results there is no timer.
 */
import type { Clock, FunctionAggregate, Timer } from '@switchyard/kernel';
import type { AggregatorSettings } from '@switchyard/model';

interface Sum {
  readonly sinceMs: number;
  count: number;
  successes: number;
  totalMs: number;
  minimumMs: number;
  maximumMs: number;
}

export class ResultAggregator {
  readonly #clock: Pick<Clock, 'now' | 'schedule'>;
  readonly #settings: AggregatorSettings;
  readonly #tell: (aggregate: FunctionAggregate) => void;
  readonly #sums = new Map<string, Sum>();
  #results = 0;
  #timer: Timer | undefined;

  constructor(
    clock: Pick<Clock, 'now' | 'schedule'>,
    settings: AggregatorSettings,
    tell: (aggregate: FunctionAggregate) => void,
  ) {
    this.#clock = clock;
    this.#settings = settings;
    this.#tell = tell;
  }

  add(functionName: string, durationMs: number, isSuccess: boolean): void {
    if (!this.#settings.isEnabled) return;
    const sum = this.#sums.get(functionName) ?? this.#begin(functionName, durationMs);
    sum.count += 1;
    sum.successes += isSuccess ? 1 : 0;
    sum.totalMs += durationMs;
    if (durationMs < sum.minimumMs) sum.minimumMs = durationMs;
    if (durationMs > sum.maximumMs) sum.maximumMs = durationMs;
    this.#results += 1;
    if (this.#results >= this.#settings.batchSize) this.flush();
    else this.#timer ??= this.#clock.schedule(this.#settings.flushTimeoutMs, () => this.flush());
  }

  /** Tells of everything that was added up. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const sums = [...this.#sums];
    this.#sums.clear();
    this.#results = 0;
    for (const [functionName, sum] of sums) this.#tell(toAggregate(functionName, sum));
  }

  #begin(functionName: string, durationMs: number): Sum {
    const sum = {
      sinceMs: this.#clock.now(),
      count: 0,
      successes: 0,
      totalMs: 0,
      minimumMs: durationMs,
      maximumMs: durationMs,
    };
    this.#sums.set(functionName, sum);
    return sum;
  }
}

function toAggregate(functionName: string, sum: Sum): FunctionAggregate {
  const { sinceMs, count, successes, totalMs, minimumMs, maximumMs } = sum;
  return {
    functionName,
    sinceMs,
    count,
    successes,
    failures: count - successes,
    successRate: round((successes / count) * 100),
    averageDurationMs: round(totalMs / count),
    minimumDurationMs: round(minimumMs),
    maximumDurationMs: round(maximumMs),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
