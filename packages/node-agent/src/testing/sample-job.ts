import type { EffectiveLimits, JobRequest, JobRequestInput } from '@switchyard/protocol/job-api';
import { parseJobRequest } from '@switchyard/protocol/job-api';
import type { NewJob } from '../jobs/job.ts';

export const sampleLimits: EffectiveLimits = {
  memory_mb: 64,
  max_runtime_seconds: 30,
  cpus: 1,
  pids: 64,
  output_bytes: 1_024,
};

type Overrides = Partial<Omit<JobRequestInput, 'runtime'>> & { readonly runtime?: Partial<JobRequestInput['runtime']> };

/** The body of a job that runs `echo hello` in busybox. */
export function sampleBody(id: string, { runtime, ...rest }: Overrides = {}): JobRequestInput {
  return {
    protocol_version: 1,
    job_id: id,
    task: { type: 'sample', payload: { id } },
    runtime: { mode: 'image', image: 'busybox', cmd: ['echo', 'hello'], ...runtime },
    ...rest,
  };
}

/** The same, checked. */
export function sampleRequest(id: string, overrides: Overrides = {}): JobRequest {
  const reading = parseJobRequest(sampleBody(id, overrides));
  if (reading.kind === 'valid') return reading.request;
  throw new Error(`the sample is no job: ${reading.error.message}`);
}

/** The same, accepted. */
export function sampleJob(id: string, overrides: Overrides = {}, createdAtMs = 0): NewJob {
  return { id, request: sampleRequest(id, overrides), limits: sampleLimits, network: 'none', createdAtMs };
}
