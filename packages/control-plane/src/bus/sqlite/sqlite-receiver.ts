/**
 * Takes the events of one subscription: locks what is ready, or waits until something may be.
 *
 * Ownership: the bus makes it and closes it with itself; whoever opened it may close it sooner.
 *
 * I1 A receive ends at its deadline, its signal or the close of the receiver, and holds no lock that it does not give out.
 * I2 It wakes when something is published or given back in this process, when a wait or a lock ends, and now and then for
 *    what other processes did.
 * I3 What is no envelope becomes a dead letter with the reason SCHEMA_INVALID, and is given to nobody.
 */
import { createDeferred, type Deferred } from '@switchyard/kernel';
import { decodeEventEnvelope } from '@switchyard/protocol';
import type { Delivery, ReceiveOptions, Receiver } from '../contract.ts';
import { busErrors } from '../errors.ts';
import { busReasons } from '../failure-history.ts';
import { busLimits } from '../limits.ts';
import type { QueueOwner } from './queue.ts';
import { SqliteDelivery, type SqliteDeliveryDeps } from './sqlite-delivery.ts';

export interface SqliteReceiverDeps extends SqliteDeliveryDeps {
  /** The subscription as it is now, or undefined. */
  ownerOf(): QueueOwner | undefined;
  /** Adds a waiter; the answer takes it away. */
  onWake(waiter: () => void): () => void;
}

export interface SqliteReceiverOptions {
  readonly topic: string;
  readonly subscription: string;
  /** How often to look for what other processes published. */
  readonly pollMs: number;
}

interface Taken {
  readonly deliveries: readonly Delivery[];
  /** When there may be more without anybody doing anything. */
  readonly nextDueMs: number | undefined;
}

export class SqliteReceiver implements Receiver {
  readonly #deps: SqliteReceiverDeps;
  readonly #options: SqliteReceiverOptions;
  readonly #closed: Deferred<void> = createDeferred();
  #isOpen = true;

  constructor(deps: SqliteReceiverDeps, options: SqliteReceiverOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async receive({ max, waitMs, signal }: ReceiveOptions): Promise<readonly Delivery[]> {
    const { clock } = this.#deps;
    const endMs = clock.monotonic() + waitMs;
    const limit = Math.max(1, Math.min(max, busLimits.receiveBatch));
    while (this.#isOpen && signal?.aborted !== true) {
      const woken = createDeferred<void>();
      // Listens before it looks, so that what happens in between is not missed.
      const stopListening = this.#deps.onWake(() => woken.resolve());
      try {
        const { deliveries, nextDueMs } = await this.#take(limit);
        if (deliveries.length > 0) return deliveries;
        const leftMs = endMs - clock.monotonic();
        if (leftMs <= 0) return [];
        const dueInMs = nextDueMs === undefined ? leftMs : Math.max(0, nextDueMs - clock.now());
        await this.#pause(Math.min(leftMs, dueInMs, this.#options.pollMs), woken, signal);
      } finally {
        stopListening();
      }
    }
    return [];
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#closed.resolve();
  }

  /** Asks without writing first: a look that finds nothing costs no transaction. */
  async #take(max: number): Promise<Taken> {
    const { clock, file, queue } = this.#deps;
    const owner = this.#owner();
    const nextDueMs = file.read(() => queue.nextDueMs(owner));
    if (nextDueMs === undefined || nextDueMs > clock.now()) return { deliveries: [], nextDueMs };
    return file.write(() => this.#lock(max), false);
  }

  #lock(max: number): Taken {
    const { clock, queue } = this.#deps;
    const owner = this.#deps.ownerOf();
    // Removed or closed while this waited for its turn: nothing is locked that nobody would hold.
    if (owner === undefined || !this.#isOpen) return { deliveries: [], nextDueMs: undefined };
    const nowMs = clock.now();
    queue.reclaim(owner, nowMs);
    const deliveries: Delivery[] = [];
    for (const row of queue.lock(owner, max, nowMs)) {
      const parsing = decodeEventEnvelope(row.envelope);
      if (parsing.kind === 'envelope') deliveries.push(new SqliteDelivery(this.#deps, owner, row, parsing.envelope));
      else {
        const note = { reason: busReasons.schemaInvalid, description: parsing.message };
        queue.bury(owner, row.position, note, nowMs);
      }
    }
    return { deliveries, nextDueMs: queue.nextDueMs(owner) };
  }

  #owner(): QueueOwner {
    const { topic, subscription } = this.#options;
    const owner = this.#deps.file.read(() => this.#deps.ownerOf());
    if (owner === undefined) throw busErrors.create('BUS_SUBSCRIPTION_UNKNOWN', { topic, subscription });
    return owner;
  }

  async #pause(waitMs: number, woken: Deferred<void>, signal: AbortSignal | undefined): Promise<void> {
    const onAbort = (): void => woken.resolve();
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = this.#deps.clock.schedule(waitMs, onAbort);
    await Promise.race([woken.promise, this.#closed.promise]);
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}
