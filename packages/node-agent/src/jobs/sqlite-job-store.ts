/**
 * Jobs in a SQLite file: they outlive the agent, which finds its containers again by their labels.
 *
 * A row holds what queries look at, the rest of the job as JSON, and its output apart, so that a change of state writes
 * no output. One agent owns the file; a second one that opens it is refused.
 *
 * I1 What `update` returned is what a store that opens the file later finds.
 * I2 Only ended jobs are pruned, the ones that ended first before the others.
 * I3 A file has one owner at a time; one of another version is not touched.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { invariant, messageOf } from '@switchyard/kernel';
import type { JobState } from '@switchyard/protocol/job-api';
import { agentErrors } from '../errors.ts';
import { changeJob, createJob, isPod, type Job, type JobChange, type NewJob } from './job.ts';
import type { JobPage, JobQuery, JobStore, Retention } from './job-store.ts';
import { outputBytesOf } from './memory-job-store.ts';

const version = 1;

const schema = `
  CREATE TABLE jobs (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    lifecycle TEXT NOT NULL,
    labels TEXT NOT NULL,
    finished_at_ms INTEGER,
    output_bytes INTEGER NOT NULL,
    body TEXT NOT NULL,
    stdout TEXT NOT NULL,
    stderr TEXT NOT NULL
  ) STRICT;
  CREATE INDEX jobs_by_state ON jobs (state, sequence);
  CREATE INDEX jobs_by_end ON jobs (finished_at_ms, sequence) WHERE finished_at_ms IS NOT NULL;
  PRAGMA user_version = ${version};
`;

const selected = 'SELECT sequence, body, stdout, stderr FROM jobs';

/** Opens the store, and makes the file when there is none. Throws JOB_STORE_UNUSABLE or JOB_STORE_VERSION. */
export function openSqliteJobStore(path: string): JobStore {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const found = Number(database.prepare('PRAGMA user_version').get()?.user_version);
    if (found === 0) database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
    else if (found !== version) throw agentErrors.create('JOB_STORE_VERSION', { path, found, expected: version });
    // An exclusive owner shows at the first write.
    database.exec('BEGIN IMMEDIATE; COMMIT;');
    return new SqliteJobStore(database);
  } catch (error) {
    database?.close();
    if (error instanceof Error && error.name === 'PlatformError') throw error;
    throw agentErrors.create('JOB_STORE_UNUSABLE', { path, reason: messageOf(error) }, error);
  }
}

class SqliteJobStore implements JobStore {
  readonly kind = 'sqlite';
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  insert(newJob: NewJob): Job | undefined {
    const draft = createJob(newJob, 0);
    const { changes, lastInsertRowid } = this.#prepare(
      `INSERT INTO jobs (id, state, lifecycle, labels, output_bytes, body, stdout, stderr)
       VALUES (?, ?, ?, ?, 0, ?, '', '') ON CONFLICT (id) DO NOTHING`,
    ).run(draft.id, draft.state, isPod(draft) ? 'pod' : 'job', JSON.stringify(draft.request.labels), toBody(draft));
    return Number(changes) === 0 ? undefined : { ...draft, sequence: Number(lastInsertRowid) };
  }

  get(id: string): Job | undefined {
    const row = this.#prepare(`${selected} WHERE id = ?`).get(id);
    return row === undefined ? undefined : toJob(row);
  }

  update(id: string, change: JobChange): Job {
    const before = this.get(id);
    invariant(before !== undefined, `there is no job ${id}`);
    const job = changeJob(before, change);
    this.#prepare('UPDATE jobs SET state = ?, finished_at_ms = ?, body = ? WHERE id = ?').run(
      job.state,
      job.finishedAtMs,
      toBody(job),
      id,
    );
    if (job.stdout !== before.stdout || job.stderr !== before.stderr)
      this.#prepare('UPDATE jobs SET stdout = ?, stderr = ?, output_bytes = ? WHERE id = ?').run(
        job.stdout,
        job.stderr,
        outputBytesOf(job),
        id,
      );
    return job;
  }

  list({ states, lifecycle, labels, limit, before }: JobQuery): JobPage {
    const conditions: string[] = ['TRUE'];
    const values: SQLInputValue[] = [];
    if (before !== undefined) {
      conditions.push('sequence < ?');
      values.push(before);
    }
    if (states !== undefined) {
      conditions.push(`state IN (${states.map(() => '?').join(', ')})`);
      values.push(...states);
    }
    if (lifecycle !== undefined) {
      conditions.push('lifecycle = ?');
      values.push(lifecycle);
    }
    for (const [name, value] of labels) {
      conditions.push('EXISTS (SELECT 1 FROM json_each(jobs.labels) WHERE key = ? AND value = ?)');
      values.push(name, value);
    }
    const text = `${selected} WHERE ${conditions.join(' AND ')} ORDER BY sequence DESC LIMIT ?`;
    const rows = this.#database.prepare(text).all(...values, limit + 1);
    const jobs = rows.slice(0, limit).map(toJob);
    return { jobs, next: rows.length > limit ? jobs.at(-1)?.sequence : undefined };
  }

  unfinished(): readonly Job[] {
    return this.#prepare(`${selected} WHERE state IN ('queued', 'running') ORDER BY sequence`).all().map(toJob);
  }

  counts(): Readonly<Record<JobState, number>> {
    const counts: Record<JobState, number> = { queued: 0, running: 0, finished: 0, failed: 0 };
    for (const row of this.#prepare('SELECT state, count(*) AS count FROM jobs GROUP BY state').all())
      counts[row.state as JobState] = Number(row.count);
    return counts;
  }

  prune({ maxJobs, maxAgeMs, maxOutputBytes }: Retention, nowMs: number): number {
    const text = `
      DELETE FROM jobs WHERE sequence IN (
        SELECT sequence FROM (
          SELECT sequence, finished_at_ms,
            row_number() OVER newest AS place,
            sum(output_bytes) OVER newest AS bytes
          FROM jobs WHERE finished_at_ms IS NOT NULL
          WINDOW newest AS (ORDER BY finished_at_ms DESC, sequence DESC)
        ) WHERE place > ? OR bytes > ? OR finished_at_ms < ?
      )`;
    return Number(this.#prepare(text).run(maxJobs, maxOutputBytes, nowMs - maxAgeMs).changes);
  }

  close(): void {
    this.#database.close();
  }

  #prepare(text: string): StatementSync {
    const statement = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

/** Everything but what has a column of its own. */
function toBody({ sequence, stdout, stderr, ...body }: Job): string {
  return JSON.stringify(body);
}

function toJob({ sequence, body, stdout, stderr }: Record<string, unknown>): Job {
  // Only this file writes the column, so its type is known.
  const rest = JSON.parse(String(body)) as Omit<Job, 'sequence' | 'stdout' | 'stderr'>;
  return { ...rest, sequence: Number(sequence), stdout: String(stdout), stderr: String(stderr) };
}
