/** What the capability and the threads of SQLite tell each other. */
import type { SqlLimits, SqlStatement, StatementResult } from '../sql-database.ts';

/** What a thread is started with. */
export interface SqliteThreadOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** How long it waits for another connection's write, in milliseconds. */
  readonly busyTimeoutMs: number;
  readonly maxDatabaseBytes: number;
}

export interface SqliteRequest {
  readonly statements: readonly SqlStatement[];
  readonly transaction: boolean;
  readonly readOnly: boolean;
  readonly limits: SqlLimits;
}

/** Why nothing was done. */
export type SqliteRefusal =
  | { readonly kind: 'limit'; readonly statement: number; readonly limit: string }
  | { readonly kind: 'refused'; readonly statement: number; readonly reason: string }
  | { readonly kind: 'busy'; readonly reason: string }
  | {
      readonly kind: 'expectation';
      readonly statement: number;
      readonly expected: number;
      readonly actual: number;
    };

export type SqliteAnswer = { readonly kind: 'done'; readonly results: StatementResult[] } | SqliteRefusal;
