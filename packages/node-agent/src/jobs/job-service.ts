/**
 * What masters can do with an agent: submit, look up, list, follow, cancel. The HTTP API only translates.
 *
 * Phases: Recovering (jobs of an earlier run are taken over; new ones are accepted and wait), Serving, Draining (no more
 * jobs), Closed.
 * Ownership: the agent opens and closes it; it owns the scheduler and the executor.
 *
 * I1 An accepted job is stored before it is answered, and either waits, runs or has ended.
 * I2 A job that waits is cancelled at once and never starts; one that runs is stopped.
 * I3 After a recovery, jobs that waited wait in their old order, and those that ran go on or fail with a reason.
 * I4 While draining nothing is accepted and nothing new starts.
 * I5 With a durable store closing leaves running jobs to their containers; without one it ends them.
 */
import { createDeferred, type Deferred, messageOf, StateMachine, settlesWithin, type Timer } from '@switchyard/kernel';
import { isFinalJobState, type JobError, parseJobRequest } from '@switchyard/protocol/job-api';
import type { AgentMetrics } from '../agent-metrics.ts';
import { admitJob, type JobPolicy } from '../config/job-policy.ts';
import { cancelledMessage } from '../execution/decide-end.ts';
import { JobExecutor } from '../execution/job-executor.ts';
import type { JobOutput } from '../execution/job-output.ts';
import type { JobRunDeps, JobRunOptions } from '../execution/job-run.ts';
import type { WaitingJob } from '../scheduler/pick-next.ts';
import { Scheduler, type SchedulerOptions } from '../scheduler/scheduler.ts';
import { isPod, type Job } from './job.ts';
import type { JobPage, JobQuery, JobStore, Retention } from './job-store.ts';

export interface JobServiceDeps extends Omit<JobRunDeps, 'store'> {
  readonly store: JobStore;
  readonly metrics: Pick<AgentMetrics, 'accepted' | 'rejected' | 'ended'>;
}

export interface JobServiceOptions {
  readonly policy: JobPolicy;
  readonly scheduling: SchedulerOptions;
  readonly running: JobRunOptions;
  readonly retention: Retention;
}

/** What became of a submission. */
export type Submission =
  | { readonly kind: 'accepted'; readonly job: Job }
  | { readonly kind: 'rejected' | 'duplicate'; readonly jobId: string | null; readonly error: JobError };

export type CancelOutcome =
  /** It waited, or had ended already. */
  | { readonly kind: 'cancelled' | 'ended'; readonly job: Job }
  /** It runs, and is being stopped. */
  | { readonly kind: 'requested'; readonly job: Job }
  | { readonly kind: 'not-found' };

type State = { readonly kind: 'Recovering' | 'Serving' | 'Draining' | 'Closed' };

const edges = {
  Recovering: ['Serving', 'Draining', 'Closed'],
  Serving: ['Draining', 'Closed'],
  Draining: ['Closed'],
  Closed: [],
} as const;

/** How often leftovers are looked for, and old results dropped. */
const housekeepingMs = 60_000;
/** When a job that could not be marked as running is tried again. */
const startRetryMs = 5_000;
/** The label by which masters are told apart. */
const masterLabel = 'master';

export class JobService {
  readonly #deps: JobServiceDeps;
  readonly #options: JobServiceOptions;
  readonly #scheduler: Scheduler;
  readonly #executor: JobExecutor;
  readonly #machine = new StateMachine<State>({ kind: 'Recovering' }, edges);
  /** Who waits for the end of a job, or for its beginning; entries go with the job's end. */
  readonly #waiters = new Map<string, Deferred<void>>();
  readonly #beginnings = new Map<string, Deferred<void>>();
  #housekeeping: Timer | undefined;
  #waitingCallers = 0;

