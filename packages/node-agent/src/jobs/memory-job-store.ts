/**
 * Jobs in memory, as version 1 of the protocol has it: a restart of the agent forgets them.
 *
 * I1 Jobs are held in the order of their sequence, and an id is held once.
 * I2 Only ended jobs are pruned, the ones that ended first before the others.
 */
import { invariant } from '@switchyard/kernel';
import { isFinalJobState, type JobState } from '@switchyard/protocol/job-api';
import { changeJob, createJob, type Job, type JobChange, type NewJob } from './job.ts';
import type { JobPage, JobQuery, JobStore, Retention } from './job-store.ts';

export class MemoryJobStore implements JobStore {
  readonly kind = 'memory';
  readonly #jobs = new Map<string, Job>();
  readonly #counts: Record<JobState, number> = { queued: 0, running: 0, finished: 0, failed: 0 };
  /** Ids of ended jobs in the order in which they ended. */
  readonly #ended = new Set<string>();
  #sequence = 0;
  #outputBytes = 0;

  insert(newJob: NewJob): Job | undefined {
    if (this.#jobs.has(newJob.id)) return undefined;
    this.#sequence += 1;
    const job = createJob(newJob, this.#sequence);
    this.#jobs.set(job.id, job);
    this.#counts.queued += 1;
    return job;
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  update(id: string, change: JobChange): Job {
    const before = this.#jobs.get(id);
    invariant(before !== undefined, `there is no job ${id}`);
    const job = changeJob(before, change);
    this.#jobs.set(id, job);
    if (job.state !== before.state) this.#moved(before.state, job);
    return job;
  }

  list({ states, lifecycle, labels, limit, before = Number.POSITIVE_INFINITY }: JobQuery): JobPage {
    const jobs: Job[] = [];
    for (const job of [...this.#jobs.values()].reverse()) {
      if (job.sequence >= before) continue;
      if (states !== undefined && !states.includes(job.state)) continue;
      if (lifecycle !== undefined && job.request.runtime.lifecycle !== lifecycle) continue;
      if (!labels.every(([name, value]) => labelOf(job, name) === value)) continue;
      if (jobs.length === limit) return { jobs, next: jobs.at(-1)?.sequence };
      jobs.push(job);
    }
    return { jobs, next: undefined };
  }

  unfinished(): readonly Job[] {
    return [...this.#jobs.values()].filter(({ state }) => !isFinalJobState(state));
  }

  counts(): Readonly<Record<JobState, number>> {
    return { ...this.#counts };
  }

  prune({ maxJobs, maxAgeMs, maxOutputBytes }: Retention, nowMs: number): number {
    let pruned = 0;
    for (const id of this.#ended) {
      const job = this.#jobs.get(id);
      invariant(job?.finishedAtMs != null, `job ${id} is kept as ended, and is not`);
      const isKept =
        this.#ended.size <= maxJobs && this.#outputBytes <= maxOutputBytes && nowMs - job.finishedAtMs <= maxAgeMs;
      if (isKept) break;
      this.#remove(job);
      pruned += 1;
    }
    return pruned;
  }

  close(): void {}

  #moved(from: JobState, job: Job): void {
    this.#counts[from] -= 1;
    this.#counts[job.state] += 1;
    if (!isFinalJobState(job.state)) return;
    this.#ended.add(job.id);
    this.#outputBytes += outputBytesOf(job);
  }

  #remove(job: Job): void {
    this.#jobs.delete(job.id);
    this.#ended.delete(job.id);
    this.#counts[job.state] -= 1;
    this.#outputBytes -= outputBytesOf(job);
  }
}

/** What a job's output takes, nearly: texts are mostly ASCII. */
export function outputBytesOf({ stdout, stderr }: Pick<Job, 'stdout' | 'stderr'>): number {
  return stdout.length + stderr.length;
}

function labelOf({ request: { labels } }: Job, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}
