/**
 * The jobs that run now.
 *
 * Ownership: the job service starts, cancels and follows; each run owns its container and workspace.
 *
 * I1 A job has at most one run at a time.
 * I2 `ended` is called once per run that ended, and `left` once per run, after its container is gone.
 * I3 A sweep removes containers and workspaces of jobs that have no run, and no others.
 */
import { invariant, messageOf } from '@switchyard/kernel';
import type { Job } from '../jobs/job.ts';
import type { JobOutput } from './job-output.ts';
import { JobRun, type JobRunDeps, type JobRunOptions } from './job-run.ts';

export interface JobExecutorEvents {
  /** A job's end is stored. */
  ended(job: Job): void;
  /** Nothing of a job is left on the machine. */
  left(jobId: string): void;
}

export class JobExecutor {
  readonly #deps: JobRunDeps;
  readonly #options: JobRunOptions;
  readonly #events: JobExecutorEvents;
  readonly #runs = new Map<string, { readonly run: JobRun; readonly done: Promise<void> }>();

  constructor(deps: JobRunDeps, options: JobRunOptions, events: JobExecutorEvents) {
    this.#deps = deps;
    this.#options = options;
    this.#events = events;
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Runs a job that is marked as running. */
  execute(job: Job, begin: 'start' | 'recover'): void {
    invariant(!this.#runs.has(job.id), `the job ${job.id} has a run already`);
    const run = new JobRun(this.#deps, this.#options, job);
    const done = run
      .run(begin, (ended) => this.#events.ended(ended))
      .then(() => {
        this.#runs.delete(job.id);
        this.#events.left(job.id);
      });
    this.#runs.set(job.id, { run, done });
  }

  cancel(jobId: string): void {
    this.#runs.get(jobId)?.run.cancel();
  }

  outputOf(jobId: string): JobOutput | undefined {
    return this.#runs.get(jobId)?.run.output;
  }

  cancelAll(): void {
    for (const { run } of this.#runs.values()) run.cancel();
  }

  detachAll(): void {
    for (const { run } of this.#runs.values()) run.detach();
  }

  /** Resolves when no job runs any more. */
  async settled(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all([...this.#runs.values()].map(({ done }) => done));
  }

  /** Removes what an earlier run of the agent, or a failed removal, left behind. */
  async sweep(): Promise<void> {
    const { driver, workspaces, log } = this.#deps;
    try {
      for (const taskId of await driver.list()) {
        if (this.#runs.has(taskId)) continue;
        log.write('information', 'Removing a container that belongs to no running job', { jobId: taskId });
        await driver.destroy(taskId);
      }
      await workspaces.sweep(() => this.#runs.keys());
    } catch (error) {
      log.write('warning', 'Leftover containers could not be removed', { error: messageOf(error) });
    }
  }
}