  constructor(deps: JobServiceDeps, options: JobServiceOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#scheduler = new Scheduler((jobId) => this.#start(jobId), options.scheduling);
    this.#scheduler.pause();
    this.#executor = new JobExecutor(deps, options.running, {
      ended: (job) => this.#ended(job),
      left: (jobId) => this.#scheduler.ended(jobId),
    });
  }

  get state(): State['kind'] {
    return this.#machine.kind;
  }

  get queued(): number {
    return this.#scheduler.queued;
  }

  running(lane: 'job' | 'pod'): number {
    return this.#scheduler.running(lane);
  }

  /** How many callers wait for a job to begin or to end. */
  get waiting(): number {
    return this.#waitingCallers;
  }

  /** Takes over what an earlier run of the agent left, removes what nobody owns, and starts to work. */
  async open(): Promise<void> {
    for (const job of this.#deps.store.unfinished()) {
      if (job.state === 'queued') this.#scheduler.readmit(toWaiting(job));
      else {
        this.#scheduler.adopt(toWaiting(job));
        this.#executor.execute(job, 'recover');
      }
    }
    await this.#executor.sweep();
    if (!this.#machine.allows('Serving')) return;
    this.#machine.transition({ kind: 'Serving' });
    this.#scheduler.resume();
    this.#scheduleHousekeeping();
  }

  /** Decides on the parsed body of a submission. */
  submit(body: unknown): Submission {
    const submission = this.#judge(body);
    if (submission.kind === 'accepted') {
      this.#deps.metrics.accepted();
      this.#scheduler.readmit(toWaiting(submission.job));
    } else this.#deps.metrics.rejected(submission.error.code);
    return submission;
  }

  /** Turns a submission away whose body could not even be read. */
  refuseBody(problem: string): Extract<Submission, { kind: 'rejected' | 'duplicate' }> {
    const error: JobError = { code: 'INVALID_BODY', message: problem };
    this.#deps.metrics.rejected(error.code);
    return { kind: 'rejected', jobId: null, error };
  }

  get(jobId: string): Job | undefined {
    return this.#deps.store.get(jobId);
  }

  list(query: JobQuery): JobPage {
    return this.#deps.store.list(query);
  }

  /** The live output of a running job. */
  outputOf(jobId: string): JobOutput | undefined {
    return this.#executor.outputOf(jobId);
  }

  /** Resolves when the job has ended, when the signal aborts, or after the time. */
  async ended(jobId: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const job = this.#deps.store.get(jobId);
    if (job === undefined || isFinalJobState(job.state) || this.#machine.kind === 'Closed') return;
    await settlesWithin(this.#deps.clock, timeoutMs, this.#event(this.#waiters, jobId, signal));
  }

  /** Resolves when the job waits no more, whether it runs or has ended, or when the signal aborts. */
  async began(jobId: string, signal: AbortSignal): Promise<void> {
    const job = this.#deps.store.get(jobId);
    if (job?.state !== 'queued' || this.#machine.kind === 'Closed') return;
    await this.#event(this.#beginnings, jobId, signal);
  }

  cancel(jobId: string): CancelOutcome {
    const job = this.#deps.store.get(jobId);
    if (job === undefined) return { kind: 'not-found' };
    if (isFinalJobState(job.state)) return { kind: 'ended', job };
    if (job.state === 'queued') {
      this.#scheduler.withdraw(jobId);
      return { kind: 'cancelled', job: this.#failQueued(job, { code: 'CANCELLED', message: cancelledMessage }) };
    }
    const marked = job.cancelRequested ? job : this.#deps.store.update(jobId, { cancelRequested: true });
    this.#executor.cancel(jobId);
    return { kind: 'requested', job: marked };
  }

  /**
   * Takes no more jobs, and starts none. Resolves when none runs, or after the time. Pods would never end by themselves:
   * without a durable store they are stopped at once.
   */
  async drain(graceMs: number): Promise<void> {
    if (this.#machine.allows('Draining')) this.#machine.transition({ kind: 'Draining' });
    this.#scheduler.pause();
    if (this.#deps.store.kind === 'memory')
      for (const job of this.#deps.store.unfinished()) if (job.state === 'running' && isPod(job)) this.cancel(job.id);
    await settlesWithin(this.#deps.clock, graceMs, this.#executor.settled());
  }

  /** Ends, or leaves to their containers, the jobs that still run; nothing of this process stays. */
  async close(): Promise<void> {
    if (!this.#machine.allows('Closed')) return;
    this.#scheduler.pause();
    const isDurable = this.#deps.store.kind !== 'memory';
    if (isDurable) this.#executor.detachAll();
    else this.#executor.cancelAll();
    await this.#executor.settled();
    this.#housekeeping?.cancel();
    this.#machine.transition({ kind: 'Closed' });
    if (!isDurable) this.#failWaiting();
    for (const waiters of [this.#waiters, this.#beginnings]) {
      for (const waiter of waiters.values()) waiter.resolve();
      waiters.clear();
    }
    this.#deps.driver.close();
    this.#deps.store.close();
  }

  #judge(body: unknown): Submission {
    const reading = parseJobRequest(body);
    if (reading.kind === 'rejected') return reading;
    const { request } = reading;
    const jobId = request.job_id;
    const reject = (error: JobError): Submission => ({ kind: 'rejected', jobId, error });
    if (this.#deps.store.get(jobId) !== undefined) return duplicateOf(jobId);
    if (this.#machine.kind === 'Draining' || this.#machine.kind === 'Closed')
      return reject({ code: 'AGENT_DRAINING', message: 'The agent is about to stop. Send the job to another one.' });
    const admission = admitJob(request, this.#options.policy);
    if (admission.kind === 'refused') return reject(admission.error);
    if (this.#scheduler.isFull) {
      const message = `${this.#scheduler.queued} jobs wait already, and no more may (max_queued_jobs). Try again later.`;
      return reject({ code: 'QUEUE_FULL', message });
    }
    const { limits, network } = admission;
    const job = this.#deps.store.insert({ id: jobId, request, limits, network, createdAtMs: this.#deps.clock.now() });
    return job === undefined ? duplicateOf(jobId) : { kind: 'accepted', job };
  }

  #start(jobId: string): void {
    let job: Job;
    try {
      job = this.#deps.store.update(jobId, { state: 'running', startedAtMs: this.#deps.clock.now() });
    } catch (error) {
      this.#postpone(jobId, error);
      return;
    }
    tell(this.#beginnings, jobId);
    this.#executor.execute(job, 'start');
  }

  /** A store that cannot be written now, on a full disk for instance, keeps the job from starting, and only it. */
  #postpone(jobId: string, error: unknown): void {
    this.#deps.log.write('error', 'A job could not be marked as running; it waits', { jobId, error: messageOf(error) });
    this.#scheduler.ended(jobId);
    this.#deps.clock.schedule(startRetryMs, () => {
      const job = this.#machine.kind === 'Serving' ? this.#deps.store.get(jobId) : undefined;
      if (job?.state === 'queued') this.#scheduler.readmit(toWaiting(job));
    });
  }

  /** Resolves with the event, or when the signal aborts. */
  async #event(waiters: Map<string, Deferred<void>>, jobId: string, signal: AbortSignal): Promise<void> {
    const waiter = waiters.get(jobId) ?? createDeferred<void>();
    waiters.set(jobId, waiter);
    const aborted = createDeferred<void>();
    const abort = (): void => aborted.resolve();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    this.#waitingCallers += 1;
    await Promise.race([waiter.promise, aborted.promise]);
    this.#waitingCallers -= 1;
    signal.removeEventListener('abort', abort);
  }

  #failQueued(job: Job, error: JobError): Job {
    const failed = this.#deps.store.update(job.id, { state: 'failed', finishedAtMs: this.#deps.clock.now(), error });
    this.#ended(failed);
    return failed;
  }

  #failWaiting(): void {
    const error: JobError = { code: 'CANCELLED', message: 'The agent stopped before the job could start.' };
    for (const job of this.#deps.store.unfinished()) {
      this.#scheduler.withdraw(job.id);
      if (job.state === 'queued') this.#failQueued(job, error);
    }
  }

  #ended(job: Job): void {
    this.#deps.metrics.ended(job);
    for (const waiters of [this.#waiters, this.#beginnings]) tell(waiters, job.id);
    this.#prune();
  }

  /** A store that cannot be written now is tried again at the next end, or a minute later. */
  #prune(): void {
    try {
      this.#deps.store.prune(this.#options.retention, this.#deps.clock.now());
    } catch (error) {
      this.#deps.log.write('error', 'Old results could not be dropped', { error: messageOf(error) });
    }
  }

  #scheduleHousekeeping(): void {
    this.#housekeeping = this.#deps.clock.schedule(housekeepingMs, () => {
      this.#prune();
      void this.#executor.sweep().then(() => {
        if (this.#machine.kind === 'Serving') this.#scheduleHousekeeping();
      });
    });
  }
}

function tell(waiters: Map<string, Deferred<void>>, jobId: string): void {
  waiters.get(jobId)?.resolve();
  waiters.delete(jobId);
}

function toWaiting(job: Job): WaitingJob {
  const { labels } = job.request;
  const master = Object.hasOwn(labels, masterLabel) ? (labels[masterLabel] ?? '') : '';
  return { id: job.id, lane: isPod(job) ? 'pod' : 'job', master };
}

function duplicateOf(jobId: string): Submission {
  const message = `This agent has a job '${jobId}' already. Look it up, or choose another job_id.`;
  return { kind: 'duplicate', jobId, error: { code: 'JOB_ID_ALREADY_EXISTS', message } };
}
