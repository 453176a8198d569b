import { jobRecordSchema, jobStates } from '@switchyard/protocol/job-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleJob } from '../testing/sample-job.ts';
import { changeJob, createJob, type JobChange, toJobRecord } from './job.ts';

const queued = createJob(sampleJob('a'), 1);
const running = changeJob(queued, { state: 'running', startedAtMs: 1 });
const error = { code: 'TIMEOUT', message: 'too long' } as const;

describe('changeJob', () => {
  it('I1: takes the edges of the protocol alone', () => {
    expect(() => changeJob(queued, { state: 'finished', finishedAtMs: 1, exitCode: 0 })).toThrow('no edge');
    const ended = changeJob(running, { state: 'failed', finishedAtMs: 2, error });
    expect(() => changeJob(ended, { state: 'running' })).toThrow('no edge');
    expect(() => changeJob(ended, { stdout: 'more' })).toThrow('has ended');
    expect(changeJob(running, { cancelRequested: true }).state).toBe('running');
  });

  it('I2: forgets inputs at the end, and wants an end time', () => {
    const build = { dockerfile: 'FROM scratch', context: { a: 'large' } };
    const job = createJob(sampleJob('b', { runtime: { mode: 'build', image: undefined, build } }), 1);
    const ended = changeJob(job, { state: 'failed', finishedAtMs: 5, error });
    expect(ended.request.task).toEqual({ type: 'sample' });
    expect(ended.request.runtime.build).toEqual({ dockerfile: 'FROM scratch' });
    expect(() => changeJob(running, { state: 'failed', error })).toThrow('ended at no time');
  });

  it('I3: wants exit code 0 of a finished job, and an error of a failed one', () => {
    const end = { finishedAtMs: 2 };
    expect(() => changeJob(running, { state: 'finished', exitCode: 1, ...end })).toThrow('without a reason');
    expect(() => changeJob(running, { state: 'finished', exitCode: 0, error, ...end })).toThrow('without a reason');
    expect(() => changeJob(running, { state: 'failed', exitCode: 0, ...end })).toThrow('without a reason');
  });

  it('I1, I2, I3: hold after any changes', () => {
    const change = fc.record(
      {
        state: fc.constantFrom(...jobStates),
        finishedAtMs: fc.constantFrom(null, 7),
        exitCode: fc.constantFrom(null, 0, 3),
        error: fc.constantFrom(null, error),
        startedAtMs: fc.constant(1),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<JobChange>;
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        let job = queued;
        for (const one of changes) {
          const before = job;
          try {
            job = changeJob(job, one);
          } catch {
            continue;
          }
          if (before.state === 'finished' || before.state === 'failed') expect(job).toEqual(before);
          if (job.state === 'finished') expect([job.exitCode, job.error, job.finishedAtMs]).toEqual([0, null, 7]);
          if (job.state === 'failed') expect([job.error, job.finishedAtMs]).toEqual([error, 7]);
        }
        expect(jobRecordSchema.parse(toJobRecord(job)).job_id).toBe('a');
      }),
    );
  });
});
