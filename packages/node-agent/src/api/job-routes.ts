/** What the API answers about jobs. Statuses are those of version 1 of the protocol. */
import type { Clock } from '@switchyard/kernel';
import type { Cancellation, JobAccepted, JobError, JobList, JobRejected } from '@switchyard/protocol/job-api';
import { toJobRecord, toJobSummary } from '../jobs/job.ts';
import type { CancelOutcome, JobService } from '../jobs/job-service.ts';
import { jobEvents } from './job-events.ts';
import { readFollow, readListQuery, readWaitMs } from './job-queries.ts';
import type { Reply } from './reply.ts';
import type { BodyReading } from './request-body.ts';

export interface JobRoutesDeps {
  readonly service: Pick<
    JobService,
    'submit' | 'refuseBody' | 'get' | 'list' | 'cancel' | 'ended' | 'began' | 'outputOf'
  >;
  readonly clock: Clock;
}

/** When a master whose job found no place may come again. */
const retryHeaders = { 'retry-after': '1' };

export function submitJob({ service }: JobRoutesDeps, body: BodyReading): Reply {
  const submission = body.kind === 'read' ? service.submit(body.value) : service.refuseBody(body.problem);
  if (submission.kind === 'accepted') {
    const value: JobAccepted = { accepted: true, job_id: submission.job.id, state: 'queued' };
    return { kind: 'json', status: 202, value };
  }
  const { jobId, error } = submission;
  const value: JobRejected = { accepted: false, job_id: jobId, state: 'rejected', error };
  const status = submission.kind === 'duplicate' ? 409 : 400;
  return error.code === 'QUEUE_FULL'
    ? { kind: 'json', status, value, headers: retryHeaders }
    : { kind: 'json', status, value };
}

export function listJobs({ service }: JobRoutesDeps, query: URLSearchParams): Reply {
  const { jobs, next } = service.list(readListQuery(query));
  const value: JobList = { jobs: jobs.map(toJobSummary), next_cursor: next === undefined ? null : String(next) };
  return { kind: 'json', status: 200, value };
}

export async function lookUpJob(
  { service }: JobRoutesDeps,
  jobId: string,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<Reply> {
  const waitMs = readWaitMs(query);
  if (waitMs > 0) await service.ended(jobId, waitMs, signal);
  const job = service.get(jobId);
  return job === undefined ? notFound(jobId) : { kind: 'json', status: 200, value: toJobRecord(job) };
}

export function cancelJob({ service }: JobRoutesDeps, jobId: string): Reply {
  const outcome = service.cancel(jobId);
  if (outcome.kind === 'not-found') return notFound(jobId);
  const value: Cancellation = { job_id: jobId, state: outcome.job.state, note: noteOf(outcome) };
  return { kind: 'json', status: outcome.kind === 'requested' ? 202 : 200, value };
}

export function followJob(
  { service }: JobRoutesDeps,
  jobId: string,
  query: URLSearchParams,
  signal: AbortSignal,
): Reply {
  const follow = readFollow(query);
  if (service.get(jobId) === undefined) return notFound(jobId);
  return { kind: 'events', events: jobEvents(service, jobId, follow, signal) };
}

function notFound(jobId: string): Reply {
  const message = 'This agent knows no job of that id: it never had one, or has dropped its result (retention).';
  const error: JobError = { code: 'NOT_FOUND', message };
  return { kind: 'json', status: 404, value: { job_id: jobId, state: 'not_found', error } };
}

function noteOf(outcome: Exclude<CancelOutcome, { kind: 'not-found' }>): string {
  if (outcome.kind === 'cancelled') return 'The job waited, and will not start.';
  if (outcome.kind === 'requested') return 'The job is being stopped. Look it up to see its end.';
  return 'The job had ended already; nothing was changed.';
}
