/**
 * One embedded database file: SQLite in WAL mode, checked and brought to its present tables when it is opened, and
 * written in batches: all work of one turn of the event loop shares one transaction and so one wait for the disk.
 *
 * Ownership: the store or the bus that opened it uses it from one thread and closes it. Other processes may have the
 * same file open; SQLite's own lock decides who writes.
 *
 * I1 Work of one batch is written whole or not at all; a batch that fails rejects everything in it.
 * I2 A promise of durable work resolves only when its batch reached the disk.
 * I3 A file that is shorter than it says, no database, of something else or of a newer Switchyard is refused with an
 *    error that says so, and left as it was.
 * I4 Each migration runs once, and a file whose migration failed is as it was before.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { createDeferred, type Deferred, isPlatformError, messageOf, type PlatformError } from '@switchyard/kernel';
import { storeErrors } from '../errors.ts';

/** A step towards the present tables. A step that was ever released is never changed. */
export interface SqliteMigration {
  /** 1, 2, 3, ... */
  readonly version: number;
  readonly sql: string;
}

export interface SqliteFileOptions {
  readonly file: string;
  /** Tells this kind of file from others: the `application_id` of its header. */
  readonly applicationId: number;
  readonly migrations: readonly SqliteMigration[];
}

/** A row as node:sqlite gives it. */
export type SqliteRow = Readonly<Record<string, null | number | bigint | string | Uint8Array>>;

/** How long a write waits for another process that writes. */
const lockTimeoutMs = 5_000;

/** The most work that one transaction takes, so that no batch holds the file for long. */
const batchLimit = 2_000;

/** Files up to this size are read through when they are opened; larger ones only have their length checked. */
const fullCheckBytes = 32 * 1024 * 1024;

interface PendingWork {
  readonly work: () => unknown;
  readonly durable: boolean;
  readonly result: Deferred<unknown>;
}

