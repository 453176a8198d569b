/** Bodies of jobs for the tests of the node agent. */
import { testImage } from '@switchyard/node-agent/testing';

export interface JobOverrides {
  readonly payload?: unknown;
  readonly runtime?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A job that runs a command in the image that the test engine has. */
export function job(jobId: string, cmd: readonly string[], { payload, runtime, labels }: JobOverrides = {}) {
  return {
    protocol_version: 1,
    job_id: jobId,
    task: { type: 'test', ...(payload === undefined ? {} : { payload }) },
    runtime: { mode: 'image', image: testImage, cmd, ...runtime },
    ...(labels === undefined ? {} : { labels }),
  };
}

/** The same for a line of shell. */
export function shellJob(jobId: string, script: string, overrides: JobOverrides = {}) {
  return job(jobId, ['sh', '-c', script], overrides);
}
