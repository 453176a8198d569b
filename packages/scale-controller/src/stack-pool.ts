/**
 * Warm placeholders of one stack, ready to be taken.
 *
 * Ownership: the supply owns one per stack. A pod that was taken belongs to the taker.
 *
 * I1 Placeholders that are warm or on their way never outnumber the minimum.
 * I2 What was taken or has ended is replaced in the background, a moment later; after a failure only when the back-off is
 *    over.
 * I3 A pod is handed out once, only while it is warm, and never after it has ended.
 * I4 A taker finds the pool empty at the price of a cold start, which is counted; a placeholder on its way serves first.
 * I5 After `close` no pod is left here and none is started.
 */
import { backoffMs, type Clock, type Log, type Meter, messageOf, type Random, type Timer } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { Pod, PodProvider } from '@switchyard/protocol';
import type { SupplyLimits } from './limits.ts';

export interface StackPoolDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  readonly provider: PodProvider;
}

export interface PoolOptions {
  readonly stack: Stack;
  /** How many warm placeholders to keep. */
  readonly minimum: number;
}

export interface PoolStatus {
  readonly stack: Stack;
  readonly warm: number;
  readonly warming: number;
  readonly coldStarts: number;
}

export class StackPool {
  readonly stack: Stack;
  readonly #deps: StackPoolDeps;
  readonly #limits: SupplyLimits;
  readonly #minimum: number;
  /** Oldest first. */
  readonly #warm = new Set<Pod>();
  readonly #warming = new Set<Pod>();
  #coldStarts = 0;
  #failures = 0;
  #waiting: { readonly timer: Timer; readonly dueMs: number } | undefined;
  #isClosed = false;

  constructor(deps: StackPoolDeps, limits: SupplyLimits, options: PoolOptions) {
    this.#deps = deps;
    this.#limits = limits;
    this.stack = options.stack;
    this.#minimum = options.minimum;
  }

  status(): PoolStatus {
    return {
      stack: this.stack,
      warm: this.#warm.size,
      warming: this.#warming.size,
      coldStarts: this.#coldStarts,
    };
  }

  /** Starts what is missing. */
  fill(): void {
    while (!this.#isClosed && this.#waiting === undefined && this.#warm.size + this.#warming.size < this.#minimum) {
      this.#start();
    }
    this.#deps.meter.gauge('placeholders_warm_count', this.#warm.size, { stack: stackLabel(this.stack) });
  }

  /** A warm placeholder. Rejects with what kept a cold one from becoming warm. */
  async take(): Promise<Pod> {
    const [warm] = this.#warm;
    if (warm !== undefined) {
      this.#warm.delete(warm);
      this.#fillLater(this.#limits.refillDelayMs);
      return warm;
    }
    this.#coldStarts += 1;
    this.#deps.meter.count('placeholder_cold_starts_total', 1, { stack: stackLabel(this.stack) });
    const [coming] = this.#warming;
    const pod = coming ?? this.#deps.provider.startPod(this.stack);
    this.#warming.delete(pod);
    this.#fillLater(this.#limits.refillDelayMs);
    await pod.warm;
    return pod;
  }

  /** Takes a placeholder back that nobody needed after all; one too many ends. */
  giveBack(pod: Pod): void {
    if (this.#isClosed || this.#warm.size + this.#warming.size >= this.#minimum) pod.stop(0);
    else this.#keep(pod);
  }

  close(graceMs: number): void {
    this.#isClosed = true;
    this.#waiting?.timer.cancel();
    for (const pod of [...this.#warm, ...this.#warming]) pod.stop(graceMs);
    this.#warm.clear();
    this.#warming.clear();
  }

  #start(): void {
    const pod = this.#deps.provider.startPod(this.stack);
    this.#warming.add(pod);
    pod.warm.then(
      () => {
        if (!this.#warming.delete(pod)) return;
        this.#failures = 0;
        this.#keep(pod);
      },
      (thrown: unknown) => {
        if (this.#warming.delete(pod)) this.#failed(messageOf(thrown));
      },
    );
  }

  #keep(pod: Pod): void {
    this.#warm.add(pod);
    this.fill();
    void pod.ended.then(() => {
      if (this.#warm.delete(pod)) this.#failed('a warm placeholder ended');
    });
  }

  /** Fills when the time is over; a wait that is on is replaced by a longer one only. */
  #fillLater(waitMs: number): void {
    if (this.#isClosed) return;
    const { clock } = this.#deps;
    const dueMs = clock.monotonic() + waitMs;
    if (this.#waiting !== undefined && this.#waiting.dueMs >= dueMs) return;
    if (this.#waiting === undefined && waitMs <= 0) {
      this.fill();
      return;
    }
    this.#waiting?.timer.cancel();
    const timer = clock.schedule(waitMs, () => {
      this.#waiting = undefined;
      this.fill();
    });
    this.#waiting = { timer, dueMs };
  }

  #failed(reason: string): void {
    const { random, log } = this.#deps;
    if (this.#isClosed) return;
    const waitMs = backoffMs(this.#limits.refillBackoff, this.#failures, random);
    this.#failures += 1;
    log.write('warning', 'A placeholder failed.', { stack: stackLabel(this.stack), reason, retryInMs: waitMs });
    this.#fillLater(waitMs);
  }
}

/** A stack in one word, for keys and labels. */
export function stackLabel({ runtime, version, architecture }: Stack): string {
  return [runtime, version, architecture].join(':');
}
