/**
 * Runs the statements of one call on one SQLite connection. It is synchronous and stands in a thread of its own, which
 * is ended when it takes too long.
 *
 * What SQL may do is decided by SQLite's own authorizer: no other file is opened, no extension loaded, and nothing about
 * the connection is changed.
 */
import { constants, DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SqlRow, SqlValue } from '@switchyard/capabilities';
import { enterWalMode } from '@switchyard/kernel';
import { ResultMeter } from '../result-meter.ts';
import type { SqlStatement, StatementResult } from '../sql-database.ts';
import type { SqliteAnswer, SqliteRefusal, SqliteRequest, SqliteThreadOptions } from './sqlite-messages.ts';

/** Pragmas that only tell something. */
const harmlessPragmas = new Set([
  'table_info',
  'table_xinfo',
  'table_list',
  'index_list',
  'index_info',
  'foreign_key_list',
  'foreign_key_check',
  'integrity_check',
  'quick_check',
]);

const refusedActions = new Map<number, string>([
  [constants.SQLITE_ATTACH, 'ATTACH and VACUUM INTO reach other files'],
  [constants.SQLITE_DETACH, 'DETACH changes the connection'],
  [constants.SQLITE_TRANSACTION, 'transactions are begun and ended by the call: use batch'],
  [constants.SQLITE_SAVEPOINT, 'transactions are begun and ended by the call: use batch'],
  [constants.SQLITE_CREATE_TEMP_TABLE, 'temporary tables belong to a connection, and connections are shared'],
  [constants.SQLITE_CREATE_TEMP_VIEW, 'temporary views belong to a connection, and connections are shared'],
  [constants.SQLITE_CREATE_TEMP_TRIGGER, 'temporary triggers belong to a connection, and connections are shared'],
]);

/** Everything that a statement may do without changing anything. */
const readingActions = new Set<number>([
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
  constants.SQLITE_PRAGMA,
]);

const resultCodes = { busy: 5, locked: 6, full: 13 };

/** Longer SQL is refused, and so are more parameters, columns or terms than anybody writes. */
const sqliteLimits = { sqlLength: 200_000, variableNumber: 2_000, column: 500, exprDepth: 200, attach: 0 };

const pageBytes = 4_096;

