/**
 * The store in a schema of PostgreSQL, for controllers on several hosts.
 *
 * Ownership: the composition root opens and closes it.
 *
 * I1 A write happens only at the expected revision, and of two that expect the same one wins, whatever host they are on.
 * I2 Revisions grow over the whole store and are never used again: they come from a sequence of the database.
 * I3 What was written is there after a restart.
 * I4 When the database cannot be asked, the error says so and names no password, and the next call finds it again.
 */
import { messageOf } from '@switchyard/kernel';
import pg from 'pg';
import { scaleErrors } from '../../errors.ts';
import type { DocumentKind, ScaleDocument, ScaleStore, WriteOutcome } from '../contract.ts';
import { toDocumentText } from '../document-text.ts';

export interface PostgresqlScaleStoreOptions {
  /** `postgresql://user:password@host:port/database`; never logged. */
  readonly connectionString: string;
  /** The schema of the store, one for each installation; made when it is not there. */
  readonly schema?: string;
}

type Row = Readonly<Record<string, unknown>>;

/** How long a connection may take, and a statement. */
const connectTimeoutMs = 10_000;
const statementTimeoutMs = 10_000;

const maxConnections = 4;

/** The format of the tables; a store of a later one is not touched. */
const format = 1;

/** Keys sort by their bytes, as in every other store. */
const tables = `
  CREATE TABLE IF NOT EXISTS format (id integer PRIMARY KEY CHECK (id = 1), version integer NOT NULL);
  INSERT INTO format (id, version) VALUES (1, ${format}) ON CONFLICT DO NOTHING;
  CREATE SEQUENCE IF NOT EXISTS revisions;
  CREATE TABLE IF NOT EXISTS documents (
    kind text NOT NULL, key text COLLATE "C" NOT NULL, revision bigint NOT NULL, body text NOT NULL, PRIMARY KEY (kind, key)
  );
`;

/**
 * Connects, and makes what is missing.
 * @throws PlatformError SCALE_DATABASE_UNAVAILABLE
 */
export async function openPostgresqlScaleStore({
  connectionString,
  schema = 'switchyard_scale',
}: PostgresqlScaleStoreOptions): Promise<ScaleStore> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    const reason = `the schema '${schema}' must have 1 to 63 lower case letters, digits and '_'`;
    throw scaleErrors.create('SCALE_DATABASE_UNAVAILABLE', { reason });
  }
  const store = new PostgresqlScaleStore(connectionString, schema);
  try {
    await store.prepare();
    return store;
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

class PostgresqlScaleStore implements ScaleStore {
  readonly #pool: pg.Pool;
  readonly #schema: string;
  #isOpen = true;

  constructor(connectionString: string, schema: string) {
    this.#schema = schema;
    this.#pool = new pg.Pool({
      connectionString,
      max: maxConnections,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      // Idle connections keep no process alive.
      allowExitOnIdle: true,
      options: `-c search_path=${schema}`,
    });
    // A connection that breaks while it is idle is replaced; whoever asks next learns whether that worked.
    this.#pool.on('error', () => {});
  }

  /** Several controllers may start at once. */
  async prepare(): Promise<void> {
    const lock = `SELECT pg_advisory_xact_lock(hashtextextended('switchyard-scale/${this.#schema}', 0))`;
    const schema = `CREATE SCHEMA IF NOT EXISTS ${this.#schema}`;
    // Statements in one text are one transaction.
    await this.#query([lock, schema, tables].join(';\n'));
    const [row] = await this.#query('SELECT version FROM format');
    const found = Number(row?.version);
    if (found === format) return;
    const reason = `the store is of format ${found}, and this controller knows ${format}`;
    throw scaleErrors.create('SCALE_DATABASE_UNAVAILABLE', { reason });
  }

  async read(kind: DocumentKind, key: string): Promise<ScaleDocument | undefined> {
    const [row] = await this.#query('SELECT * FROM documents WHERE kind = $1 AND key = $2', [kind, key]);
    return row === undefined ? undefined : toDocument(row);
  }

  async list(kind: DocumentKind): Promise<readonly ScaleDocument[]> {
    const rows = await this.#query('SELECT * FROM documents WHERE kind = $1 ORDER BY key', [kind]);
    return rows.map(toDocument);
  }

  async write(kind: DocumentKind, key: string, body: unknown, expected: number): Promise<WriteOutcome> {
    const text = toDocumentText(kind, key, body);
    const [row] =
      expected === 0
        ? await this.#query(
            `INSERT INTO documents (kind, key, revision, body) VALUES ($1, $2, nextval('revisions'), $3)
             ON CONFLICT DO NOTHING RETURNING revision`,
            [kind, key, text],
          )
        : await this.#query(
            `UPDATE documents SET revision = nextval('revisions'), body = $3
             WHERE kind = $1 AND key = $2 AND revision = $4 RETURNING revision`,
            [kind, key, text, expected],
          );
    if (row !== undefined) return { kind: 'written', revision: Number(row.revision) };
    return { kind: 'conflict', present: await this.read(kind, key) };
  }

  async remove(kind: DocumentKind, key: string, expected: number): Promise<boolean> {
    const sql = 'DELETE FROM documents WHERE kind = $1 AND key = $2 AND revision = $3 RETURNING revision';
    return (await this.#query(sql, [kind, key, expected])).length > 0;
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#pool.end();
  }

  async #query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return (await this.#pool.query<Row>(sql, values && [...values])).rows;
    } catch (thrown) {
      // The message of the driver names no password.
      throw scaleErrors.create('SCALE_DATABASE_UNAVAILABLE', { reason: messageOf(thrown) }, thrown);
    }
  }
}

function toDocument(row: Row): ScaleDocument {
  return { key: String(row.key), revision: Number(row.revision), body: JSON.parse(String(row.body)) };
}
