/**
 * The store on PostgreSQL: one schema, for any number of control planes on any number of hosts.
 *
 * Ownership: whoever opens it closes it.
 *
 * I1 A commit and everything in it shares one transaction of the database.
 * I2 Times are the database's own, so hosts whose clocks differ agree on who holds a lease.
 * I3 When the database cannot be asked, the error says so, and the next call finds it again.
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
import { storeErrors } from '../errors.ts';
import { storeLimits } from '../limits.ts';
import { prepareCommit } from '../prepare-commit.ts';
import { runPgCommit } from './pg-commit.ts';
import { Conditions, clamp, createPgAuditTrail, createPgEventJournal, PgOutbox } from './pg-journals.ts';
import { PgLeases } from './pg-leases.ts';
import { PgPool, type PgRow } from './pg-pool.ts';

export interface PostgresqlStoreOptions {
  /** `postgresql://user:password@host:port/database`; never logged. */
  readonly connectionString: string;
  /** The schema of the store; made when it is not there. */
  readonly schema?: string;
  /** Connections at most. */
  readonly connections?: number;
  readonly quotas?: Quotas;
  /** Left out, I2. Tests give a clock of their own. */
  readonly clock?: Pick<Clock, 'now'>;
}

const databaseNow = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/** @throws PlatformError STORE_UNAVAILABLE, STORE_FILE_NEWER, STORE_INPUT_INVALID */
export async function openPostgresqlStore(options: PostgresqlStoreOptions): Promise<Store> {
  const { connectionString, schema = 'switchyard', connections = 10, quotas = {}, clock } = options;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw storeErrors.create('STORE_INPUT_INVALID', {
      reason: `the schema '${schema}' must have 1 to 63 lower case letters, digits and '_'`,
    });
  const pool = new PgPool({ connectionString, schema, connections });
  try {
    await pool.migrate();
  } catch (thrown) {
    await pool.close();
    throw thrown;
  }
  const now = clock === undefined ? () => databaseNow : () => `${Math.trunc(clock.now())}::bigint`;
  return new PgStore(pool, quotas, now);
}

class PgStore implements Store {
  readonly documents: Documents;
  readonly leases: Leases;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly events: EventJournal;
  readonly audit: AuditTrail;
  readonly #outbox: PgOutbox;
  readonly #pool: PgPool;
  readonly #quotas: Quotas;
  readonly #now: () => string;

  constructor(pool: PgPool, quotas: Quotas, now: () => string) {
    this.#pool = pool;
    this.#quotas = quotas;
    this.#now = now;
    this.documents = createDocuments(pool);
    this.leases = new PgLeases(pool, now);
    this.inbox = createInbox(pool);
    this.#outbox = new PgOutbox(pool, now);
    this.outbox = this.#outbox;
    this.events = createPgEventJournal(pool);
    this.audit = createPgAuditTrail(pool);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const prepared = prepareCommit(commit);
    const outcome = await this.#pool.transaction((runner) => runPgCommit(runner, prepared, this.#quotas, this.#now()));
    if (outcome.kind === 'committed' && prepared.events.length > 0) this.#outbox.announce();
    return outcome;
  }

  async sweep(policy: RetentionPolicy): Promise<SweepCounts> {
    return {
      documents: await this.#sweepStep('documents', 'kind, key', 'expires_at_ms', 0),
      inbox: await this.#sweepStep('inbox', 'subscription, event_id', 'at_ms', policy.inboxMs),
      events: await this.#sweepStep('events', 'sequence', 'sent_at_ms', policy.eventsMs),
      audit: await this.#sweepStep('audit', 'sequence', 'at_ms', policy.auditMs),
    };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** The names are constants of this file. */
  async #sweepStep(table: string, key: string, column: string, ageMs: number): Promise<number> {
    let removed = 0;
    for (;;) {
      const { rowCount } = await this.#pool.query(
        `DELETE FROM ${table} WHERE (${key}) IN
           (SELECT ${key} FROM ${table} WHERE ${column} <= ${this.#now()} - $1::bigint LIMIT ${storeLimits.sweepStep})`,
        [ageMs],
      );
      removed += rowCount ?? 0;
      if ((rowCount ?? 0) < storeLimits.sweepStep) return removed;
    }
  }
}

function createDocuments(pool: PgPool): Documents {
  return {
    async get<Value extends JsonValue>(kind: string, key: string) {
      const { rows } = await pool.query('SELECT * FROM documents WHERE kind = $1 AND key = $2', [kind, key]);
      return rows[0] === undefined ? undefined : toDocument<Value>(rows[0]);
    },
    async list<Value extends JsonValue>(kind: string, query: DocumentQuery = {}) {
      const found = rangeOf(kind, query);
      found.add('key >', query.after);
      const limit = clamp(query.limit ?? storeLimits.page);
      const sql = `SELECT * FROM documents ${found.where} ORDER BY key LIMIT ${limit}`;
      return (await pool.query(sql, found.values)).rows.map((row) => toDocument<Value>(row));
    },
    async count(kind, query = {}) {
      const found = rangeOf(kind, query);
      const { rows } = await pool.query(`SELECT count(*) AS value FROM documents ${found.where}`, found.values);
      return Number(rows[0]?.value ?? 0);
    },
  };
}

function rangeOf(kind: string, { tenantId, keyPrefix = '' }: DocumentQuery): Conditions {
  const found = new Conditions();
  found.add('kind =', kind);
  found.add('tenant_id =', tenantId);
  if (keyPrefix === '') return found;
  found.add('key >=', keyPrefix);
  // Keys sort by their bytes, and no character follows U+10FFFF.
  found.add('key <', `${keyPrefix}\u{10ffff}`);
  return found;
}

function createInbox(pool: PgPool): Inbox {
  return {
    async has(subscription, eventId) {
      const { rows } = await pool.query('SELECT 1 FROM inbox WHERE subscription = $1 AND event_id = $2', [
        subscription,
        eventId,
      ]);
      return rows.length > 0;
    },
    async forget(subscription, eventIds) {
      await pool.query('DELETE FROM inbox WHERE subscription = $1 AND event_id = ANY ($2::text[])', [
        subscription,
        eventIds,
      ]);
    },
  };
}

function toDocument<Value extends JsonValue>(row: PgRow): StoredDocument<Value> {
  return {
    kind: String(row.kind),
    key: String(row.key),
    tenantId: String(row.tenant_id),
    revision: Number(row.revision),
    value: JSON.parse(String(row.value)) as Value,
    createdAtMs: Number(row.created_at_ms),
    updatedAtMs: Number(row.updated_at_ms),
    ...(row.expires_at_ms === null ? {} : { expiresAtMs: Number(row.expires_at_ms) }),
  };
}
