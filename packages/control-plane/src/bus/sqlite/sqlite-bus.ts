/**
 * The embedded event bus: one SQLite file, for one host and any number of processes on it.
 *
 * Ownership: whoever opens it closes it; it closes its receivers and its file.
 *
 * I1 A publication is accepted when it is on the disk for every subscription, or for none.
 * I2 The window of duplicates and the queues change together.
 * I3 A subscription that is full takes nothing more; its publisher is told, and nothing of the batch is taken.
 */
import type { Clock, Random } from '@switchyard/kernel';
import { integerOf } from '../../store/sqlite/row.ts';
import { openSqliteFile, type SqliteFile } from '../../store/sqlite/sqlite-file.ts';
import type {
  Bus,
  DeadLetters,
  InboxEraser,
  Publication,
  PublishOutcome,
  Receiver,
  SubscriptionDepth,
  SubscriptionSpec,
} from '../contract.ts';
import { busErrors } from '../errors.ts';
import { passesFilter } from '../event-filter.ts';
import { busLimits } from '../limits.ts';
import { toBodies } from '../publication-bodies.ts';
import { assertBusName, resolveSubscription } from '../resolve-subscription.ts';
import { Queue, type QueueOwner } from './queue.ts';
import { SqliteDeadLetters } from './sqlite-dead-letters.ts';
import { SqliteReceiver } from './sqlite-receiver.ts';
import { SubscriptionTable } from './subscription-table.ts';
import { busApplicationId, busMigrations } from './tables.ts';
import { WakeList } from './wake-list.ts';

export interface SqliteBusDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Where handlers write which events they had; the store's. */
  readonly inbox: InboxEraser;
}

export interface SqliteBusOptions {
  /** The file, or `:memory:`. */
  readonly file: string;
  readonly duplicateWindowMs?: number;
  /** How often receivers look for what other processes published. */
  readonly pollMs?: number;
  /** Events that one subscription holds at most. */
  readonly queuedLimit?: number;
}

/** Remembered ids that one publish forgets at most, so that none of them takes long. */
const forgetStep = 2_000;

/** @throws PlatformError STORE_FILE_DAMAGED, STORE_FILE_NEWER, STORE_FILE_FOREIGN, STORE_UNAVAILABLE */
export function openSqliteBus(deps: SqliteBusDeps, options: SqliteBusOptions): Bus {
  const { file } = options;
  return new SqliteBus(
    deps,
    openSqliteFile({ file, applicationId: busApplicationId, migrations: busMigrations }),
    options,
  );
}

class SqliteBus implements Bus {
  readonly deadLetters: DeadLetters;
  readonly #deps: SqliteBusDeps;
  readonly #file: SqliteFile;
  readonly #options: SqliteBusOptions;
  readonly #queue: Queue;
  readonly #subscriptions: SubscriptionTable;
  readonly #waiters = new WakeList();
  readonly #receivers = new Set<Receiver>();
  /** How many rows each queue had when it was counted, and how many came since. */
  readonly #counts = new Map<number, { counted: number; since: number }>();

  constructor(deps: SqliteBusDeps, file: SqliteFile, options: SqliteBusOptions) {
    this.#deps = deps;
    this.#file = file;
    this.#options = options;
    this.#queue = new Queue(file);
    this.#subscriptions = new SubscriptionTable(file);
    this.deadLetters = new SqliteDeadLetters({
      clock: deps.clock,
      inbox: deps.inbox,
      file,
      queue: this.#queue,
      subscriptions: this.#subscriptions,
      wake: (subscriptionId) => this.#waiters.wake(subscriptionId),
    });
  }

  async ensureSubscription(spec: SubscriptionSpec): Promise<void> {
    const subscription = resolveSubscription(spec);
    this.#assertOpen();
    await this.#file.write(() => this.#subscriptions.put(subscription));
  }

  async removeSubscription(topic: string, name: string): Promise<void> {
    this.#assertOpen();
    await this.#file.write(() => this.#subscriptions.remove(topic, name));
  }

