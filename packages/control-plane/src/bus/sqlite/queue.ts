/**
 * The rows of the queue: what is put in, locked, given back and taken out. Everything here runs inside a batch of the
 * file, so what it reads stays true until it is written.
 *
 * I1 A row is locked by at most one lock, which its position and number of attempts name.
 * I2 Of the rows of one group only the first can be locked.
 * I3 A row leaves the queue by its settlement or as a dead letter, never otherwise.
 */
import { decodeEventEnvelope, type EventEnvelope } from '@switchyard/protocol';
import { integerOf, optionalTextOf, textOf } from '../../store/sqlite/row.ts';
import type { SqliteFile, SqliteRow } from '../../store/sqlite/sqlite-file.ts';
import type { FailedDelivery, FailureNote, Subscription } from '../contract.ts';
import { appendFailure, busReasons, clipNote, parseHistory } from '../failure-history.ts';

/** A subscription with the number of its rows. */
export interface QueueOwner {
  readonly subscriptionId: number;
  readonly spec: Subscription;
}

/** A row that is locked. */
export interface LockedRow {
  readonly position: number;
  readonly attempts: number;
  readonly lockedUntilMs: number;
  readonly envelope: string;
  readonly orderingKey: string | undefined;
  readonly replayOf: string | undefined;
}

/** What to put in. */
export interface NewRow {
  readonly envelope: string;
  readonly orderingKey: string | undefined;
  readonly dueMs: number;
  readonly replayOf?: string;
}

/** What a dead letter is found by. */
type DeadLetterNames = Pick<EventEnvelope, 'eventId' | 'eventType' | 'tenantId' | 'correlationId'>;

const ready = 'subscription_id = ? AND locked_until_ms IS NULL AND is_head = 1';

