/** The outbox, the journal of events and the audit trail on PostgreSQL. */
import type { JsonValue } from '@switchyard/protocol';
import type { AuditEntry, AuditTrail, EventJournal, Outbox, OutboxRecord } from '../contract.ts';
import { storeLimits } from '../limits.ts';
import { readEnvelopeText } from '../read-envelope-text.ts';
import type { PgPool, PgRow } from './pg-pool.ts';

export class PgOutbox implements Outbox {
  readonly #pool: PgPool;
  readonly #now: () => string;
  readonly #observers = new Set<() => void>();

  constructor(pool: PgPool, now: () => string) {
    this.#pool = pool;
    this.#now = now;
  }

  async pending(limit: number): Promise<readonly OutboxRecord[]> {
    const { rows } = await this.#pool.query(
      'SELECT * FROM events WHERE sent_at_ms IS NULL ORDER BY sequence LIMIT $1',
      [clamp(limit)],
    );
    return rows.map(toOutboxRecord);
  }

  async markSent(sequences: readonly number[]): Promise<void> {
    if (sequences.length === 0) return;
    await this.#pool.query(
      `UPDATE events SET sent_at_ms = ${this.#now()} WHERE sequence = ANY ($1::bigint[]) AND sent_at_ms IS NULL`,
      [sequences],
    );
  }

  watch(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  announce(): void {
    for (const observer of [...this.#observers]) observer();
  }
}

export function createPgEventJournal(pool: PgPool): EventJournal {
  return {
    async list(query = {}) {
      const { tenantId, eventType, environmentId, correlationId, traceId, eventId, after } = query;
      const found = new Conditions();
      found.add('tenant_id =', tenantId);
      found.add('event_type =', eventType);
      found.add('environment_id =', environmentId);
      found.add('correlation_id =', correlationId);
      found.add('trace_id =', traceId);
      found.add('event_id =', eventId);
      found.add('sequence >', after);
      const order = query.newestFirst === true ? 'DESC' : 'ASC';
      const sql = `SELECT * FROM events ${found.where} ORDER BY sequence ${order} LIMIT ${clamp(query.limit ?? 100)}`;
      return (await pool.query(sql, found.values)).rows.map(toOutboxRecord);
    },
  };
}

export function createPgAuditTrail(pool: PgPool): AuditTrail {
  return {
    async list(query = {}) {
      const { tenantId, actor, action, target, correlationId, before } = query;
      const found = new Conditions();
      found.add('tenant_id =', tenantId);
      found.add('actor =', actor);
      found.add('action =', action);
      found.add('target =', target);
      found.add('correlation_id =', correlationId);
      found.add('sequence <', before);
      const sql = `SELECT * FROM audit ${found.where} ORDER BY sequence DESC LIMIT ${clamp(query.limit ?? 100)}`;
      return (await pool.query(sql, found.values)).rows.map(toAuditEntry);
    },
  };
}

/** The conditions that a query has, with their values. */
export class Conditions {
  readonly values: unknown[] = [];
  readonly #texts: string[] = [];

  /** @param text a column and an operator, a constant of the adapter */
  add(text: string, value: unknown): void {
    if (value === undefined) return;
    this.values.push(value);
    this.#texts.push(`${text} $${this.values.length}`);
  }

  get where(): string {
    return this.#texts.length === 0 ? '' : `WHERE ${this.#texts.join(' AND ')}`;
  }
}

/** A whole number within the limits of an answer. */
export function clamp(limit: number): number {
  return Math.max(1, Math.min(Math.trunc(limit), storeLimits.page));
}

function toOutboxRecord(row: PgRow): OutboxRecord {
  return {
    sequence: Number(row.sequence),
    topic: String(row.topic),
    envelope: readEnvelopeText(String(row.envelope)),
    ...(row.ordering_key === null ? {} : { orderingKey: String(row.ordering_key) }),
    ...(row.not_before_ms === null ? {} : { notBeforeMs: Number(row.not_before_ms) }),
    committedAtMs: Number(row.committed_at_ms),
    ...(row.sent_at_ms === null ? {} : { sentAtMs: Number(row.sent_at_ms) }),
  };
}

function toAuditEntry(row: PgRow): AuditEntry {
  return {
    sequence: Number(row.sequence),
    atMs: Number(row.at_ms),
    actor: String(row.actor),
    tenantId: String(row.tenant_id),
    action: String(row.action),
    target: String(row.target),
    outcome: String(row.outcome) as AuditEntry['outcome'],
    ...(row.correlation_id === null ? {} : { correlationId: String(row.correlation_id) }),
    ...(row.trace_id === null ? {} : { traceId: String(row.trace_id) }),
    ...(row.event_id === null ? {} : { eventId: String(row.event_id) }),
    ...(row.detail === null ? {} : { detail: JSON.parse(String(row.detail)) as JsonValue }),
  };
}
