/**
 * `data.sql` over PostgreSQL, through pools of connections.
 *
 * Ownership: the data capability owns the engine; the engine owns one pool for each connection string.
 *
 * I1 A statement goes by the extended protocol with its values beside it: there is never more than one in a text.
 * I2 A call that is stopped or too late is cancelled in the server, and its transaction is undone.
 * I3 Whatever a call changed about its connection is discarded before another call gets it.
 * I4 A result that is too large is given up before it is held.
 */
import type { SqlRow } from '@switchyard/capabilities';
import { type Clock, createDeferred, isPlatformError, messageOf, type Secret } from '@switchyard/kernel';
import pg from 'pg';
import { libraryErrors } from '../../errors.ts';
import { shorten } from '../../parameters.ts';
import { ResultMeter } from '../result-meter.ts';
import type { SqlCall, SqlDatabase, SqlEngine, SqlStatement, StatementResult } from '../sql-database.ts';
import { reasonAgainst } from './postgresql-statement.ts';
import { postgresqlTypes, toParameter } from './postgresql-types.ts';

export interface PostgresqlEngineOptions {
  /** The connection of an account; undefined when it may not have one. */
  connectionOf(account: string): Secret | undefined;
  readonly readOnly: boolean;
  /** Connections per connection string. */
  readonly maxConnections: number;
  /** How long a call waits for a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** The server stops a statement after so long, whatever happens here. */
  readonly statementTimeoutMs: number;
}

/** An unused connection is closed after so long. */
const idleTimeoutMs = 30_000;

export class PostgresqlEngine implements SqlEngine {
  readonly #clock: Clock;
  readonly #options: PostgresqlEngineOptions;
  readonly #pools = new Map<string, pg.Pool>();

  constructor({ clock }: { readonly clock: Clock }, options: PostgresqlEngineOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  open(account: string): SqlDatabase {
    const connection = this.#options.connectionOf(account)?.reveal();
    if (connection === undefined)
      throw libraryErrors.create('SQL_UNAVAILABLE', { reason: `no database is connected for account '${account}'` });
    const known = this.#pools.get(connection);
    const pool = known ?? this.#createPool(connection);
    this.#pools.set(connection, pool);
    return { run: (call) => this.#run(pool, call), close: async () => {} };
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.end()));
  }

  #createPool(connectionString: string): pg.Pool {
    const { maxConnections, connectTimeoutMs, statementTimeoutMs, readOnly } = this.#options;
    const pool = new pg.Pool({
      connectionString,
      max: maxConnections,
      connectionTimeoutMillis: connectTimeoutMs,
      idleTimeoutMillis: idleTimeoutMs,
      statement_timeout: statementTimeoutMs,
      application_name: 'switchyard data.sql',
      allowExitOnIdle: true,
      ...(readOnly && { options: '-c default_transaction_read_only=on' }),
    });
    // A connection that breaks while nobody uses it is dropped by the pool; the next call opens another.
    pool.on('error', () => {});
    return pool;
  }

  async #run(pool: pg.Pool, call: SqlCall): Promise<StatementResult[]> {
    call.statements.forEach(({ sql }) => {
      const reason = reasonAgainst(sql);
      if (reason !== undefined) throw libraryErrors.create('SQL_REFUSED', { statement: shorten(sql), reason });
    });
    call.signal.throwIfAborted();
    const client = await pool.connect().catch((error: unknown) => {
      throw libraryErrors.create('SQL_UNAVAILABLE', { reason: messageOf(error) }, error);
    });
    const stopped = createDeferred<never>();
    stopped.promise.catch(() => {});
    let broken = false;
    const stop = (reason: unknown): void => {
      stopped.reject(reason);
      broken = true;
      void cancel(client, pool);
    };
    const aborted = (): void => stop(call.signal.reason);
    const timer = this.#clock.schedule(call.limits.timeoutMs, () => stop(lateError(call)));
    call.signal.addEventListener('abort', aborted, { once: true });
    const work = runTransaction(client, call);
    work.catch(() => {});
    try {
      const results = await Promise.race([work, stopped.promise]);
      giveBack(client);
      return results;
    } catch (error) {
      if (!broken && isPlatformError(error) && undone.has(error.code)) giveBack(client, 'ROLLBACK');
      // A connection that was stopped, or is in the middle of a result, is not used again.
      else client.release(true);
      throw error;
    } finally {
      timer.cancel();
      call.signal.removeEventListener('abort', aborted);
    }
  }
}