export class Queue {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  insert({ subscriptionId, spec }: QueueOwner, { envelope, orderingKey, dueMs, replayOf }: NewRow): void {
    const groupKey = spec.ordered && orderingKey !== undefined ? orderingKey : null;
    const isHead = groupKey === null || this.#firstOf(subscriptionId, groupKey) === undefined ? 1 : 0;
    this.#file.run(
      `INSERT INTO queue (subscription_id, envelope, ordering_key, group_key, is_head, due_ms, attempts, replay_of)
       VALUES (?, ?, ?, ?, ?, ?, 0, ?)`,
      ...[subscriptionId, envelope, orderingKey ?? null, groupKey, isHead, dueMs, replayOf ?? null],
    );
  }

  /** Locks what is ready, oldest first. */
  lock({ subscriptionId, spec }: QueueOwner, max: number, nowMs: number): readonly LockedRow[] {
    const rows = this.#file.all(
      `SELECT position, attempts, envelope, ordering_key, replay_of FROM queue
       WHERE ${ready} AND due_ms <= ? ORDER BY due_ms, position LIMIT ?`,
      ...[subscriptionId, nowMs, max],
    );
    const lockedUntilMs = nowMs + spec.lockMs;
    return rows.map((row) => {
      const position = integerOf(row, 'position');
      this.#file.run(
        'UPDATE queue SET locked_until_ms = ?, attempts = attempts + 1 WHERE position = ?',
        ...[lockedUntilMs, position],
      );
      return {
        position,
        attempts: integerOf(row, 'attempts') + 1,
        lockedUntilMs,
        envelope: textOf(row, 'envelope'),
        orderingKey: optionalTextOf(row, 'ordering_key'),
        replayOf: optionalTextOf(row, 'replay_of'),
      };
    });
  }

  /** When the next row will be ready or its lock will end, or undefined when the queue is empty. */
  nextDueMs({ subscriptionId }: QueueOwner): number | undefined {
    const row = this.#file.get(
      `SELECT MIN(
         COALESCE((SELECT due_ms FROM queue WHERE ${ready} ORDER BY due_ms, position LIMIT 1), ${never}),
         COALESCE((SELECT MIN(locked_until_ms) FROM queue
                   WHERE subscription_id = ? AND locked_until_ms IS NOT NULL), ${never})) AS due`,
      ...[subscriptionId, subscriptionId],
    );
    const dueMs = row === undefined ? never : integerOf(row, 'due');
    return dueMs === never ? undefined : dueMs;
  }

  /** Gives back what its locks lost; what was delivered often enough becomes a dead letter. */
  reclaim(owner: QueueOwner, nowMs: number): void {
    const rows = this.#file.all(
      `SELECT position, attempts FROM queue
       WHERE subscription_id = ? AND locked_until_ms IS NOT NULL AND locked_until_ms <= ? LIMIT 1000`,
      ...[owner.subscriptionId, nowMs],
    );
    for (const row of rows) {
      const position = integerOf(row, 'position');
      const attempts = integerOf(row, 'attempts');
      const description = `The lock of delivery ${attempts} ended after ${owner.spec.lockMs} ms without a settlement.`;
      const note = { reason: busReasons.lockExpired, description };
      if (attempts >= owner.spec.maxDeliveries) this.bury(owner, position, note, nowMs);
      else this.giveBack(position, nowMs, { ...note, deliveryCount: attempts, atMs: nowMs, outcome: 'lockExpired' });
    }
  }

  /** True when the row is still under this lock. */
  isLocked({ position, attempts }: Pick<LockedRow, 'position' | 'attempts'>, nowMs: number): boolean {
    const row = this.#file.get(
      'SELECT 1 AS one FROM queue WHERE position = ? AND attempts = ? AND locked_until_ms > ?',
      ...[position, attempts, nowMs],
    );
    return row !== undefined;
  }

  renew({ position }: Pick<LockedRow, 'position'>, lockedUntilMs: number): void {
    this.#file.run('UPDATE queue SET locked_until_ms = ? WHERE position = ?', lockedUntilMs, position);
  }

  /** Takes a settled row out, and lets the next of its group go on. */
  remove(position: number): void {
    const row = this.#file.get('DELETE FROM queue WHERE position = ? RETURNING subscription_id, group_key', position);
    const groupKey = row === undefined ? undefined : optionalTextOf(row, 'group_key');
    if (row === undefined || groupKey === undefined) return;
    const next = this.#firstOf(integerOf(row, 'subscription_id'), groupKey);
    if (next !== undefined) this.#file.run('UPDATE queue SET is_head = 1 WHERE position = ?', next);
  }

  /** Ends the lock; the row is ready from `dueMs` on. */
  giveBack(position: number, dueMs: number, failure: FailedDelivery): void {
    const history = JSON.stringify(appendFailure(this.#historyOf(position), failure));
    this.#file.run(
      'UPDATE queue SET locked_until_ms = NULL, due_ms = ?, history = ? WHERE position = ?',
      ...[dueMs, history, position],
    );
  }

  /** Makes the row a dead letter. */
  bury({ subscriptionId }: QueueOwner, position: number, note: FailureNote, nowMs: number): void {
    const row = this.#file.get(
      'SELECT envelope, ordering_key, attempts, history FROM queue WHERE position = ?',
      position,
    );
    if (row === undefined) return;
    this.#insertDeadLetter(subscriptionId, row, clipNote(note), nowMs, namesOf(textOf(row, 'envelope')));
    this.remove(position);
  }

  #insertDeadLetter(
    subscriptionId: number,
    row: SqliteRow,
    note: FailureNote,
    atMs: number,
    names: DeadLetterNames,
  ): void {
    const attempts = integerOf(row, 'attempts');
    const failure: FailedDelivery = { ...note, deliveryCount: attempts, atMs, outcome: 'deadLettered' };
    const history = appendFailure(parseHistory(optionalTextOf(row, 'history')), failure);
    this.#file.run(
      `INSERT INTO dead_letters (subscription_id, event_id, event_type, tenant_id, correlation_id, envelope,
         ordering_key, reason, description, attempts, history, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[subscriptionId, names.eventId, names.eventType, names.tenantId, names.correlationId],
      ...[textOf(row, 'envelope'), optionalTextOf(row, 'ordering_key') ?? null, note.reason, note.description],
      ...[attempts, JSON.stringify(history), atMs],
    );
  }

  #historyOf(position: number): readonly FailedDelivery[] {
    const row = this.#file.get('SELECT history FROM queue WHERE position = ?', position);
    return row === undefined ? [] : parseHistory(optionalTextOf(row, 'history'));
  }

  #firstOf(subscriptionId: number, groupKey: string): number | undefined {
    const row = this.#file.get(
      `SELECT position FROM queue WHERE subscription_id = ? AND group_key = ? ORDER BY position LIMIT 1`,
      ...[subscriptionId, groupKey],
    );
    return row === undefined ? undefined : integerOf(row, 'position');
  }
}

/** What came from outside and is no envelope has no names. */
function namesOf(text: string): DeadLetterNames {
  const parsing = decodeEventEnvelope(text);
  if (parsing.kind === 'envelope') return parsing.envelope;
  return { eventId: '', eventType: '', tenantId: '', correlationId: '' };
}

/** A time that never comes and that SQLite and JavaScript both hold exactly. */
const never = Number.MAX_SAFE_INTEGER;
