/**
 * Background jobs in SQLite: they outlive the call, the lease and the process that took them.
 *
 * Ownership: the background capability owns it and closes it.
 *
 * I1 An account sees and touches its own jobs only.
 * I2 A job is claimed by one runner at a time; only its claim can finish it.
 * I3 What ran when the process ended is queued again when the store is opened.
 * I4 A cancelled job stays cancelled: it is not claimed, and a late result is dropped.
 * I5 The same key of one account names one job, however often it is submitted.
 */
import { DatabaseSync } from 'node:sqlite';
import { type Clock, enterWalMode, type Random } from '@switchyard/kernel';
import { libraryErrors } from '../errors.ts';

export const jobStates = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;

export type JobState = (typeof jobStates)[number];

/** A job as its account sees it. */
export interface JobStatus {
  readonly id: string;
  readonly kind: string;
  readonly state: JobState;
  /** How often it was begun. */
  readonly attempts: number;
  readonly createdAtMs: number;
  /** When it is begun at the earliest. */
  readonly dueAtMs: number;
  readonly finishedAtMs: number | null;
  /** What it came to, once it is done. */
  readonly result: unknown;
  /** Why its last attempt failed, or an empty text. */
  readonly error: string;
}

/** A job to run. `attempts` counts this run, and tells one claim from the next. */
export interface ClaimedJob {
  readonly id: string;
  readonly account: string;
  readonly kind: string;
  readonly payload: unknown;
  readonly attempts: number;
  readonly maxAttempts: number;
}

export interface NewJob {
  readonly kind: string;
  readonly payload: unknown;
  readonly dueAtMs: number;
  readonly maxAttempts: number;
  /** Makes submitting it twice submit it once. */
  readonly key: string | undefined;
}

export interface JobStoreOptions {
  readonly path: string;
  /** Jobs that wait or run, per account. */
  readonly maxOpenPerAccount: number;
  readonly keptHours: number;
}

interface Row extends Omit<JobStatus, 'result'> {
  readonly account: string;
  readonly payload: string;
  readonly result: string | null;
  readonly maxAttempts: number;
}

const schema = `
  CREATE TABLE IF NOT EXISTS background_jobs (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, job_key TEXT, kind TEXT NOT NULL, payload TEXT NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, max_attempts INTEGER NOT NULL, created_at_ms INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL, finished_at_ms INTEGER, result TEXT, error TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS background_jobs_key ON background_jobs (account, job_key) WHERE job_key IS NOT NULL;
  CREATE INDEX IF NOT EXISTS background_jobs_due ON background_jobs (due_at_ms) WHERE state = 'queued'`;

const columns = `id, account, kind, payload, state, attempts, max_attempts AS maxAttempts, created_at_ms AS createdAtMs,
  due_at_ms AS dueAtMs, finished_at_ms AS finishedAtMs, result, error`;

const open = "state IN ('queued', 'running')";
const msPerHour = 3_600_000;

export class JobStore {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: JobStoreOptions;
  readonly #database: DatabaseSync;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }, options: JobStoreOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
    this.#database = new DatabaseSync(options.path, { timeout: 5_000 });
    if (options.path !== ':memory:') enterWalMode(this.#database);
    this.#database.exec(schema);
    this.#database.exec("UPDATE background_jobs SET state = 'queued' WHERE state = 'running'");
  }

