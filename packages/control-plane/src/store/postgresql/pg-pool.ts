/**
 * Connections to one PostgreSQL and the schema of one store in it.
 *
 * Ownership: the store opens it and closes it.
 */
import { isPlatformError, messageOf, type PlatformError } from '@switchyard/kernel';
import pg from 'pg';
import { storeErrors } from '../errors.ts';
import { type PostgresqlMigration, postgresqlMigrations } from './tables.ts';

export interface PgPoolOptions {
  /** `postgresql://user:password@host:port/database`; never logged. */
  readonly connectionString: string;
  /** The schema of the store; made when it is not there. */
  readonly schema: string;
  /** Connections at most. */
  readonly connections: number;
}

/** A row as the driver gives it: numbers of 64 bits are texts. */
export type PgRow = Readonly<Record<string, unknown>>;

/** What runs statements: the pool, or one connection in a transaction. */
export interface PgRunner {
  query(
    sql: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: PgRow[]; readonly rowCount: number | null }>;
}

/** How long a connection may take, and a statement. */
const connectTimeoutMs = 10_000;
const statementTimeoutMs = 30_000;

/** Serialization failure and deadlock: the transaction did nothing and may run again. */
const repeatable: ReadonlySet<string> = new Set(['40001', '40P01']);
const repetitions = 5;

export class PgPool implements PgRunner {
  readonly #pool: pg.Pool;
  readonly #schema: string;
  #isOpen = true;

  constructor({ connectionString, schema, connections }: PgPoolOptions) {
    this.#schema = schema;
    this.#pool = new pg.Pool({
      connectionString,
      max: connections,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      // Idle connections keep no process alive.
      allowExitOnIdle: true,
      options: `-c search_path=${schema}`,
    });
    // A connection that breaks while it is idle is replaced; whoever asks next learns whether that worked.
    this.#pool.on('error', () => {});
  }

  async query(sql: string, values: readonly unknown[] = []): Promise<{ rows: PgRow[]; rowCount: number | null }> {
    this.#assertOpen();
    try {
      return await this.#pool.query<PgRow>(sql, [...values]);
    } catch (thrown) {
      throw toPgError(thrown);
    }
  }

  /** All or nothing; a transaction that lost against another runs again. */
  async transaction<Value>(work: (runner: PgRunner) => Promise<Value>): Promise<Value> {
    for (let round = 1; ; round += 1) {
      try {
        return await this.#once(work);
      } catch (thrown) {
        const code = thrown instanceof pg.DatabaseError ? thrown.code : undefined;
        if (round >= repetitions || code === undefined || !repeatable.has(code)) throw toPgError(thrown);
      }
    }
  }

  async migrate(migrations: readonly PostgresqlMigration[] = postgresqlMigrations): Promise<void> {
    await this.transaction(async (runner) => {
      // Several control planes may start at once.
      await runner.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `switchyard-migrate/${this.#schema}`,
      ]);
      await runner.query(`CREATE SCHEMA IF NOT EXISTS ${this.#schema}`);
      await runner.query('CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY)');
      const { rows } = await runner.query('SELECT COALESCE(MAX(version), 0) AS format FROM migrations');
      const found = Number(rows[0]?.format ?? 0);
      const known = migrations.at(-1)?.version ?? 0;
      if (found > known) throw storeErrors.create('STORE_FILE_NEWER', { file: `schema ${this.#schema}`, found, known });
      for (const { version, sql } of migrations) {
        if (version <= found) continue;
        await runner.query(sql);
        await runner.query('INSERT INTO migrations (version) VALUES ($1)', [version]);
      }
    });
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#pool.end();
  }

  async #once<Value>(work: (runner: PgRunner) => Promise<Value>): Promise<Value> {
    this.#assertOpen();
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const value = await work({ query: (sql, values = []) => client.query<PgRow>(sql, [...values]) });
      await client.query('COMMIT');
      return value;
    } catch (thrown) {
      // A connection that cannot even take back what it began is of no more use.
      await client.query('ROLLBACK').catch((again: Error) => {
        broken = again;
      });
      throw thrown;
    } finally {
      client.release(broken);
    }
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw storeErrors.create('STORE_CLOSED');
  }
}

/** The message of the driver names no password. */
function toPgError(thrown: unknown): PlatformError {
  if (isPlatformError(thrown)) return thrown;
  return storeErrors.create('STORE_UNAVAILABLE', { where: 'PostgreSQL', reason: messageOf(thrown) }, thrown);
}
