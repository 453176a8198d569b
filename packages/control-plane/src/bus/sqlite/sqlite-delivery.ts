import { backoffMs, type Clock, type Random } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { SqliteFile } from '../../store/sqlite/sqlite-file.ts';
import type { Delivery, FailureNote, RetryOutcome, Settlement } from '../contract.ts';
import { busReasons } from '../failure-history.ts';
import type { LockedRow, Queue, QueueOwner } from './queue.ts';

/** What settling needs. */
export interface SqliteDeliveryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly file: SqliteFile;
  readonly queue: Queue;
  /** Something of the subscription may be ready by now. */
  wake(): void;
}

const givenBack: FailureNote = { reason: busReasons.abandoned, description: 'The receiver gave it back.' };

/** A locked row as the contract has it. */
export class SqliteDelivery implements Delivery {
  readonly #deps: SqliteDeliveryDeps;
  readonly #owner: QueueOwner;
  readonly #row: LockedRow;
  readonly envelope: EventEnvelope;
  readonly orderingKey?: string;
  readonly replayOf?: string;
  lockedUntilMs: number;

  constructor(deps: SqliteDeliveryDeps, owner: QueueOwner, row: LockedRow, envelope: EventEnvelope) {
    this.#deps = deps;
    this.#owner = owner;
    this.#row = row;
    this.envelope = envelope;
    this.lockedUntilMs = row.lockedUntilMs;
    if (row.orderingKey !== undefined) this.orderingKey = row.orderingKey;
    if (row.replayOf !== undefined) this.replayOf = row.replayOf;
  }

  get topic(): string {
    return this.#owner.spec.topic;
  }

  get subscription(): string {
    return this.#owner.spec.name;
  }

  get deliveryCount(): number {
    return this.#row.attempts;
  }

  async renew(): Promise<Settlement> {
    const lockedUntilMs = this.#deps.clock.now() + this.#owner.spec.lockMs;
    const settlement = await this.#settle(false, () => this.#deps.queue.renew(this.#row, lockedUntilMs));
    if (settlement === 'settled') this.lockedUntilMs = lockedUntilMs;
    return settlement;
  }

  complete(): Promise<Settlement> {
    // A completion that the power takes away is a delivery more, which the inbox of the handler finds.
    return this.#settle(false, () => this.#deps.queue.remove(this.#row.position));
  }

  abandon(note: FailureNote = givenBack): Promise<Settlement> {
    return this.#settle(false, (nowMs) => this.#fail(note, 'abandoned', nowMs, nowMs));
  }

  async retry(note: FailureNote, { afterMs }: { readonly afterMs?: number } = {}): Promise<RetryOutcome> {
    const { spec } = this.#owner;
    const waitMs = afterMs ?? backoffMs(spec.backoff, this.#row.attempts - 1, this.#deps.random);
    const isLast = this.#row.attempts >= spec.maxDeliveries;
    let dueMs = 0;
    const settlement = await this.#settle(true, (nowMs) => {
      dueMs = nowMs + waitMs;
      this.#fail(note, 'retried', dueMs, nowMs);
    });
    if (settlement === 'lockLost') return { kind: 'lockLost' };
    return isLast ? { kind: 'deadLettered' } : { kind: 'scheduled', dueMs };
  }

  deadLetter(note: FailureNote): Promise<Settlement> {
    return this.#settle(true, (nowMs) => this.#deps.queue.bury(this.#owner, this.#row.position, note, nowMs));
  }

  #fail(note: FailureNote, outcome: 'retried' | 'abandoned', dueMs: number, nowMs: number): void {
    const { position, attempts } = this.#row;
    if (attempts >= this.#owner.spec.maxDeliveries) this.#deps.queue.bury(this.#owner, position, note, nowMs);
    else this.#deps.queue.giveBack(position, dueMs, { ...note, deliveryCount: attempts, atMs: nowMs, outcome });
  }

  async #settle(durable: boolean, change: (nowMs: number) => void): Promise<Settlement> {
    const { clock, file, queue, wake } = this.#deps;
    const settlement = await file.write((): Settlement => {
      const nowMs = clock.now();
      if (!queue.isLocked(this.#row, nowMs)) return 'lockLost';
      change(nowMs);
      return 'settled';
    }, durable);
    wake();
    return settlement;
  }
}
