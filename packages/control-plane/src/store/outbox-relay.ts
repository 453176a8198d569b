/**
 * Carries the events of the outbox to the bus: what was committed is published, in the order of the commits.
 *
 * Ownership: whoever starts it stops it; it owns neither the store nor the bus.
 *
 * I1 An event is marked as sent only after the bus took it, so a crash in between sends it again with the same eventId,
 *    which the bus drops within its window of duplicates.
 * I2 One relay works at a time, wherever it runs: the others wait for its lease.
 * I3 A failure of the bus or the store is waited out with growing waits, and nothing is lost or passed over.
 * I4 An event that the bus will never take (too large, no name) is logged, marked as sent, and does not hold up the rest.
 */
import {
  backoffMs,
  type Clock,
  createDeferred,
  isPlatformError,
  type Log,
  messageOf,
  type Random,
} from '@switchyard/kernel';
import type { Bus } from '../bus/contract.ts';
import type { Lease, OutboxRecord, Store } from './contract.ts';

export interface OutboxRelayDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: Pick<Store, 'outbox' | 'leases'>;
  readonly bus: Pick<Bus, 'publish'>;
}

export interface OutboxRelayOptions {
  /** Tells this process from others. */
  readonly holder: string;
  /** How often to look for what other processes committed. */
  readonly pollMs?: number;
}

export interface OutboxRelay {
  /** Ends after what is being sent, and gives its lease up. */
  stop(): Promise<void>;
}

const leaseName = 'outbox-relay';
const leaseMs = 15_000;
const batch = 200;
const waits = { minimumMs: 100, maximumMs: 10_000, factor: 2, jitter: 0.5 };

/** Starts a relay. */
export function startOutboxRelay(deps: OutboxRelayDeps, options: OutboxRelayOptions): OutboxRelay {
  const relay = new Relay(deps, options);
  const ended = relay.run();
  return {
    stop: async () => {
      relay.stop();
      await ended;
    },
  };
}

class Relay {
  readonly #deps: OutboxRelayDeps;
  readonly #options: OutboxRelayOptions;
  readonly #stopped = createDeferred<void>();
  #isRunning = true;
  #woken = createDeferred<void>();
  #lease: Lease | undefined;

  constructor(deps: OutboxRelayDeps, options: OutboxRelayOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  stop(): void {
    this.#isRunning = false;
    this.#stopped.resolve();
  }

  async run(): Promise<void> {
    const { clock, log, random, store } = this.#deps;
    const unwatch = store.outbox.watch(() => this.#woken.resolve());
    let failures = 0;
    while (this.#isRunning) {
      this.#woken = createDeferred<void>();
      try {
        const hasMore = (await this.#hold()) && (await this.#sendBatch());
        failures = 0;
        if (hasMore) continue;
        await this.#pause(this.#options.pollMs ?? defaultPollMs, true);
      } catch (thrown) {
        log.write('warning', 'Events of the outbox could not be sent; trying again', { error: messageOf(thrown) });
        await this.#pause(backoffMs(waits, failures, random), false);
        failures += 1;
      }
    }
    unwatch();
    if (this.#lease !== undefined && this.#lease.expiresAtMs > clock.now())
      await store.leases.release(this.#lease).catch(() => false);
  }

  /** True while the lease is ours with enough time left for a batch. */
  async #hold(): Promise<boolean> {
    const { clock, store } = this.#deps;
    if (this.#lease !== undefined) {
      if (this.#lease.expiresAtMs - clock.now() > leaseMs / 2) return true;
      this.#lease = await store.leases.renew(this.#lease, leaseMs);
      if (this.#lease !== undefined) return true;
    }
    const outcome = await store.leases.acquire(leaseName, this.#options.holder, leaseMs);
    this.#lease = outcome.kind === 'held' ? outcome.lease : undefined;
    return this.#lease !== undefined;
  }

  /** True when there may be more. */
  async #sendBatch(): Promise<boolean> {
    const { bus, store } = this.#deps;
    const records = await store.outbox.pending(batch);
    if (records.length === 0) return false;
    // Neighbours of one topic go together; the order of the commits stays.
    for (let start = 0; start < records.length; ) {
      const topic = records[start]?.topic ?? '';
      let end = start + 1;
      while (records[end]?.topic === topic) end += 1;
      const group = records.slice(start, end);
      await this.#publish(bus, topic, group);
      await store.outbox.markSent(group.map(({ sequence }) => sequence));
      start = end;
    }
    return true;
  }

  async #publish(bus: OutboxRelayDeps['bus'], topic: string, group: readonly OutboxRecord[]): Promise<void> {
    try {
      await bus.publish(topic, group);
    } catch (thrown) {
      if (!isPlatformError(thrown) || thrown.retry !== 'never' || thrown.blame !== 'user') throw thrown;
      const [first, ...rest] = group;
      if (rest.length > 0) {
        for (const record of group) await this.#publish(bus, topic, [record]);
        return;
      }
      this.#deps.log.write('error', 'An event of the outbox can never be published, so it is passed over', {
        eventId: first?.envelope.eventId,
        topic,
        error: messageOf(thrown),
      });
    }
  }

  async #pause(waitMs: number, wakes: boolean): Promise<void> {
    const timeout = createDeferred<void>();
    const timer = this.#deps.clock.schedule(waitMs, () => timeout.resolve());
    await Promise.race([timeout.promise, this.#stopped.promise, ...(wakes ? [this.#woken.promise] : [])]);
    timer.cancel();
  }
}

const defaultPollMs = 500;
