/** What a database must do for `data.sql`, whatever its engine. Values only ever go in as parameters. */
import type { SqlRow, SqlValue } from '@switchyard/capabilities';

export interface SqlStatement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  /** The transaction is undone when the statement changes another number of rows. */
  readonly expectChanges?: number;
}

/** What one statement gave: its rows when it is a query, else how many rows it changed. */
export interface StatementResult {
  readonly rows: SqlRow[];
  readonly changes: number;
}

export interface SqlLimits {
  /** More rows than this are refused. */
  readonly maxRows: number;
  /** The names and values of all rows together may weigh so much. */
  readonly maxResultBytes: number;
  /** All statements of one call together; the database stops working on them. */
  readonly timeoutMs: number;
}

export interface SqlCall {
  readonly statements: readonly SqlStatement[];
  /** True: all statements in one transaction. False: there is one statement, in a transaction of its own. */
  readonly transaction: boolean;
  /** True: whatever would write is refused. */
  readonly readOnly: boolean;
  readonly limits: SqlLimits;
  /** Stops the work, which then leaves nothing behind. */
  readonly signal: AbortSignal;
}

/** The database of one account. */
export interface SqlDatabase {
  run(call: SqlCall): Promise<StatementResult[]>;
  close(): Promise<void>;
}

/** Opens the databases of accounts. */
export interface SqlEngine {
  open(account: string): SqlDatabase;
  close(): Promise<void>;
}
