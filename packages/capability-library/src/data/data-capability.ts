import type { DataSql, SqlRow, SqlValue } from '@switchyard/capabilities';
import type { Clock } from '@switchyard/kernel';
import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import { libraryErrors } from '../errors.ts';
import { type ThreadPrograms, threadPrograms } from '../library-files.ts';
import { asInteger, asList, asRecord, asText, describe, fieldOf, refuseParameter, shorten } from '../parameters.ts';
import { type DataOptions, parseDataOptions } from './data-options.ts';
import { PostgresqlEngine } from './postgresql/postgresql-engine.ts';
import type { SqlEngine, SqlStatement, StatementResult } from './sql-database.ts';
import { SqliteEngine } from './sqlite/sqlite-engine.ts';

/** What `data.sql` does beyond the list that every client knows. */
export interface DataSqlTools extends DataSql {
  /** Runs statements in one transaction and gives what each of them gave. */
  transaction(
    statements: readonly {
      readonly sql: string;
      readonly parameters?: readonly SqlValue[];
      /** Undoes everything when this statement changes another number of rows. */
      readonly expectChanges?: number;
    }[],
    options?: { readonly readOnly?: boolean },
  ): PromiseLike<{ rows: SqlRow[]; changes: number }[]>;
}

const maxStatements = 1_000;
const maxParameters = 2_000;
const maxSqlLength = 200_000;

export interface DataDeps {
  readonly clock: Clock;
  readonly programs?: Pick<ThreadPrograms, 'sqlite'>;
}

/** `data.sql`: SQL over SQLite or PostgreSQL, as the configuration says. */
export function createDataCapability(deps: DataDeps): CapabilityModule {
  return {
    create(settings): CapabilityInstance {
      const options = parseDataOptions(settings);
      const engine = createEngine(deps, options);
      return { methods: methodsOf(engine, options), dispose: () => engine.close() };
    },
  };
}

function createEngine({ clock, programs = threadPrograms }: DataDeps, options: DataOptions): SqlEngine {
  const { maxConnections, readOnly, connection, connections, limits } = options;
  if (options.engine === 'sqlite')
    return new SqliteEngine({ clock, programs }, { ...options, readers: maxConnections });
  return new PostgresqlEngine(
    { clock },
    {
      maxConnections,
      readOnly,
      connectTimeoutMs: limits.timeoutMs,
      statementTimeoutMs: limits.timeoutMs,
      connectionOf: (account) => connections.get(account) ?? connection,
    },
  );
}

function methodsOf(engine: SqlEngine, { limits, readOnly: always }: DataOptions): CapabilityInstance['methods'] {
  const run = (
    call: CallContext,
    statements: readonly SqlStatement[],
    { transaction, readOnly }: { readonly transaction: boolean; readonly readOnly: boolean },
  ): Promise<StatementResult[]> =>
    engine
      .open(call.account)
      .run({ statements, transaction, readOnly: readOnly || always, limits, signal: call.signal });
  return {
    query: async (call: CallContext, sql: unknown, parameters: unknown): Promise<SqlRow[]> => {
      const [result] = await run(call, [asStatement(sql, parameters)], { transaction: false, readOnly: true });
      return result?.rows ?? [];
    },
    execute: async (call: CallContext, sql: unknown, parameters: unknown): Promise<number> => {
      const statement = asStatement(sql, parameters);
      if (always) refuseWrite(statement.sql);
      const [result] = await run(call, [statement], { transaction: true, readOnly: false });
      return result?.changes ?? 0;
    },
    batch: async (call: CallContext, statements: unknown): Promise<number[]> => {
      const results = await run(call, asStatements(statements), { transaction: true, readOnly: false });
      return results.map(({ changes }) => changes);
    },
    transaction: (call: CallContext, statements: unknown, options: unknown): Promise<StatementResult[]> => {
      const readOnly = fieldOf(asRecord(options, 'The options'), 'readOnly') === true;
      return run(call, asStatements(statements), { transaction: true, readOnly });
    },
  };
}

function refuseWrite(sql: string): never {
  throw libraryErrors.create('SQL_REFUSED', {
    statement: shorten(sql),
    reason: 'the database is configured to be read only; use query',
  });
}

function asStatements(value: unknown): SqlStatement[] {
  const statements = asList(value, 'The statements', maxStatements);
  if (statements.length === 0) refuseParameter('The statements', 'the list is empty');
  return statements.map((entry, index) => {
    const record = asRecord(entry, `Statement ${index}`);
    const statement = asStatement(fieldOf(record, 'sql'), fieldOf(record, 'parameters'));
    const expectChanges = fieldOf(record, 'expectChanges');
    if (expectChanges === undefined) return statement;
    const what = `expectChanges of statement ${index}`;
    return { ...statement, expectChanges: asInteger(expectChanges, what, 0, Number.MAX_SAFE_INTEGER) };
  });
}

function asStatement(sql: unknown, parameters: unknown): SqlStatement {
  const text = asText(sql, 'The SQL', maxSqlLength);
  if (text.trim() === '' || text.includes('\0')) refuseParameter('The SQL', 'it is empty or holds a zero character');
  const values =
    parameters === undefined || parameters === null ? [] : asList(parameters, 'The parameters', maxParameters);
  return { sql: text, parameters: values.map((value, index) => asSqlValue(value, index)) };
}

function asSqlValue(value: unknown, index: number): SqlValue {
  if (value === null || value === undefined) return null;
  const kinds = ['string', 'boolean', 'bigint'];
  if (kinds.includes(typeof value) || value instanceof Uint8Array) return value as SqlValue;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  return refuseParameter(`Parameter ${index + 1}`, `it is ${describe(value)}, which SQL has no value for`);
}
