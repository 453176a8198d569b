/** What an agent answers about a job. */
import { z } from 'zod';
import { type JobError, jobErrorSchema } from './job-error.ts';

/** States of a stored job, in the order of a job's life. */
export const jobStates = ['queued', 'running', 'finished', 'failed'] as const;
export type JobState = (typeof jobStates)[number];

/** Which state may follow which. A job that somebody cancels while it waits fails without having run. */
export const jobStateEdges: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ['running', 'failed'],
  running: ['finished', 'failed'],
  finished: [],
  failed: [],
};

/** True when nothing more happens to a job. */
export function isFinalJobState(state: JobState): boolean {
  return jobStateEdges[state].length === 0;
}

/** ISO 8601 in UTC with milliseconds. */
const timestamp = z.iso.datetime();

const imageSchema = z.object({
  /** What the job asked for, in full; for a build the name under which it was built. */
  reference: z.string(),
  /** The content hash of the image that ran. */
  id: z.string(),
  /** The digest under which a registry has it; null for images that came from no registry. */
  digest: z.string().nullable(),
});

export const effectiveLimitsSchema = z.object({
  memory_mb: z.int(),
  /** Null for a pod, which has no time limit. */
  max_runtime_seconds: z.int().nullable(),
  cpus: z.number(),
  pids: z.int(),
  output_bytes: z.int(),
});

/** A job without what it printed. */
export const jobSummarySchema = z.object({
  job_id: z.string(),
  state: z.enum(jobStates),
  created_at: timestamp,
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
  exit_code: z.int().nullable(),
  error: jobErrorSchema.nullable(),
  task_type: z.string(),
  labels: z.record(z.string(), z.string()),
  mode: z.enum(['image', 'build']),
  lifecycle: z.enum(['job', 'pod']),
  image: imageSchema.nullable(),
  limits: effectiveLimitsSchema,
  cancel_requested: z.boolean(),
  restarts: z.int(),
  health: z.enum(['none', 'starting', 'healthy', 'unhealthy']),
  /** Where a pod can be reached: its own address, and the host's port of each port that it asked for. */
  address: z.string().nullable(),
  ports: z.record(z.string(), z.int()),
});

export const jobRecordSchema = jobSummarySchema.extend({
  stdout: z.string(),
  stderr: z.string(),
  /** Bytes that are not in `stdout` and `stderr`, because there were too many. */
  stdout_dropped_bytes: z.int(),
  stderr_dropped_bytes: z.int(),
});

export type JobSummary = z.infer<typeof jobSummarySchema>;
export type JobRecord = z.infer<typeof jobRecordSchema>;
export type EffectiveLimits = z.infer<typeof effectiveLimitsSchema>;
export type ResolvedImage = z.infer<typeof imageSchema>;

export const acceptedSchema = z.object({ accepted: z.literal(true), job_id: z.string(), state: z.literal('queued') });

export const rejectedSchema = z.object({
  accepted: z.literal(false),
  job_id: z.string().nullable(),
  state: z.literal('rejected'),
  error: jobErrorSchema,
});

export const jobNotFoundSchema = z.object({ job_id: z.string(), state: z.literal('not_found'), error: jobErrorSchema });

export const cancellationSchema = z.object({ job_id: z.string(), state: z.enum(jobStates), note: z.string() });

export const jobListSchema = z.object({ jobs: z.array(jobSummarySchema), next_cursor: z.string().nullable() });

/** An answer about the request itself: a wrong path, method, query or token. */
export const refusalSchema = z.object({ error: jobErrorSchema });

export type JobAccepted = z.infer<typeof acceptedSchema>;
export type JobRejected = z.infer<typeof rejectedSchema> & { readonly error: JobError };
export type Cancellation = z.infer<typeof cancellationSchema>;
export type JobList = z.infer<typeof jobListSchema>;
