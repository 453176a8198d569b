/**
 * Finds out how many events of each function of an app may be in work at once (`concurrency` of host.json).
 *
 * Phases: closed <-> open (it looks once a second while listeners listen). Ownership: the JobHost; what was found out outlives pauses of
 * the listeners, and in the app's storage the host.
 *
 * I1 A limit is never below 1 nor above the app's maximum.
 * I2 Only functions whose listeners obey their limit are looked at.
 * I3 What an earlier host found out is where a function begins, unless it was found out anew meanwhile; storage that is away changes
 *    nothing else.
 * I4 It looks at nothing, and writes nothing, while no listener listens.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import type { HostJson } from '@switchyard/model';
import type { ConcurrencySnapshots, DynamicLimit } from '@switchyard/triggers';
import type { ProcessHealth } from '../health/process-health.ts';
import { adjustConcurrency, type ConcurrencyState, firstConcurrency } from './adjust-concurrency.ts';

export interface ConcurrencyControlDeps {
  readonly clock: Pick<Clock, 'monotonic' | 'schedule'>;
  /** Carries the app's fields. */
  readonly log: Log;
  /** Without it the host is always well. */
  readonly health: Pick<ProcessHealth, 'isBusy' | 'residentBytes'> | undefined;
  /** Where it is kept what was found out; undefined where nothing is kept. */
  readonly snapshots: ConcurrencySnapshots | undefined;
}

const lookMs = 1_000;
const looksPerSave = 10;

/** The concurrency of one function. */
export class FunctionConcurrency implements DynamicLimit {
  state: ConcurrencyState = firstConcurrency;
  isObeyed = false;
  mostActive = 0;
  #active = 0;

  /** Whoever asks obeys it. */
  get current(): number {
    this.isObeyed = true;
    return this.state.limit;
  }

  /** Counts an event that is in work. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#active += 1;
    this.mostActive = Math.max(this.mostActive, this.#active);
    try {
      return await work();
    } finally {
      this.#active -= 1;
    }
  }

  /** The most since the last time. */
  takeMostActive(): number {
    const most = this.mostActive;
    this.mostActive = this.#active;
    return most;
  }
}

export class ConcurrencyControl {
  readonly #deps: ConcurrencyControlDeps;
  readonly #settings: HostJson['concurrency'];
  readonly #functions = new Map<string, FunctionConcurrency>();
  #openings = 0;
  #timer: Timer | undefined;
  #looks = 0;
  #hasRead = false;
  #hasChanged = false;
  /** The last write; they follow one another. */
  #saving: Promise<void> = Promise.resolve();

  constructor(deps: ConcurrencyControlDeps, settings: HostJson['concurrency']) {
    this.#deps = deps;
    this.#settings = settings;
  }

  of(functionName: string): FunctionConcurrency {
    const known = this.#functions.get(functionName) ?? new FunctionConcurrency();
    this.#functions.set(functionName, known);
    return known;
  }

  /** Listeners listen. Returns how to say that they do no longer; the last one resolves when what was found out is kept. */
  open(): () => Promise<void> {
    this.#openings += 1;
    this.#timer ??= this.#schedule();
    if (!this.#hasRead) void this.#read();
    this.#hasRead = true;
    return async () => {
      this.#openings -= 1;
      if (this.#openings > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#save();
      await this.#saving;
    };
  }

  #schedule(): Timer {
    return this.#deps.clock.schedule(lookMs, () => this.#look());
  }

  #look(): void {
    const { clock, log } = this.#deps;
    const { maximumFunctionConcurrency: maximum } = this.#settings;
    const isBusy = this.#isHostBusy();
    for (const [functionName, one] of this.#functions) {
      const mostActive = one.takeMostActive();
      if (!one.isObeyed) continue;
      const next = adjustConcurrency(one.state, { nowMs: clock.monotonic(), mostActive, isBusy, maximum });
      if (next === one.state) continue;
      const fields = { category: 'Host.Concurrency', functionName, limit: next.limit, before: one.state.limit };
      log.write('debug', 'The concurrency of a function changed.', fields);
      one.state = next;
      this.#hasChanged = true;
    }
    this.#looks += 1;
    if (this.#looks % looksPerSave === 0) this.#save();
    this.#timer = this.#schedule();
  }

  /** The host has too much to do, or holds more memory than the app lets it. */
  #isHostBusy(): boolean {
    const { health } = this.#deps;
    if (health === undefined) return false;
    const { cpuThreshold, totalAvailableMemoryBytes: totalBytes, memoryThreshold } = this.#settings;
    return (
      health.isBusy(cpuThreshold) || (totalBytes !== undefined && health.residentBytes > totalBytes * memoryThreshold)
    );
  }

  async #read(): Promise<void> {
    try {
      const found = (await this.#deps.snapshots?.read()) ?? new Map<string, number>();
      for (const [functionName, limit] of found) {
        const one = this.of(functionName);
        if (one.state !== firstConcurrency) continue;
        one.state = { ...firstConcurrency, limit: Math.min(limit, this.#settings.maximumFunctionConcurrency) };
      }
    } catch (thrown) {
      this.#note('What is known of the concurrency of functions could not be read.', thrown);
    }
  }

  #save(): void {
    const { snapshots } = this.#deps;
    if (!this.#hasChanged || snapshots === undefined) return;
    this.#hasChanged = false;
    const obeyed = [...this.#functions].filter(([, { isObeyed }]) => isObeyed);
    const limits = new Map(obeyed.map(([name, { state }]) => [name, state.limit]));
    this.#saving = this.#saving
      .then(() => snapshots.write(limits))
      .catch((thrown) => this.#note('What is known of the concurrency of functions could not be kept.', thrown));
  }

  #note(message: string, thrown: unknown): void {
    this.#deps.log.write('debug', message, { category: 'Host.Concurrency', reason: messageOf(thrown) });
  }
}
