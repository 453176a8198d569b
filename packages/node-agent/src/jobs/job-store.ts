/**
 * Where jobs are kept. Every call is synchronous, so that what one request decides no other can overtake.
 *
 * Contract, shown by `testing/job-store-contract.ts` on every implementation: an id is inserted once; jobs leave only
 * by pruning, which takes ended ones alone; what `update` returned is what `get` returns, also after reopening a
 * durable store.
 */
import type { JobState } from '@switchyard/protocol/job-api';
import type { Job, JobChange, NewJob } from './job.ts';

export interface JobStore {
  readonly kind: 'memory' | 'sqlite';
  /** Adds a queued job; undefined when its id is taken. */
  insert(job: NewJob): Job | undefined;
  get(id: string): Job | undefined;
  /** Changes a job and returns it. Throws when there is none of that id, or when the change breaks an invariant. */
  update(id: string, change: JobChange): Job;
  /** Newest first. */
  list(query: JobQuery): JobPage;
  /** Queued and running jobs, oldest first. */
  unfinished(): readonly Job[];
  counts(): Readonly<Record<JobState, number>>;
  /** Removes ended jobs that `retention` does not keep; returns how many. */
  prune(retention: Retention, nowMs: number): number;
  close(): void;
}

export interface JobQuery {
  /** Undefined takes all. */
  readonly states: readonly JobState[] | undefined;
  readonly lifecycle: 'job' | 'pod' | undefined;
  /** All of them must fit. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly limit: number;
  /** Only jobs that are older than the one of this sequence. */
  readonly before: number | undefined;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  /** The `before` of the next page; undefined when there is none. */
  readonly next: number | undefined;
}

/** How many ended jobs stay, and for how long. */
export interface Retention {
  readonly maxJobs: number;
  readonly maxAgeMs: number;
  /** Of their output, all together. */
  readonly maxOutputBytes: number;
}