export class SqliteFile {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #statements = new Map<string, StatementSync>();
  #pending: PendingWork[] = [];
  #synchronous: 'FULL' | 'NORMAL' = 'FULL';

  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
  }

  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  /** The first row, or undefined. */
  get(sql: string, ...values: readonly SQLInputValue[]): SqliteRow | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly SqliteRow[] {
    return this.#prepare(sql).all(...values);
  }

  /** Answers with the number of rows that changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** Reads at once, outside of any batch. @throws PlatformError as `write` */
  read<Value>(work: () => Value): Value {
    this.#assertOpen();
    try {
      return work();
    } catch (thrown) {
      throw this.#toError(thrown);
    }
  }

  /**
   * Runs `work` with the next batch; what it reads stays true until it is written. It must not throw once it wrote
   * something: then its whole batch fails.
   * @param durable false for what may be lost when the power goes, such as a lock
   * @throws PlatformError STORE_FILE_DAMAGED, STORE_UNAVAILABLE, STORE_CLOSED
   */
  write<Value>(work: () => Value, durable = true): Promise<Value> {
    if (!this.isOpen) return Promise.reject(storeErrors.create('STORE_CLOSED'));
    const result = createDeferred<unknown>();
    if (this.#pending.length === 0) setImmediate(() => this.#flush());
    this.#pending.push({ work, durable, result });
    return result.promise as Promise<Value>;
  }

  /** Writes what is pending and closes the file; what is asked for later is refused. */
  close(): void {
    if (!this.isOpen) return;
    this.#flush();
    this.#statements.clear();
    this.#database.close();
  }

  #flush(): void {
    while (this.#pending.length > 0 && this.isOpen) {
      const batch = this.#pending.slice(0, batchLimit);
      this.#pending = this.#pending.slice(batchLimit);
      this.#runBatch(batch);
    }
  }

  #runBatch(batch: readonly PendingWork[]): void {
    const values: unknown[] = [];
    try {
      this.#setSynchronous(batch.some(({ durable }) => durable) ? 'FULL' : 'NORMAL');
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { work } of batch) values.push(work());
      this.#database.exec('COMMIT');
    } catch (thrown) {
      const error = this.#toError(this.#rolledBack(thrown));
      for (const { result } of batch) result.reject(error);
      return;
    }
    batch.forEach(({ result }, index) => {
      result.resolve(values[index]);
    });
  }

  #rolledBack(thrown: unknown): unknown {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      return thrown;
    } catch (again) {
      return again;
    }
  }

  #setSynchronous(mode: 'FULL' | 'NORMAL'): void {
    if (this.#synchronous === mode) return;
    this.#database.exec(`PRAGMA synchronous = ${mode}`);
    this.#synchronous = mode;
  }

  #assertOpen(): void {
    if (!this.isOpen) throw storeErrors.create('STORE_CLOSED');
  }

  #toError(thrown: unknown): PlatformError {
    return isPlatformError(thrown) ? thrown : toSqliteError(this.#file, thrown);
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    // The texts are constants of the adapters, so there are only ever so many.
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * Opens the file, or makes it, readable by its owner alone. `:memory:` is a database that ends with its `close`.
 * @throws PlatformError STORE_FILE_DAMAGED, STORE_FILE_NEWER, STORE_FILE_FOREIGN, STORE_UNAVAILABLE
 */
export function openSqliteFile(options: SqliteFileOptions): SqliteFile {
  const { file } = options;
  try {
    if (file === inMemory) return new SqliteFile(prepareDatabase(new DatabaseSync(file), options), file);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (!existsSync(file)) createFile(options);
    assertHeader(file);
    const database = new DatabaseSync(file, { timeout: lockTimeoutMs });
    try {
      assertKind(database, options);
      assertWhole(database, file);
      return new SqliteFile(prepareDatabase(database, options), file);
    } catch (thrown) {
      if (database.isOpen) database.close();
      throw thrown;
    }
  } catch (thrown) {
    throw isPlatformError(thrown) ? thrown : toSqliteError(file, thrown);
  }
}

const inMemory = ':memory:';

/** Makes the file beside its place and puts it there when it is complete: an empty file there is always a damaged one. */
function createFile(options: SqliteFileOptions): void {
  const folder = mkdtempSync(join(dirname(options.file), '.new-database-'));
  try {
    const draft = join(folder, 'draft');
    closeSync(openSync(draft, 'a', 0o600));
    prepareDatabase(new DatabaseSync(draft), options).close();
    linkSync(draft, options.file);
  } catch (thrown) {
    // Another process was faster; then its file is as good.
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function prepareDatabase(database: DatabaseSync, options: SqliteFileOptions): DatabaseSync {
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
  migrate(database, options.applicationId, options.migrations);
  return database;
}

const headerBytes = 100;
const headerText = 'SQLite format 3\0';

/** A file with a beginning of something else would be refused by SQLite too, only less clearly. */
function assertHeader(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const header = Buffer.alloc(headerBytes);
    const read = readSync(descriptor, header, 0, headerBytes, 0);
    const beginning = headerText.slice(0, read);
    if (header.toString('latin1', 0, beginning.length) !== beginning)
      throw storeErrors.create('STORE_FILE_FOREIGN', { file, reason: 'it does not begin as a SQLite file does' });
    if (size < headerBytes)
      throw storeErrors.create('STORE_FILE_DAMAGED', { file, reason: `it ends after ${size} bytes` });
  } finally {
    closeSync(descriptor);
  }
}

function assertKind(database: DatabaseSync, { file, applicationId, migrations }: SqliteFileOptions): void {
  const known = migrations.at(-1)?.version ?? 0;
  const tables = Number(database.prepare('SELECT count(*) AS value FROM sqlite_schema').get()?.value);
  if (tables === 0) return;
  const found = pragma(database, 'application_id');
  if (found !== applicationId)
    throw storeErrors.create('STORE_FILE_FOREIGN', { file, reason: 'it holds the tables of something else' });
  const format = pragma(database, 'user_version');
  if (format > known) throw storeErrors.create('STORE_FILE_NEWER', { file, found: format, known });
}

/** After a checkpoint the file itself must hold every page that its header counts. */
function assertWhole(database: DatabaseSync, file: string): void {
  let { sizeBytes, wholeBytes } = measure(database, file);
  // Another process may write the pages of its own checkpoint just now: then the sizes change from look to look.
  for (let looks = 1, steady = 1; sizeBytes < wholeBytes && steady < steadyLooks && looks < maxLooks; looks += 1) {
    Atomics.wait(idle, 0, 0, lookPauseMs);
    const next = measure(database, file);
    steady = next.sizeBytes === sizeBytes && next.wholeBytes === wholeBytes ? steady + 1 : 1;
    ({ sizeBytes, wholeBytes } = next);
  }
  if (sizeBytes < wholeBytes) {
    const reason = `it has ${sizeBytes} bytes of ${wholeBytes}, so its end is missing`;
    throw storeErrors.create('STORE_FILE_DAMAGED', { file, reason });
  }
  if (sizeBytes > fullCheckBytes) return;
  const verdict = String(database.prepare('PRAGMA quick_check(1)').get()?.quick_check ?? 'ok');
  if (verdict !== 'ok') throw storeErrors.create('STORE_FILE_DAMAGED', { file, reason: verdict });
}

/** A file that looks too short, and the same each time, is damaged. */
const steadyLooks = 4;
const maxLooks = 500;
const lookPauseMs = 10;
const idle = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Where the header has the number of pages (sqlite.org/fileformat.html, 1.3.7). */
const pageCountOffset = 28;

function measure(database: DatabaseSync, file: string): { sizeBytes: number; wholeBytes: number } {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const pageBytes = pragma(database, 'page_size');
  const descriptor = openSync(file, 'r');
  try {
    const header = Buffer.alloc(headerBytes);
    readSync(descriptor, header, 0, headerBytes, 0);
    return { sizeBytes: fstatSync(descriptor).size, wholeBytes: header.readUInt32BE(pageCountOffset) * pageBytes };
  } finally {
    closeSync(descriptor);
  }
}

function migrate(database: DatabaseSync, applicationId: number, migrations: readonly SqliteMigration[]): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const format = pragma(database, 'user_version');
    for (const { version, sql } of migrations) if (version > format) database.exec(sql);
    const latest = Math.max(format, migrations.at(-1)?.version ?? 0);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${latest}`);
    database.exec('COMMIT');
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

/** Primary result codes of SQLite (sqlite.org/rescode.html): CORRUPT and NOTADB. */
const damageCodes: ReadonlySet<number> = new Set([11, 26]);

function toSqliteError(file: string, thrown: unknown): PlatformError {
  const code = thrown instanceof Error && 'errcode' in thrown ? Number(thrown.errcode) & 0xff : 0;
  const reason = messageOf(thrown);
  return damageCodes.has(code)
    ? storeErrors.create('STORE_FILE_DAMAGED', { file, reason }, thrown)
    : storeErrors.create('STORE_UNAVAILABLE', { where: `'${file}'`, reason }, thrown);
}
