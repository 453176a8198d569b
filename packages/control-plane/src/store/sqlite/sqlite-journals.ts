/** The outbox, the journal of events and the audit trail of the embedded store. */
import type { Clock } from '@switchyard/kernel';
import type { JsonValue } from '@switchyard/protocol';
import type { AuditEntry, AuditTrail, EventJournal, Outbox, OutboxRecord } from '../contract.ts';
import { storeLimits } from '../limits.ts';
import { readEnvelopeText } from '../read-envelope-text.ts';
import { integerOf, optionalIntegerOf, optionalTextOf, textOf } from './row.ts';
import type { SqliteFile, SqliteRow } from './sqlite-file.ts';

export class SqliteOutbox implements Outbox {
  readonly #file: SqliteFile;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #observers = new Set<() => void>();

  constructor(file: SqliteFile, clock: Pick<Clock, 'now'>) {
    this.#file = file;
    this.#clock = clock;
  }

  async pending(limit: number): Promise<readonly OutboxRecord[]> {
    const rows = this.#file.read(() =>
      this.#file.all('SELECT * FROM events WHERE sent_at_ms IS NULL ORDER BY sequence LIMIT ?', clamp(limit)),
    );
    return rows.map(toOutboxRecord);
  }

  async markSent(sequences: readonly number[]): Promise<void> {
    const nowMs = this.#clock.now();
    // A mark that the power takes away is an event sent twice, which the bus drops as a duplicate.
    await this.#file.write(() => {
      for (const sequence of sequences)
        this.#file.run('UPDATE events SET sent_at_ms = ? WHERE sequence = ? AND sent_at_ms IS NULL', nowMs, sequence);
    }, false);
  }

  watch(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  announce(): void {
    for (const observer of [...this.#observers]) observer();
  }
}

/** Each condition is passed over when its value is NULL. */
const eventCondition = `(?1 IS NULL OR tenant_id = ?1) AND (?2 IS NULL OR event_type = ?2)
  AND (?3 IS NULL OR environment_id = ?3) AND (?4 IS NULL OR correlation_id = ?4) AND (?5 IS NULL OR trace_id = ?5)
  AND (?6 IS NULL OR event_id = ?6) AND (?7 IS NULL OR sequence > ?7)`;

export function createEventJournal(file: SqliteFile): EventJournal {
  return {
    async list(query = {}) {
      const { tenantId, eventType, environmentId, correlationId, traceId, eventId, after } = query;
      const order = query.newestFirst === true ? 'DESC' : 'ASC';
      const rows = file.read(() =>
        file.all(
          `SELECT * FROM events WHERE ${eventCondition} ORDER BY sequence ${order} LIMIT ?8`,
          ...[tenantId, eventType, environmentId, correlationId, traceId, eventId, after].map((value) => value ?? null),
          clamp(query.limit ?? 100),
        ),
      );
      return rows.map(toOutboxRecord);
    },
  };
}

const auditCondition = `(?1 IS NULL OR tenant_id = ?1) AND (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR action = ?3)
  AND (?4 IS NULL OR target = ?4) AND (?5 IS NULL OR correlation_id = ?5) AND (?6 IS NULL OR sequence < ?6)`;

export function createAuditTrail(file: SqliteFile): AuditTrail {
  return {
    async list(query = {}) {
      const { tenantId, actor, action, target, correlationId, before } = query;
      const rows = file.read(() =>
        file.all(
          `SELECT * FROM audit WHERE ${auditCondition} ORDER BY sequence DESC LIMIT ?7`,
          ...[tenantId, actor, action, target, correlationId, before].map((value) => value ?? null),
          clamp(query.limit ?? 100),
        ),
      );
      return rows.map(toAuditEntry);
    },
  };
}

function clamp(limit: number): number {
  return Math.max(1, Math.min(limit, storeLimits.page));
}

function toOutboxRecord(row: SqliteRow): OutboxRecord {
  const orderingKey = optionalTextOf(row, 'ordering_key');
  const notBeforeMs = optionalIntegerOf(row, 'not_before_ms');
  const sentAtMs = optionalIntegerOf(row, 'sent_at_ms');
  return {
    sequence: integerOf(row, 'sequence'),
    topic: textOf(row, 'topic'),
    envelope: readEnvelopeText(textOf(row, 'envelope')),
    ...(orderingKey === undefined ? {} : { orderingKey }),
    ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
    committedAtMs: integerOf(row, 'committed_at_ms'),
    ...(sentAtMs === undefined ? {} : { sentAtMs }),
  };
}

function toAuditEntry(row: SqliteRow): AuditEntry {
  const correlationId = optionalTextOf(row, 'correlation_id');
  const traceId = optionalTextOf(row, 'trace_id');
  const eventId = optionalTextOf(row, 'event_id');
  const detail = optionalTextOf(row, 'detail');
  return {
    sequence: integerOf(row, 'sequence'),
    atMs: integerOf(row, 'at_ms'),
    actor: textOf(row, 'actor'),
    tenantId: textOf(row, 'tenant_id'),
    action: textOf(row, 'action'),
    target: textOf(row, 'target'),
    outcome: textOf(row, 'outcome') as AuditEntry['outcome'],
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(eventId === undefined ? {} : { eventId }),
    ...(detail === undefined ? {} : { detail: JSON.parse(detail) as JsonValue }),
  };
}
