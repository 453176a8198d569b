/**
 * Runs the jobs of a store as they become due.
 *
 * Ownership: the background capability owns the runner; the runner owns the work that it began.
 *
 * I1 No more than `concurrency` jobs run at once.
 * I2 A failure that may pass is tried again after a growing pause, until the attempts are used up.
 * I3 Cancelling a job stops its work at once.
 * I4 After `close` nothing begins, and what ran is stopped; the store still knows of it.
 */
import { backoffMs, type Clock, isPlatformError, messageOf, type Random, type Timer } from '@switchyard/kernel';
import { libraryErrors } from '../errors.ts';
import type { ClaimedJob, JobStore } from './job-store.ts';

/** One kind of job. It rejects to fail; a platform error that says so is tried again. */
export type JobWork = (payload: unknown, signal: AbortSignal) => Promise<unknown>;

export interface JobRunnerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: JobStore;
  readonly kinds: ReadonlyMap<string, JobWork>;
}

export interface JobRunnerOptions {
  readonly concurrency: number;
  /** No attempt takes longer. */
  readonly maxAttemptMs: number;
  /** The pause after the first failure; it doubles with each. */
  readonly retryMinimumMs: number;
}

/** How pauses grow, and the longest one. */
const retryPause = { maximumMs: 300_000, factor: 2, jitter: 0.2 };

/** A pause between two looks at the store, for jobs that another process queued. */
const maxSleepMs = 60_000;

interface RunningJob {
  readonly job: ClaimedJob;
  readonly controller: AbortController;
}

export class JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #options: JobRunnerOptions;
  readonly #running = new Map<string, RunningJob>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(deps: JobRunnerDeps, options: JobRunnerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Begins whatever is due; called after every change, and by itself when the next job becomes due. */
  wake(): void {
    if (this.#closed) return;
    const { store, clock } = this.#deps;
    while (this.#running.size < this.#options.concurrency) {
      const job = store.claim();
      if (job === undefined) break;
      void this.#run(job);
    }
    this.#timer?.cancel();
    const dueAtMs = store.nextDueAtMs() ?? Number.POSITIVE_INFINITY;
    const sleepMs = Math.min(maxSleepMs, Math.max(0, dueAtMs - clock.now()));
    // With every place taken, the next end wakes it.
    if (this.#running.size < this.#options.concurrency) this.#timer = clock.schedule(sleepMs, () => this.wake());
  }

  /** Stops the work of a job that was cancelled. */
  cancelled(id: string): void {
    const running = this.#running.get(id);
    running?.controller.abort(
      libraryErrors.create('TASK_STOPPED', { task: running.job.kind, reason: 'it was cancelled' }),
    );
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const { controller, job } of this.#running.values())
      controller.abort(libraryErrors.create('TASK_STOPPED', { task: job.kind, reason: 'the capability is unloaded' }));
  }

  async #run(job: ClaimedJob): Promise<void> {
    const { store, kinds, clock } = this.#deps;
    const { maxAttemptMs } = this.#options;
    const controller = new AbortController();
    this.#running.set(job.id, { job, controller });
    const late = libraryErrors.create('TASK_STOPPED', {
      task: job.kind,
      reason: `it took more than ${maxAttemptMs} ms`,
    });
    const timer = clock.schedule(maxAttemptMs, () => controller.abort(late));
    try {
      const work = kinds.get(job.kind);
      if (work === undefined)
        throw libraryErrors.create('TASK_FAILED', { task: job.kind, reason: 'there is no such kind' });
      const result = await work(job.payload, controller.signal);
      if (!this.#closed) store.finish(job, { result });
    } catch (error) {
      if (!this.#closed) this.#failed(job, error);
    } finally {
      timer.cancel();
      this.#running.delete(job.id);
      this.wake();
    }
  }

  #failed(job: ClaimedJob, error: unknown): void {
    const { store, clock, random } = this.#deps;
    const reason = messageOf(error).slice(0, 2_000);
    const mayPass = isPlatformError(error) && error.retry !== 'never';
    if (!mayPass || job.attempts >= job.maxAttempts) store.finish(job, { error: reason });
    else store.retry(job, clock.now() + this.#pauseMs(job, random), reason);
  }

  #pauseMs({ attempts }: ClaimedJob, random: Random): number {
    return backoffMs({ ...retryPause, minimumMs: this.#options.retryMinimumMs }, attempts - 1, random);
  }
}