/** A connection, and why the authorizer last said no. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  #refusal: string | undefined;
  #ownTransaction = false;
  #readOnly = false;
  #writes = false;

  constructor({ path, readOnly, busyTimeoutMs, maxDatabaseBytes }: SqliteThreadOptions) {
    this.#database = new DatabaseSync(path, {
      readOnly,
      timeout: busyTimeoutMs,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
      defensive: true,
      limits: sqliteLimits,
    });
    if (!readOnly) {
      if (path !== ':memory:') {
        enterWalMode(this.#database, busyTimeoutMs);
        this.#database.exec('PRAGMA synchronous = NORMAL');
      }
      this.#database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxDatabaseBytes / pageBytes))}`);
    }
    this.#database.setAuthorizer((action, first, second) => this.#authorize(action, first, second));
  }

  run(request: SqliteRequest): SqliteAnswer {
    let position = 0;
    try {
      this.#control(request.readOnly || !request.transaction ? 'BEGIN' : 'BEGIN IMMEDIATE');
      const meter = new ResultMeter(request.limits);
      const results: StatementResult[] = [];
      for (const statement of request.statements) {
        const result = this.#one(statement, request, meter, position);
        if ('kind' in result) return this.#undo(result);
        results.push(result);
        position += 1;
      }
      this.#control('COMMIT');
      return { kind: 'done', results };
    } catch (error) {
      return this.#undo(this.#explain(error, position));
    }
  }

  close(): void {
    this.#database.close();
  }

  #one(
    { sql, parameters, expectChanges }: SqlStatement,
    request: SqliteRequest,
    meter: ResultMeter,
    position: number,
  ): StatementResult | SqliteRefusal {
    this.#refusal = undefined;
    this.#readOnly = request.readOnly;
    this.#writes = false;
    const prepared = this.#database.prepare(sql);
    if (hasTail(sql, prepared.sourceSQL))
      return { kind: 'refused', statement: position, reason: 'it holds more than one statement: send them one by one' };
    prepared.setReadBigInts(true);
    const values = parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value));
    const result = prepared.columns().length === 0 ? execute(prepared, values) : read(prepared, values, meter);
    if ('limit' in result) return { kind: 'limit', statement: position, limit: result.limit };
    // A query changes nothing; what RETURNING gives are the rows that were changed.
    const changes = result.rows.length > 0 ? (this.#writes ? result.rows.length : 0) : result.changes;
    if (expectChanges !== undefined && expectChanges !== changes)
      return { kind: 'expectation', statement: position, expected: expectChanges, actual: changes };
    return { rows: result.rows, changes };
  }

  #undo(refusal: SqliteRefusal): SqliteRefusal {
    if (this.#database.isTransaction) this.#control('ROLLBACK');
    return refusal;
  }

  #control(sql: string): void {
    this.#ownTransaction = true;
    try {
      this.#database.exec(sql);
    } finally {
      this.#ownTransaction = false;
    }
  }

  #authorize(action: number, first: string | null, second: string | null): number {
    const reason = this.#reasonAgainst(action, first, second);
    if (reason === undefined) return constants.SQLITE_OK;
    this.#refusal = reason;
    return constants.SQLITE_DENY;
  }

  #reasonAgainst(action: number, first: string | null, second: string | null): string | undefined {
    if (action === constants.SQLITE_TRANSACTION && this.#ownTransaction) return undefined;
    if (!readingActions.has(action)) {
      if (this.#readOnly) return 'it would write, and this is read-only';
      this.#writes = true;
    }
    if (action === constants.SQLITE_PRAGMA && !harmlessPragmas.has((first ?? '').toLowerCase()))
      return `PRAGMA ${first} changes the connection or tells of the machine`;
    if (action === constants.SQLITE_FUNCTION && (second ?? '').toLowerCase() === 'load_extension')
      return 'extensions are not loaded';
    return refusedActions.get(action);
  }

  #explain(error: unknown, statement: number): SqliteRefusal {
    const reason = error instanceof Error ? error.message : String(error);
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
    if (code === resultCodes.busy || code === resultCodes.locked) return { kind: 'busy', reason };
    if (code === resultCodes.full)
      return { kind: 'refused', statement, reason: 'the database has reached the size that it may have' };
    return { kind: 'refused', statement, reason: this.#refusal ?? reason };
  }
}

/** SQLite compiles the first statement and leaves the rest alone; only a comment may follow it. */
function hasTail(sql: string, first: string): boolean {
  const rest = sql.slice(sql.indexOf(first) + first.length);
  return rest.replace(/--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, '').replace(/[\s;]/g, '') !== '';
}

function execute(prepared: StatementSync, values: readonly Exclude<SqlValue, boolean>[]): StatementResult {
  return { rows: [], changes: Number(prepared.run(...values).changes) };
}

function read(
  prepared: StatementSync,
  values: readonly Exclude<SqlValue, boolean>[],
  meter: ResultMeter,
): StatementResult | { readonly limit: string } {
  const rows: SqlRow[] = [];
  for (const row of prepared.iterate(...values)) {
    const plain = toPlainRow(row as Record<string, SqlValue>);
    const limit = meter.add(plain);
    if (limit !== undefined) return { limit };
    rows.push(plain);
  }
  return { rows, changes: 0 };
}

/** Numbers stay numbers as long as they are exact. */
function toPlainRow(row: Record<string, SqlValue>): SqlRow {
  const plain: Record<string, SqlValue> = {};
  for (const [name, value] of Object.entries(row)) {
    const small = typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    Object.defineProperty(plain, name, {
      value: small ? Number(value) : value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return plain;
}
