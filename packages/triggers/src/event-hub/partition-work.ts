/**
 * What one partition has for the function: runs it in order, and says how far the partition is done.
 *
 * Work is cut into units: an event each, or a batch each. Phases: Open -> Finishing (nothing new starts) -> Stopped.
 * Ownership: the listener owns one for each partition that its reader has.
 *
 * I1 The checkpoint moves to an event when the functions of this event and of all before it have ended, well or not: what
 *    failed has spent its retries. It moves with every n-th batch, and when the work is finished in good order.
 * I2 What was lost with its worker, or cancelled, has not ended: it runs again, later and later, and the checkpoint waits.
 * I3 No more than `concurrency` units run at once, and they start in their order; one at a time keeps the order wholly.
 * I4 After `finish` or `stop` nothing starts; after `stop` no checkpoint is written either: the partition is somebody else's.
 * I5 A batch is not smaller than it should be, unless its first event has waited for the longest time.
 */
import {
  type BackoffOptions,
  backoffMs,
  type Clock,
  createDeferred,
  type Random,
  sleep,
  type Timer,
} from '@switchyard/kernel';
import type { InvocationOutcome } from '../contract.ts';
import type { ReceivedEvent } from './event-hub-client.ts';

export interface PartitionWorkDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Runs the function for these events. Never rejects. */
  readonly run: (events: readonly ReceivedEvent[], isCheckpointing: boolean) => Promise<InvocationOutcome>;
  /** Writes how far the partition is done. Never rejects. */
  readonly checkpoint: (event: ReceivedEvent) => Promise<void>;
}

export interface PartitionWorkOptions {
  readonly isBatch: boolean;
  readonly minEvents: number;
  readonly maxEvents: number;
  readonly maxWaitMs: number;
  readonly concurrency: number;
  readonly batchesPerCheckpoint: number;
}

/** Events that the function gets together. */
interface Unit {
  readonly events: readonly ReceivedEvent[];
  /** The last one of what came together. */
  readonly endsBatch: boolean;
  readonly isCheckpointing: boolean;
  state: 'waiting' | 'running' | 'ended';
}

const lossBackoff: BackoffOptions = { minimumMs: 250, maximumMs: 30_000, factor: 2, jitter: 0.2 };

export class PartitionWork {
  readonly #deps: PartitionWorkDeps;
  readonly #options: PartitionWorkOptions;
  readonly #stop = new AbortController();
  #phase: 'open' | 'finishing' | 'stopped' = 'open';
  /** Those that have not ended, and those that ended before one of these. */
  #units: Unit[] = [];
  /** Events that are too few for a batch. */
  #collected: ReceivedEvent[] = [];
  #collecting: Timer | undefined;
  #batches = 0;
  #ended = 0;
  #done: ReceivedEvent | undefined;
  #saved: ReceivedEvent | undefined;
  #saving: Promise<void> = Promise.resolve();
  #changed = createDeferred<void>();

  constructor(deps: PartitionWorkDeps, options: PartitionWorkOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The last event that is done, and all before it. */
  get done(): ReceivedEvent | undefined {
    return this.#done;
  }

  /** Events whose functions run. */
  get runningCount(): number {
    let count = 0;
    for (const { state, events } of this.#units) if (state === 'running') count += events.length;
    return count;
  }

  /** Takes the next events over; resolves when there is room for more. */
  async take(events: readonly ReceivedEvent[]): Promise<void> {
    if (this.#phase !== 'open' || events.length === 0) return;
    if (this.#options.isBatch) this.#collect(events);
    else this.#add(events.map((event) => [event]));
    while (this.#phase === 'open' && !this.#hasRoom) await this.#changed.promise;
    await this.#saving;
  }

  /** Starts nothing more; resolves when what runs has ended and the checkpoint says so. */
  async finish(): Promise<void> {
    if (this.#phase === 'stopped') return;
    this.#leave('finishing');
    while (this.#phase === 'finishing' && this.#units.some(({ state }) => state === 'running')) {
      await this.#changed.promise;
    }
    if (this.#phase === 'finishing') this.#save();
    await this.#saving;
    this.#leave('stopped');
  }

  /** Lets go at once: what runs goes on, and nobody waits for it. */
  stop(): void {
    this.#leave('stopped');
  }

  get #hasRoom(): boolean {
    const { concurrency } = this.#options;
    if (concurrency === 1) return this.#units.length === 0;
    return this.#units.filter(({ state }) => state === 'waiting').length < concurrency;
  }

  #leave(phase: 'finishing' | 'stopped'): void {
    this.#phase = phase;
    this.#collecting?.cancel();
    this.#collected = [];
    this.#stop.abort();
    this.#tell();
  }

  #collect(events: readonly ReceivedEvent[]): void {
    const { minEvents, maxEvents, maxWaitMs } = this.#options;
    this.#collected.push(...events);
    while (this.#collected.length >= minEvents) this.#add([this.#collected.splice(0, maxEvents)]);
    if (this.#collected.length === 0) {
      this.#collecting?.cancel();
      this.#collecting = undefined;
      return;
    }
    this.#collecting ??= this.#deps.clock.schedule(maxWaitMs, () => {
      this.#collecting = undefined;
      this.#add([this.#collected.splice(0)]);
    });
  }

  /** Adds what came together. */
  #add(groups: readonly (readonly ReceivedEvent[])[]): void {
    this.#batches += 1;
    const isCheckpointing = this.#batches % this.#options.batchesPerCheckpoint === 0;
    for (const [index, events] of groups.entries()) {
      this.#units.push({ events, endsBatch: index === groups.length - 1, isCheckpointing, state: 'waiting' });
    }
    this.#startSome();
  }

  #startSome(): void {
    let running = this.#units.filter(({ state }) => state === 'running').length;
    for (const unit of this.#units) {
      if (this.#phase !== 'open' || running >= this.#options.concurrency) break;
      if (unit.state !== 'waiting') continue;
      unit.state = 'running';
      running += 1;
      void this.#run(unit);
    }
  }

  async #run(unit: Unit): Promise<void> {
    const { clock, random } = this.#deps;
    for (let losses = 0; ; losses += 1) {
      const { kind } = await this.#deps.run(unit.events, unit.isCheckpointing);
      if (kind === 'succeeded' || kind === 'failed') break;
      if (this.#phase !== 'open') return this.#giveUp(unit);
      await sleep(clock, backoffMs(lossBackoff, losses, random), this.#stop.signal).catch(() => {});
      if (this.#phase !== 'open') return this.#giveUp(unit);
    }
    unit.state = 'ended';
    this.#advance();
    this.#startSome();
    this.#tell();
  }

  #giveUp(unit: Unit): void {
    unit.state = 'waiting';
    this.#tell();
  }

  /** Takes out what has ended from the front on. */
  #advance(): void {
    let mustSave = false;
    while (this.#units[0]?.state === 'ended') {
      const unit = this.#units.shift();
      this.#done = unit?.events.at(-1);
      if (unit?.endsBatch !== true) continue;
      this.#ended += 1;
      mustSave ||= this.#ended % this.#options.batchesPerCheckpoint === 0;
    }
    if (mustSave) this.#save();
  }

  /** Writes one after the other, and always the newest. */
  #save(): void {
    this.#saving = this.#saving.then(async () => {
      const event = this.#done;
      if (event === undefined || event === this.#saved || this.#phase === 'stopped') return;
      this.#saved = event;
      await this.#deps.checkpoint(event);
    });
  }

  #tell(): void {
    const changed = this.#changed;
    this.#changed = createDeferred();
    changed.resolve();
  }
}
