/**
 * Warm placeholders of one stack, ready to be taken.
 *
 * Ownership: the supply owns one per stack. A pod that was taken belongs to the taker.
 *
 * I1 Placeholders that are warm or on their way never outnumber the target by more than the one that replaces an old one,
 *    unless the target has just fallen. It is the minimum, and more for a while after cold starts or an announcement.
 * I2 What was taken or has ended is replaced in the background, a moment later; after a failure only when the back-off is
 *    over.
 * I3 A pod is handed out once, only while it is warm, and never after it has ended.
 * I4 A taker finds the pool empty at the price of a cold start, which is counted; a placeholder on its way serves first.
 * I5 After `close` no pod is left here and none is started.
 * I6 A placeholder that has waited for `placeholderTtlMs` ends as soon as another one is warm in its place.
 */
import { backoffMs, type Clock, type Log, type Meter, messageOf, type Random, type Timer } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { Pod, PodProvider } from '@switchyard/protocol';
import type { SupplyLimits } from './limits.ts';
import { type PoolSizing, poolTarget } from './pool-size.ts';

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
  /** How many there may be after cold starts; the minimum when left out. */
  readonly maximum?: number;
}

export interface PoolStatus {
  readonly stack: Stack;
  readonly warm: number;
  readonly warming: number;
  readonly coldStarts: number;
  /** How many it keeps now. */
  readonly target: number;
}

/** How often an old placeholder is looked at again that is still there. */
const replacementMs = 5_000;

/** Cold starts that are remembered: more make no difference to any sensible maximum. */
const maxRemembered = 1_000;

export class StackPool {
  readonly stack: Stack;
  readonly #deps: StackPoolDeps;
  readonly #limits: SupplyLimits;
  readonly #sizing: PoolSizing;
  /** Oldest first. */
  readonly #warm = new Set<Pod>();
  readonly #warming = new Set<Pod>();
  readonly #ttls = new Map<Pod, Timer>();
  /** When the cold starts within the window were. */
  #coldAtMs: number[] = [];
  #announced = 0;
  #announcement: Timer | undefined;
  #review: Timer | undefined;
  #coldStarts = 0;
  #failures = 0;
  #waiting: { readonly timer: Timer; readonly dueMs: number } | undefined;
  #isClosed = false;

  constructor(deps: StackPoolDeps, limits: SupplyLimits, options: PoolOptions) {
    this.#deps = deps;
    this.#limits = limits;
    this.stack = options.stack;
    const { minimum, maximum = minimum } = options;
    const { growthWindowMs: windowMs, growthThreshold: threshold, growthIncrement: increment } = limits;
    this.#sizing = { minimum, maximum, windowMs, threshold, increment };
  }

  status(): PoolStatus {
    return {
      stack: this.stack,
      warm: this.#warm.size,
      warming: this.#warming.size,
      coldStarts: this.#coldStarts,
      target: this.#target,
    };
  }

  /** Starts what is missing. */
  fill(): void {
    while (!this.#isClosed && this.#waiting === undefined && this.#present < this.#target) {
      this.#start();
    }
    this.#deps.meter.gauge('placeholders_warm_count', this.#warm.size, { stack: stackLabel(this.stack) });
  }

  /** Somebody will soon want so many: they are started now, as far as the maximum goes, and kept for a while. */
  announce(count: number): void {
    if (this.#isClosed || count <= this.#announced) return;
    this.#announced = count;
    this.#announcement?.cancel();
    this.#announcement = this.#deps.clock.schedule(this.#sizing.windowMs, () => {
      this.#announced = 0;
      this.#announcement = undefined;
      this.#trim();
    });
    this.fill();
  }

  /** A warm placeholder. Rejects with what kept a cold one from becoming warm. */
  async take(): Promise<Pod> {
    const [warm] = this.#warm;
    if (warm !== undefined) {
      this.#drop(warm);
      this.#fillLater(this.#limits.refillDelayMs);
      return warm;
    }
    this.#noteColdStart();
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
    if (this.#isClosed || this.#present >= this.#target) pod.stop(0);
    else this.#keep(pod);
  }

  close(graceMs: number): void {
    this.#isClosed = true;
    this.#waiting?.timer.cancel();
    this.#announcement?.cancel();
    this.#review?.cancel();
    for (const timer of this.#ttls.values()) timer.cancel();
    this.#ttls.clear();
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
    const { random } = this.#deps;
    const { placeholderTtlMs } = this.#limits;
    // Those that were started together shall not all go together.
    this.#expireIn(placeholderTtlMs * (0.9 + 0.2 * random.next()), pod);
    this.#trim();
    this.fill();
    void pod.ended.then(() => {
      if (this.#drop(pod)) this.#failed('a warm placeholder ended');
    });
  }

  /** When it has waited for long another one is started, and when that is warm the oldest goes; one after the other. */
  #expireIn(waitMs: number, pod: Pod): void {
    const timer = this.#deps.clock.schedule(waitMs, () => {
      this.#ttls.delete(pod);
      if (this.#isClosed || !this.#warm.has(pod)) return;
      if (this.#present <= this.#target && this.#waiting === undefined) this.#start();
      this.#expireIn(replacementMs, pod);
    });
    this.#ttls.set(pod, timer);
  }

  /** True when it was among the warm ones. */
  #drop(pod: Pod): boolean {
    this.#ttls.get(pod)?.cancel();
    this.#ttls.delete(pod);
    return this.#warm.delete(pod);
  }

  /** Ends the oldest of those that are too many. */
  #trim(): void {
    for (const pod of [...this.#warm].slice(0, Math.max(0, this.#warm.size - this.#target))) {
      this.#drop(pod);
      pod.stop(0);
    }
  }

  get #present(): number {
    return this.#warm.size + this.#warming.size;
  }

  get #target(): number {
    return poolTarget(this.#sizing, { coldStarts: this.#coldAtMs.length, announced: this.#announced });
  }

  #noteColdStart(): void {
    this.#coldStarts += 1;
    if (this.#sizing.maximum <= this.#sizing.minimum || this.#coldAtMs.length >= maxRemembered) return;
    this.#coldAtMs.push(this.#deps.clock.monotonic());
    this.#reviewLater();
  }

  /** Forgets cold starts as the window passes over them. */
  #reviewLater(): void {
    const [oldestMs] = this.#coldAtMs;
    if (oldestMs === undefined || this.#review !== undefined || this.#isClosed) return;
    const { clock } = this.#deps;
    const { windowMs } = this.#sizing;
    this.#review = clock.schedule(oldestMs + windowMs - clock.monotonic(), () => {
      this.#review = undefined;
      const fromMs = clock.monotonic() - windowMs;
      this.#coldAtMs = this.#coldAtMs.filter((atMs) => atMs > fromMs);
      this.#trim();
      this.#reviewLater();
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
