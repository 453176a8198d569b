/**
 * A job as the agent keeps it: one immutable value per moment, moved along by `changeJob` alone.
 *
 * I1 The state only takes the edges of the protocol; a change of anything else leaves it.
 * I2 A final job has an end time, and what it was given (payload, build context) is forgotten.
 * I3 A finished job has exit code 0 and no error; a failed one has an error.
 */
import { invariant } from '@switchyard/kernel';
import {
  type EffectiveLimits,
  isFinalJobState,
  type JobError,
  type JobRecord,
  type JobRequest,
  type JobState,
  type JobSummary,
  jobStateEdges,
  type ResolvedImage,
} from '@switchyard/protocol/job-api';

export type JobHealth = JobSummary['health'];

/** A job that has just been accepted. */
export interface NewJob {
  readonly id: string;
  readonly request: JobRequest;
  readonly limits: EffectiveLimits;
  readonly network: string;
  readonly createdAtMs: number;
}

export interface Job extends NewJob {
  /** Position in the order of arrival; grows. */
  readonly sequence: number;
  readonly state: JobState;
  readonly startedAtMs: number | null;
  /** When its program may have begun to run; from then on it is never begun again. */
  readonly launchedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly exitCode: number | null;
  readonly error: JobError | null;
  readonly image: ResolvedImage | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutDroppedBytes: number;
  readonly stderrDroppedBytes: number;
  readonly cancelRequested: boolean;
  readonly restarts: number;
  readonly health: JobHealth;
  readonly address: string | null;
  readonly ports: Readonly<Record<string, number>>;
}

/** What may change in a job's life. */
export type JobChange = Partial<Omit<Job, keyof NewJob | 'sequence'>>;

/** The job at its beginning: queued. */
export function createJob(newJob: NewJob, sequence: number): Job {
  return {
    ...newJob,
    sequence,
    state: 'queued',
    startedAtMs: null,
    launchedAtMs: null,
    finishedAtMs: null,
    exitCode: null,
    error: null,
    image: null,
    stdout: '',
    stderr: '',
    stdoutDroppedBytes: 0,
    stderrDroppedBytes: 0,
    cancelRequested: false,
    restarts: 0,
    health: newJob.request.runtime.health === undefined ? 'none' : 'starting',
    address: null,
    ports: {},
  };
}

/** The job after a change. Throws when the change breaks an invariant. */
export function changeJob(job: Job, change: JobChange): Job {
  const next: Job = { ...job, ...change };
  if (next.state === job.state) {
    invariant(!isFinalJobState(job.state), `job ${job.id} has ended, and nothing about it changes any more`);
    return next;
  }
  invariant(jobStateEdges[job.state].includes(next.state), `no edge from ${job.state} to ${next.state}`);
  if (!isFinalJobState(next.state)) return next;
  invariant(next.finishedAtMs !== null, `job ${job.id} ended at no time`);
  const succeeded = next.exitCode === 0 && next.error === null;
  invariant(next.state === 'finished' ? succeeded : next.error !== null, `job ${job.id} ended without a reason`);
  return { ...next, request: withoutInputs(next.request) };
}

export function isPod(job: Pick<Job, 'request'>): boolean {
  return job.request.runtime.lifecycle === 'pod';
}

/** What a master sees. */
export function toJobRecord(job: Job): JobRecord {
  return {
    ...toJobSummary(job),
    stdout: job.stdout,
    stderr: job.stderr,
    stdout_dropped_bytes: job.stdoutDroppedBytes,
    stderr_dropped_bytes: job.stderrDroppedBytes,
  };
}

export function toJobSummary(job: Job): JobSummary {
  const { runtime, task, labels } = job.request;
  return {
    job_id: job.id,
    state: job.state,
    created_at: toTimestamp(job.createdAtMs),
    started_at: job.startedAtMs === null ? null : toTimestamp(job.startedAtMs),
    finished_at: job.finishedAtMs === null ? null : toTimestamp(job.finishedAtMs),
    exit_code: job.exitCode,
    error: job.error,
    task_type: task.type,
    labels,
    mode: runtime.mode,
    lifecycle: runtime.lifecycle,
    image: job.image,
    limits: job.limits,
    cancel_requested: job.cancelRequested,
    restarts: job.restarts,
    health: job.health,
    address: job.address,
    ports: job.ports,
  };
}

function toTimestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Finished jobs are kept for their results; inputs may be large. */
function withoutInputs(request: JobRequest): JobRequest {
  const { build, ...runtime } = request.runtime;
  return {
    ...request,
    task: { type: request.task.type },
    runtime: build === undefined ? runtime : { ...runtime, build: { dockerfile: build.dockerfile } },
  };
}