  /** Returns the job's id. */
  submit(account: string, { kind, payload, dueAtMs, maxAttempts, key }: NewJob): string {
    const known = key === undefined ? undefined : this.#one('account = ? AND job_key = ?', account, key);
    if (known !== undefined) return known.id;
    const count = this.#database.prepare(`SELECT count(*) AS n FROM background_jobs WHERE account = ? AND ${open}`);
    const limit = this.#options.maxOpenPerAccount;
    if (Number(count.get(account)?.n) >= limit)
      throw libraryErrors.create('TASKS_EXHAUSTED', {
        what: 'the number of open background jobs of this account',
        limit,
      });
    const id = this.#random.uuid();
    this.#database
      .prepare(
        `INSERT INTO background_jobs (id, account, job_key, kind, payload, state, attempts, max_attempts, created_at_ms, due_at_ms, error)
         VALUES (?, ?, ?, ?, ?, 'queued', 0, ?, ?, ?, '')`,
      )
      .run(id, account, key ?? null, kind, JSON.stringify(payload), maxAttempts, this.#clock.now(), dueAtMs);
    return id;
  }

  /** The next job that is due, marked as running; undefined when there is none. */
  claim(): ClaimedJob | undefined {
    const row = this.#one("state = 'queued' AND due_at_ms <= ? ORDER BY due_at_ms, id LIMIT 1", this.#clock.now());
    if (row === undefined) return undefined;
    const { changes } = this.#database
      .prepare(
        "UPDATE background_jobs SET state = 'running', attempts = attempts + 1 WHERE id = ? AND state = 'queued'",
      )
      .run(row.id);
    if (Number(changes) === 0) return this.claim();
    const { id, account, kind, payload, attempts, maxAttempts } = row;
    return { id, account, kind, payload: JSON.parse(payload), attempts: attempts + 1, maxAttempts };
  }

  /** When the next queued job is due, or undefined. */
  nextDueAtMs(): number | undefined {
    const row = this.#database
      .prepare("SELECT min(due_at_ms) AS due FROM background_jobs WHERE state = 'queued'")
      .get();
    return typeof row?.due === 'number' ? row.due : undefined;
  }

  /** The job came to its end. */
  finish(job: ClaimedJob, outcome: { readonly result: unknown } | { readonly error: string }): void {
    const [state, result, error] =
      'error' in outcome ? ['failed', null, outcome.error] : ['done', JSON.stringify(outcome.result ?? null), ''];
    this.#database
      .prepare(
        `UPDATE background_jobs SET state = ?, result = ?, error = ?, finished_at_ms = ?
         WHERE id = ? AND state = 'running' AND attempts = ?`,
      )
      .run(state ?? 'failed', result ?? null, error ?? '', this.#clock.now(), job.id, job.attempts);
  }

  /** The job is to be tried again later. */
  retry(job: ClaimedJob, dueAtMs: number, error: string): void {
    this.#database
      .prepare(
        "UPDATE background_jobs SET state = 'queued', due_at_ms = ?, error = ? WHERE id = ? AND state = 'running' AND attempts = ?",
      )
      .run(dueAtMs, error, job.id, job.attempts);
  }

  /** False when the job had ended already. */
  cancel(account: string, id: string): boolean {
    this.status(account, id);
    const { changes } = this.#database
      .prepare(
        `UPDATE background_jobs SET state = 'cancelled', finished_at_ms = ? WHERE account = ? AND id = ? AND ${open}`,
      )
      .run(this.#clock.now(), account, id);
    return Number(changes) > 0;
  }

  status(account: string, id: string): JobStatus {
    const row = this.#one('account = ? AND id = ?', account, id);
    const { keptHours } = this.#options;
    if (row === undefined) throw libraryErrors.create('JOB_UNKNOWN', { job: id.slice(0, 60), keptHours });
    return toStatus(row);
  }

  /** The account's jobs, newest first. */
  list(account: string, limit: number): JobStatus[] {
    const rows = this.#database
      .prepare(`SELECT ${columns} FROM background_jobs WHERE account = ? ORDER BY created_at_ms DESC, id LIMIT ?`)
      .all(account, limit) as unknown as Row[];
    return rows.map(toStatus);
  }

  /** Forgets what ended long ago. */
  purge(): void {
    const oldest = this.#clock.now() - this.#options.keptHours * msPerHour;
    this.#database.prepare('DELETE FROM background_jobs WHERE finished_at_ms < ?').run(oldest);
  }

  close(): void {
    this.#database.close();
  }

  #one(where: string, ...values: readonly (string | number)[]): Row | undefined {
    return this.#database.prepare(`SELECT ${columns} FROM background_jobs WHERE ${where}`).get(...values) as
      | Row
      | undefined;
  }
}

function toStatus({ account: _account, payload: _payload, maxAttempts: _attempts, result, ...rest }: Row): JobStatus {
  return { ...rest, result: result === null ? null : JSON.parse(result) };
}
