import type { Clock } from '@switchyard/kernel';
import { libraryErrors } from '../../errors.ts';
import type { ThreadPrograms } from '../../library-files.ts';
import { shorten } from '../../parameters.ts';
import { ThreadWorker } from '../../threads/thread-worker.ts';
import type { SqlCall, StatementResult } from '../sql-database.ts';
import type { SqliteAnswer, SqliteRequest, SqliteThreadOptions } from './sqlite-messages.ts';

/** A thread of SQLite needs little heap of its own; rows are counted while they come. */
const maxHeapMb = 64;

/** What SQLite in threads is made of. */
export interface SqliteDeps {
  readonly clock: Clock;
  readonly programs: Pick<ThreadPrograms, 'sqlite'>;
}

/**
 * One SQLite connection in a thread: a statement that runs too long can only be stopped by ending its thread. SQLite
 * undoes what was not committed.
 */
export class SqliteWorker {
  readonly #thread: ThreadWorker<SqliteRequest, SqliteAnswer>;

  constructor(deps: SqliteDeps, options: SqliteThreadOptions) {
    this.#thread = new ThreadWorker(deps, { program: deps.programs.sqlite, data: options, maxHeapMb });
  }

  get usable(): boolean {
    return this.#thread.usable;
  }

  async run({ statements, transaction, readOnly, limits, signal }: SqlCall): Promise<StatementResult[]> {
    const { timeoutMs } = limits;
    const statement = shorten(statements[0]?.sql ?? '');
    const answer = await this.#thread.run(
      { statements, transaction, readOnly, limits },
      {
        timeoutMs,
        signal,
        late: () => libraryErrors.create('SQL_DEADLINE_PASSED', { statement, timeoutMs }),
        lost: (reason) => libraryErrors.create('SQL_UNAVAILABLE', { reason }),
      },
    );
    return resultsOf(answer, statements);
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

function resultsOf(answer: SqliteAnswer, statements: SqlCall['statements']): StatementResult[] {
  const statementAt = (index: number): string => shorten(statements[index]?.sql ?? '');
  switch (answer.kind) {
    case 'done':
      return answer.results;
    case 'limit':
      throw libraryErrors.create('SQL_LIMIT_EXCEEDED', {
        statement: statementAt(answer.statement),
        limit: answer.limit,
      });
    case 'refused':
      throw libraryErrors.create('SQL_REFUSED', {
        statement: statementAt(answer.statement),
        reason: answer.reason,
      });
    case 'busy':
      throw libraryErrors.create('SQL_UNAVAILABLE', { reason: answer.reason });
    case 'expectation':
      throw libraryErrors.create('SQL_EXPECTATION_FAILED', {
        position: answer.statement,
        expected: answer.expected,
        actual: answer.actual,
      });
  }
}