async function runTransaction(client: pg.PoolClient, call: SqlCall): Promise<StatementResult[]> {
  const meter = new ResultMeter(call.limits);
  const results: StatementResult[] = [];
  let position = 0;
  try {
    await client.query(call.readOnly ? 'BEGIN READ ONLY' : 'BEGIN');
    for (const statement of call.statements) {
      const result = await runStatement(client, statement, meter);
      const { expectChanges } = statement;
      if (expectChanges !== undefined && expectChanges !== result.changes)
        throw libraryErrors.create('SQL_EXPECTATION_FAILED', {
          position,
          expected: expectChanges,
          actual: result.changes,
        });
      results.push(result);
      position += 1;
    }
    await client.query('COMMIT');
    return results;
  } catch (error) {
    throw isPlatformError(error) ? error : toSqlError(error, call, call.statements[position]?.sql ?? '');
  }
}

/** Reads row by row: rows are counted before they are kept. */
function runStatement(client: pg.PoolClient, statement: SqlStatement, meter: ResultMeter): Promise<StatementResult> {
  const config = {
    text: statement.sql,
    values: statement.parameters.map(toParameter),
    queryMode: 'extended',
    types: postgresqlTypes,
  };
  const query = new pg.Query<SqlRow>(config);
  const rows: SqlRow[] = [];
  return new Promise((resolve, reject) => {
    query.on('row', (row) => {
      const limit = meter.add(row);
      if (limit === undefined) rows.push(row);
      else reject(libraryErrors.create('SQL_LIMIT_EXCEEDED', { statement: shorten(statement.sql), limit }));
    });
    query.on('error', reject);
    query.on('end', ({ command, rowCount }) => resolve({ rows, changes: command === 'SELECT' ? 0 : (rowCount ?? 0) }));
    client.query(query);
  });
}

/** Errors after which a rolled back connection is as good as before. */
const undone = new Set(['SQL_REFUSED', 'SQL_EXPECTATION_FAILED']);

/** The caller has its answer already; the connection goes back once it is as new. */
function giveBack(client: pg.PoolClient, first?: 'ROLLBACK'): void {
  const rolledBack = first === undefined ? Promise.resolve() : client.query(first);
  rolledBack
    .then(() => client.query('DISCARD ALL'))
    .then(
      () => client.release(),
      (error: Error) => client.release(error),
    );
}

/** Asks the server to stop what a connection does; it stops by itself after the statement timeout. */
async function cancel(client: pg.PoolClient, pool: pg.Pool): Promise<void> {
  const { processID } = client as pg.PoolClient & { readonly processID?: number };
  if (typeof processID !== 'number') return;
  const messenger = new pg.Client(pool.options);
  messenger.on('error', () => {});
  try {
    await messenger.connect();
    await messenger.query('SELECT pg_cancel_backend($1)', [processID]);
  } catch {
    // The statement timeout of the server ends it.
  } finally {
    await messenger.end().catch(() => {});
  }
}

function lateError({ statements, limits }: SqlCall): Error {
  const statement = shorten(statements[0]?.sql ?? '');
  return libraryErrors.create('SQL_DEADLINE_PASSED', { statement, timeoutMs: limits.timeoutMs });
}

/** SQLSTATE classes after which the same call may do better. */
const passing = /^(?:08|40|53|55P03|57P)/;

function toSqlError(error: unknown, call: SqlCall, sql: string): Error {
  const reason = messageOf(error);
  const state = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (state === '57014') return lateError(call);
  if (!/^[0-9A-Z]{5}$/.test(state) || passing.test(state))
    return libraryErrors.create('SQL_UNAVAILABLE', { reason }, error);
  return libraryErrors.create('SQL_REFUSED', { statement: shorten(sql), reason }, error);
}
