import { type Clock, sleep } from '@switchyard/kernel';
import type { JobStatus, JobStore } from './job-store.ts';

/** How often a waiting caller's job is looked at, growing from the first to the second, in milliseconds. */
const [firstPauseMs, longestPauseMs] = [5, 500];

/** Callers that wait for the end of jobs; jobs may end in another process, so the store is what tells. */
export class JobWaiters {
  readonly #clock: Clock;
  readonly #store: JobStore;

  constructor(clock: Clock, store: JobStore) {
    this.#clock = clock;
    this.#store = store;
  }

  /** Resolves with the job's status once it has ended; rejects when the caller gives up. */
  async wait(account: string, id: string, signal: AbortSignal): Promise<JobStatus> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      const status = this.#store.status(account, id);
      if (status.state !== 'queued' && status.state !== 'running') return status;
      await sleep(this.#clock, pauseMs, signal);
    }
  }
}