  async publish(topic: string, publications: readonly Publication[]): Promise<readonly PublishOutcome[]> {
    assertBusName('topic', topic);
    this.#assertOpen();
    const bodies = toBodies(publications);
    if (publications.length === 0) return [];
    const touched = new Set<number>();
    const outcomes = await this.#file.write(() => {
      const nowMs = this.#deps.clock.now();
      const owners = this.#subscriptions.ofTopic(topic);
      const full = owners.map((owner) => this.#findFull(owner)).find((found) => found !== undefined);
      // Thrown before anything is written would still fail the whole batch of others; so it is an answer.
      if (full !== undefined) return full;
      this.#forgetOld(nowMs);
      return publications.map((publication, index) =>
        this.#put(topic, publication, bodies[index] ?? '', owners, nowMs, touched),
      );
    });
    if (!Array.isArray(outcomes)) throw busErrors.create('BUS_FULL', { ...outcomes });
    for (const subscriptionId of touched) this.#waiters.wake(subscriptionId);
    return outcomes as readonly PublishOutcome[];
  }

  openReceiver(topic: string, name: string): Receiver {
    this.#assertOpen();
    let subscriptionId: number | undefined;
    const receiver = new SqliteReceiver(
      {
        clock: this.#deps.clock,
        random: this.#deps.random,
        file: this.#file,
        queue: this.#queue,
        ownerOf: () => {
          const owner = this.#subscriptions.find(topic, name);
          subscriptionId = owner?.subscriptionId;
          return owner;
        },
        onWake: (waiter) => this.#waiters.add(() => subscriptionId, waiter),
        wake: () => {
          if (subscriptionId !== undefined) this.#waiters.wake(subscriptionId);
        },
      },
      { topic, subscription: name, pollMs: this.#options.pollMs ?? defaultPollMs },
    );
    this.#receivers.add(receiver);
    const close = receiver.close.bind(receiver);
    receiver.close = async () => {
      this.#receivers.delete(receiver);
      await close();
    };
    return receiver;
  }

  async depths(): Promise<readonly SubscriptionDepth[]> {
    this.#assertOpen();
    return this.#file.read(() => this.#subscriptions.depths());
  }

  async close(): Promise<void> {
    await Promise.all([...this.#receivers].map((receiver) => receiver.close()));
    this.#file.close();
  }

  #put(
    topic: string,
    { envelope, orderingKey, notBeforeMs }: Publication,
    body: string,
    owners: readonly QueueOwner[],
    nowMs: number,
    touched: Set<number>,
  ): PublishOutcome {
    const untilMs = nowMs + (this.#options.duplicateWindowMs ?? busLimits.duplicateWindowMs);
    const isNew = this.#file.run(
      `INSERT INTO seen (topic, event_id, until_ms) VALUES (?1, ?2, ?3)
       ON CONFLICT DO UPDATE SET until_ms = ?3 WHERE until_ms <= ?4`,
      ...[topic, envelope.eventId, untilMs, nowMs],
    );
    if (isNew === 0) return 'duplicate';
    const row = { envelope: body, orderingKey, dueMs: Math.max(nowMs, notBeforeMs ?? 0) };
    for (const owner of owners) {
      if (!passesFilter(owner.spec.filter, envelope)) continue;
      this.#queue.insert(owner, row);
      touched.add(owner.subscriptionId);
      const count = this.#counts.get(owner.subscriptionId);
      if (count !== undefined) count.since += 1;
    }
    return 'accepted';
  }

  #forgetOld(nowMs: number): void {
    const oldest = this.#file.get('SELECT MIN(until_ms) AS oldest FROM seen');
    if (oldest === undefined || oldest.oldest === null || integerOf(oldest, 'oldest') > nowMs) return;
    this.#file.run(
      'DELETE FROM seen WHERE (topic, event_id) IN (SELECT topic, event_id FROM seen WHERE until_ms <= ? LIMIT ?)',
      ...[nowMs, forgetStep],
    );
  }

  #findFull(owner: QueueOwner): Readonly<Record<string, string | number>> | undefined {
    const limit = this.#options.queuedLimit ?? busLimits.queued;
    let count = this.#counts.get(owner.subscriptionId);
    // Counting reads the whole queue. Half of the room that was left cannot have been filled by fewer publications.
    if (count === undefined || count.since >= (limit - count.counted) / 2) {
      count = { counted: this.#subscriptions.countQueued(owner.subscriptionId), since: 0 };
      this.#counts.set(owner.subscriptionId, count);
    }
    const queued = count.counted;
    if (queued < limit) return undefined;
    return { topic: owner.spec.topic, subscription: owner.spec.name, queued, limit };
  }

  #assertOpen(): void {
    if (!this.#file.isOpen) throw busErrors.create('BUS_CLOSED');
  }
}

const defaultPollMs = 500;
