/**
 * The catalog's file: SQLite in WAL mode, brought to the present tables when it is opened.
 *
 * Ownership: the catalog opens it, uses it from one thread, and closes it.
 *
 * I1 A transaction that throws leaves nothing behind, and one inside another is part of it.
 * I2 A file that is no catalog, or a newer one, is refused and left as it was.
 * I3 Each migration runs once, and a file whose migration failed is as it was before.
 * I4 A transaction that the machine does not let happen, such as on a full disk, is CATALOG_UNAVAILABLE.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type Clock, enterWalMode, isPlatformError, messageOf } from '@switchyard/kernel';
import { controlErrors } from '../errors.ts';
import { lockTimeoutMs } from './limits.ts';
import { migrations as allMigrations, type Migration } from './migrations.ts';
import { integerOf, type Row } from './row.ts';

export class CatalogDatabase {
  readonly #file: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();
  #inTransaction = false;

  constructor(file: DatabaseSync, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** The first row, or undefined. */
  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values);
  }

  /** Answers with the number of rows that changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** Runs several statements that answer nothing. */
  execute(sql: string): void {
    this.#file.exec(sql);
  }

  /** All or nothing. Takes the lock for writing at once, so what is read inside stays true until the end. */
  transaction<Value>(work: () => Value): Value {
    if (this.#inTransaction) return work();
    try {
      this.#file.exec('BEGIN IMMEDIATE');
      this.#inTransaction = true;
      const value = work();
      this.#file.exec('COMMIT');
      return value;
    } catch (thrown) {
      if (this.#file.isTransaction) this.#file.exec('ROLLBACK');
      if (!isOfTheMachine(thrown)) throw thrown;
      throw controlErrors.create('CATALOG_UNAVAILABLE', { file: this.#path, reason: messageOf(thrown) }, thrown);
    } finally {
      this.#inTransaction = false;
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#file.isOpen) this.#file.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#file.prepare(sql);
    // The texts are constants of this folder, so there are only ever so many.
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * Opens the file, or makes it, readable by its owner alone.
 * @throws PlatformError CATALOG_UNREADABLE, CATALOG_NEWER
 */
export function openCatalogDatabase(
  deps: { readonly clock: Pick<Clock, 'now'> },
  file: string,
  migrations: readonly Migration[] = allMigrations,
): CatalogDatabase {
  let raw: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    raw = new DatabaseSync(file, { timeout: lockTimeoutMs, enableForeignKeyConstraints: true });
    const database = new CatalogDatabase(raw, file);
    const found = formatOf(database);
    const known = migrations.at(-1)?.version ?? 0;
    if (found > known) throw controlErrors.create('CATALOG_NEWER', { file, found, known });
    enterWalMode(raw, lockTimeoutMs);
    database.execute('PRAGMA synchronous = FULL');
    migrate(database, migrations, deps.clock.now());
    return database;
  } catch (thrown) {
    raw?.close();
    if (isPlatformError(thrown) && thrown.code === 'CATALOG_NEWER') throw thrown;
    const reason = messageOf(isPlatformError(thrown) ? thrown.cause : thrown);
    throw controlErrors.create('CATALOG_UNREADABLE', { file, reason }, thrown);
  }
}

/** Primary result codes of SQLite (sqlite.org/rescode.html): BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL and CANTOPEN. */
const machineCodes: ReadonlySet<number> = new Set([5, 6, 7, 8, 10, 13, 14]);

function isOfTheMachine(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && machineCodes.has(Number(thrown.errcode) & 0xff);
}

/** The last migration that the file has seen; 0 for an empty file. */
function formatOf(database: CatalogDatabase): number {
  const tables = database.all("SELECT name FROM sqlite_schema WHERE type = 'table'");
  if (tables.length === 0) return 0;
  if (!tables.some(({ name }) => name === 'migrations')) throw new Error('it holds tables of something else');
  const row = database.get('SELECT COALESCE(MAX(version), 0) AS format FROM migrations');
  return row === undefined ? 0 : integerOf(row, 'format');
}

function migrate(database: CatalogDatabase, migrations: readonly Migration[], nowMs: number): void {
  database.transaction(() => {
    database.execute(
      'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL) STRICT',
    );
    const format = formatOf(database);
    for (const { version, sql } of migrations) {
      if (version <= format) continue;
      database.execute(sql);
      database.run('INSERT INTO migrations (version, applied_at_ms) VALUES (?, ?)', version, nowMs);
    }
  });
}
