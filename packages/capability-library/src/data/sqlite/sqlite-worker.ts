/**
 * One SQLite connection in a thread, as the pool sees it.
 *
 * Ownership: the pool owns it. It runs one call at a time.
 *
 * I1 A call that is stopped or takes too long ends the thread; SQLite undoes what was not committed.
 * I2 A thread that died answers its call with SQL_UNAVAILABLE and is not used again.
 */
import { Worker } from 'node:worker_threads';
import { type Clock, createDeferred, messageOf, type PlatformError } from '@switchyard/kernel';
import { libraryErrors } from '../../errors.ts';
import { shorten } from '../../parameters.ts';
import { sourceExtension } from '../../source-extension.ts';
import type { SqlCall, StatementResult } from '../sql-database.ts';
import type { SqliteAnswer, SqliteRequest, SqliteThreadOptions } from './sqlite-messages.ts';

const program = new URL(`./sqlite-thread${sourceExtension}`, import.meta.url);

/** A thread of SQLite needs little heap of its own; rows are counted while they come. */
const maxHeapMb = 64;

export class SqliteWorker {
  readonly #clock: Clock;
  readonly #worker: Worker;
  #answered: ((answer: SqliteAnswer) => void) | undefined;
  #failed: ((error: PlatformError) => void) | undefined;
  #dead = false;

  constructor({ clock }: { readonly clock: Clock }, options: SqliteThreadOptions) {
    this.#clock = clock;
    this.#worker = new Worker(program, {
      workerData: options,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    this.#worker.on('message', (answer: SqliteAnswer) => this.#answered?.(answer));
    this.#worker.on('error', (error) => this.#end(messageOf(error)));
    this.#worker.on('exit', () => this.#end('its thread ended'));
    this.#worker.unref();
  }

  /** False once its thread is gone. */
  get usable(): boolean {
    return !this.#dead;
  }

  async run({ statements, transaction, readOnly, limits, signal }: SqlCall): Promise<StatementResult[]> {
    signal.throwIfAborted();
    const answer = createDeferred<SqliteAnswer>();
    this.#answered = answer.resolve;
    this.#failed = answer.reject;
    const stop = (reason: unknown): void => {
      answer.reject(reason);
      void this.kill();
    };
    const aborted = (): void => stop(signal.reason);
    const [first] = statements;
    const timer = this.#clock.schedule(limits.timeoutMs, () =>
      stop(
        libraryErrors.create('SQL_DEADLINE_PASSED', {
          statement: shorten(first?.sql ?? ''),
          timeoutMs: limits.timeoutMs,
        }),
      ),
    );
    signal.addEventListener('abort', aborted, { once: true });
    try {
      const request: SqliteRequest = { statements, transaction, readOnly, limits };
      this.#worker.postMessage(request);
      return resultsOf(await answer.promise, statements);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', aborted);
      this.#answered = undefined;
      this.#failed = undefined;
    }
  }

  /** Ends the thread after what it does, so that the file is left tidy. */
  async close(): Promise<void> {
    if (this.#dead) return;
    const gone = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage('close');
    await gone;
  }

  /** Ends the thread at once. */
  async kill(): Promise<void> {
    this.#dead = true;
    await this.#worker.terminate();
  }

  #end(reason: string): void {
    this.#dead = true;
    this.#failed?.(libraryErrors.create('SQL_UNAVAILABLE', { reason }));
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
