/**
 * SQLite for many accounts: a file of its own for each, one connection that writes and a few that read.
 *
 * Ownership: the data capability owns the engine; the engine owns the threads.
 *
 * I1 No account reaches the file of another: its name is a digest of the account's.
 * I2 At most `maxOpenAccounts` databases are open; the one unused for longest is closed for the next.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { libraryErrors } from '../../errors.ts';
import { WorkerSlots } from '../../threads/worker-slots.ts';
import type { SqlCall, SqlDatabase, SqlEngine, StatementResult } from '../sql-database.ts';
import { type SqliteDeps, SqliteWorker } from './sqlite-worker.ts';

export interface SqliteEngineOptions {
  /** Where the files stand; null keeps each database in memory, for as long as it is open. */
  readonly folder: string | null;
  readonly readOnly: boolean;
  /** Connections that read, per account. */
  readonly readers: number;
  readonly maxWaiting: number;
  readonly maxOpenAccounts: number;
  readonly maxDatabaseBytes: number;
}

/** How long a writer waits for the lock of another process, in milliseconds. */
const busyTimeoutMs = 2_000;

const privateFolder = 0o700;

export class SqliteEngine implements SqlEngine {
  readonly #deps: SqliteDeps;
  readonly #options: SqliteEngineOptions;
  readonly #databases = new Map<string, SqliteDatabase>();

  constructor(deps: SqliteDeps, options: SqliteEngineOptions) {
    this.#deps = deps;
    this.#options = options;
    if (options.folder !== null) mkdirSync(options.folder, { recursive: true, mode: privateFolder });
  }

  open(account: string): SqlDatabase {
    const known = this.#databases.get(account);
    if (known !== undefined) {
      // Last in the map is last used.
      this.#databases.delete(account);
      this.#databases.set(account, known);
      return known;
    }
    this.#makeRoom();
    const database = new SqliteDatabase(this.#deps, this.#pathOf(account), this.#options);
    this.#databases.set(account, database);
    return database;
  }

  async close(): Promise<void> {
    const databases = [...this.#databases.values()];
    this.#databases.clear();
    await Promise.all(databases.map((database) => database.close()));
  }

  #makeRoom(): void {
    const { maxOpenAccounts: limit, folder } = this.#options;
    if (this.#databases.size < limit) return;
    const [oldest] = [...this.#databases].filter(([, database]) => folder !== null && database.quiet);
    if (oldest === undefined)
      throw libraryErrors.create('TASKS_EXHAUSTED', { what: 'the number of open databases', limit });
    this.#databases.delete(oldest[0]);
    void oldest[1].close();
  }

  #pathOf(account: string): string {
    const { folder } = this.#options;
    if (folder === null) return ':memory:';
    return join(folder, `${createHash('sha256').update(account).digest('hex')}.sqlite`);
  }
}

class SqliteDatabase implements SqlDatabase {
  readonly #writer: WorkerSlots<SqliteWorker>;
  readonly #readers: WorkerSlots<SqliteWorker>;
  /** The file is made by the first connection that may write. */
  #exists = false;

  constructor(deps: SqliteDeps, path: string, options: SqliteEngineOptions) {
    const { readOnly, readers, maxWaiting, maxDatabaseBytes } = options;
    const open = (reading: boolean) => (): SqliteWorker =>
      new SqliteWorker(deps, { path, readOnly: reading, busyTimeoutMs, maxDatabaseBytes });
    const inMemory = path === ':memory:';
    this.#writer = new WorkerSlots(open(readOnly && !inMemory), { size: 1, maxWaiting });
    this.#readers = inMemory ? this.#writer : new WorkerSlots(open(true), { size: readers, maxWaiting });
    this.#exists = readOnly;
  }

  get quiet(): boolean {
    return this.#writer.quiet && this.#readers.quiet;
  }

  async run(call: SqlCall): Promise<StatementResult[]> {
    const slots = call.readOnly && this.#exists ? this.#readers : this.#writer;
    const results = await slots.use(call.signal, (worker) => worker.run(call));
    this.#exists = true;
    return results;
  }

  async close(): Promise<void> {
    await this.#readers.close();
    await this.#writer.close();
  }
}
