/**
 * The embedded store: one SQLite file, for one host and any number of processes on it.
 *
 * Ownership: whoever opens it closes it.
 *
 * I1 A commit and everything in it shares one transaction of the file, and resolves when it is on the disk.
 * I2 What is read is what was committed, also by other processes.
 * I3 A sweep removes what outstayed its time in steps, and nothing else.
 */
import type { Clock } from '@switchyard/kernel';
import type { JsonValue } from '@switchyard/protocol';
import type {
  AuditTrail,
  Commit,
  CommitOutcome,
  DocumentQuery,
  Documents,
  EventJournal,
  Inbox,
  Leases,
  Outbox,
  Quotas,
  RetentionPolicy,
  Store,
  StoredDocument,
  SweepCounts,
} from '../contract.ts';
import { storeLimits } from '../limits.ts';
import { prepareCommit } from '../prepare-commit.ts';
import { integerOf, optionalIntegerOf, textOf } from './row.ts';
import { runCommit } from './sqlite-commit.ts';
import { openSqliteFile, type SqliteFile, type SqliteRow } from './sqlite-file.ts';
import { createAuditTrail, createEventJournal, SqliteOutbox } from './sqlite-journals.ts';
import { SqliteLeases } from './sqlite-leases.ts';
import { storeApplicationId, storeMigrations } from './tables.ts';

export interface SqliteStoreDeps {
  readonly clock: Pick<Clock, 'now'>;
}

export interface SqliteStoreOptions {
  /** The file, or `:memory:`. */
  readonly file: string;
  readonly quotas?: Quotas;
}

/** @throws PlatformError STORE_FILE_DAMAGED, STORE_FILE_NEWER, STORE_FILE_FOREIGN, STORE_UNAVAILABLE */
export function openSqliteStore(deps: SqliteStoreDeps, { file, quotas = {} }: SqliteStoreOptions): Store {
  const database = openSqliteFile({ file, applicationId: storeApplicationId, migrations: storeMigrations });
  return new SqliteStore(deps.clock, database, quotas);
}

class SqliteStore implements Store {
  readonly documents: Documents;
  readonly leases: Leases;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly events: EventJournal;
  readonly audit: AuditTrail;
  readonly #outbox: SqliteOutbox;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #file: SqliteFile;
  readonly #quotas: Quotas;

  constructor(clock: Pick<Clock, 'now'>, file: SqliteFile, quotas: Quotas) {
    this.#clock = clock;
    this.#file = file;
    this.#quotas = quotas;
    this.documents = createDocuments(file);
    this.leases = new SqliteLeases(file, clock);
    this.inbox = createInbox(file);
    this.#outbox = new SqliteOutbox(file, clock);
    this.outbox = this.#outbox;
    this.events = createEventJournal(file);
    this.audit = createAuditTrail(file);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const prepared = prepareCommit(commit);
    const outcome = await this.#file.write(() => runCommit(this.#file, prepared, this.#quotas, this.#clock.now()));
    if (outcome.kind === 'committed' && prepared.events.length > 0) this.#outbox.announce();
    return outcome;
  }

  async sweep(policy: RetentionPolicy): Promise<SweepCounts> {
    const nowMs = this.#clock.now();
    const documents = await this.#sweepStep(
      'DELETE FROM documents WHERE (kind, key) IN (SELECT kind, key FROM documents WHERE expires_at_ms <= ? LIMIT ?)',
      nowMs,
    );
    const inbox = await this.#sweepStep(
      `DELETE FROM inbox WHERE (subscription, event_id) IN
         (SELECT subscription, event_id FROM inbox WHERE at_ms <= ? LIMIT ?)`,
      nowMs - policy.inboxMs,
    );
    const events = await this.#sweepStep(
      'DELETE FROM events WHERE sequence IN (SELECT sequence FROM events WHERE sent_at_ms <= ? LIMIT ?)',
      nowMs - policy.eventsMs,
    );
    const audit = await this.#sweepStep(
      'DELETE FROM audit WHERE sequence IN (SELECT sequence FROM audit WHERE at_ms <= ? LIMIT ?)',
      nowMs - policy.auditMs,
    );
    return { documents, inbox, events, audit };
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  async #sweepStep(sql: string, beforeMs: number): Promise<number> {
    let removed = 0;
    for (;;) {
      const step = await this.#file.write(() => this.#file.run(sql, beforeMs, storeLimits.sweepStep), false);
      removed += step;
      if (step < storeLimits.sweepStep) return removed;
    }
  }
}

/** `?1` kind, `?2` tenant, `?3` and `?4` the range of the keys. */
const listed = `kind = ?1 AND (?2 IS NULL OR tenant_id = ?2) AND key >= ?3 AND (?4 IS NULL OR key < ?4)`;

function createDocuments(file: SqliteFile): Documents {
  return {
    async get<Value extends JsonValue>(kind: string, key: string) {
      const row = file.read(() => file.get('SELECT * FROM documents WHERE kind = ? AND key = ?', kind, key));
      return row === undefined ? undefined : toDocument<Value>(row);
    },
    async list<Value extends JsonValue>(kind: string, query: DocumentQuery = {}) {
      const limit = Math.max(1, Math.min(query.limit ?? storeLimits.page, storeLimits.page));
      const rows = file.read(() =>
        file.all(
          `SELECT * FROM documents WHERE ${listed} AND key > ?5 ORDER BY key LIMIT ?6`,
          ...[...rangeOf(kind, query), query.after ?? '', limit],
        ),
      );
      return rows.map((row) => toDocument<Value>(row));
    },
    async count(kind, query = {}) {
      const row = file.read(() =>
        file.get(`SELECT count(*) AS value FROM documents WHERE ${listed}`, ...rangeOf(kind, query)),
      );
      return row === undefined ? 0 : integerOf(row, 'value');
    },
  };
}

function rangeOf(kind: string, { tenantId, keyPrefix = '' }: DocumentQuery): readonly (string | null)[] {
  // SQLite compares texts by their UTF-8 bytes; no character follows U+10FFFF.
  return [kind, tenantId ?? null, keyPrefix, keyPrefix === '' ? null : `${keyPrefix}\u{10ffff}`];
}

function createInbox(file: SqliteFile): Inbox {
  return {
    async has(subscription, eventId) {
      const row = file.read(() =>
        file.get('SELECT 1 AS one FROM inbox WHERE subscription = ? AND event_id = ?', subscription, eventId),
      );
      return row !== undefined;
    },
    async forget(subscription, eventIds) {
      await file.write(() => {
        for (const eventId of eventIds)
          file.run('DELETE FROM inbox WHERE subscription = ? AND event_id = ?', subscription, eventId);
      });
    },
  };
}

function toDocument<Value extends JsonValue>(row: SqliteRow): StoredDocument<Value> {
  const expiresAtMs = optionalIntegerOf(row, 'expires_at_ms');
  return {
    kind: textOf(row, 'kind'),
    key: textOf(row, 'key'),
    tenantId: textOf(row, 'tenant_id'),
    revision: integerOf(row, 'revision'),
    value: JSON.parse(textOf(row, 'value')) as Value,
    createdAtMs: integerOf(row, 'created_at_ms'),
    updatedAtMs: integerOf(row, 'updated_at_ms'),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  };
}
