import assert from 'node:assert/strict';
import type { AgentCase, AgentUnderTest, JobBody } from '../contract.ts';
import { errorCode } from '../error-code.ts';

/** A body that must be rejected with a code, and leaves nothing behind. */
function rejection(
  name: string,
  codes: readonly string[],
  change: (job: JobBody & { readonly job_id: string }) => unknown,
): AgentCase {
  return {
    section: 'POST /jobs: rejected',
    name,
    async run(agent) {
      const job = agent.job('echo never');
      const { status, json, text } = await agent.post(change(job));
      assert.equal(status, 400, text);
      assert.equal(json?.accepted, false);
      assert.equal(json?.state, 'rejected');
      const error = json?.error as { code?: string; message?: string } | undefined;
      assert.ok(codes.includes(error?.code ?? ''), `the code is ${error?.code}, not one of ${codes.join(', ')}`);
      assert.ok((error?.message ?? '').length > 0, 'there is no message');
      await requireUnknown(agent, job.job_id);
    },
  };
}

async function requireUnknown(agent: AgentUnderTest, jobId: string): Promise<void> {
  const { status, json } = await agent.call(`/jobs/${jobId}`);
  assert.equal(status, 404);
  assert.equal(json?.state, 'not_found');
}

const runtimeOf = (job: JobBody): Readonly<Record<string, unknown>> => job.runtime as Readonly<Record<string, unknown>>;

export const submissionCases: readonly AgentCase[] = [
  {
    section: 'POST /jobs: accepted',
    name: 'answers 202 with the id and the state',
    async run(agent) {
      const job = agent.job('echo x');
      const { status, json } = await agent.post(job);
      assert.equal(status, 202);
      assert.equal(json?.accepted, true);
      assert.equal(json?.job_id, job.job_id);
      assert.equal(json?.state, 'queued');
      await agent.ended(job.job_id);
    },
  },
  {
    section: 'POST /jobs: accepted',
    name: 'ignores fields that nobody knows',
    async run(agent) {
      const job = agent.job('echo x', { color: 'red' });
      assert.equal((await agent.run({ ...job, nobody_knows: { deep: [1] } })).state, 'finished');
    },
  },
  {
    section: 'POST /jobs: accepted',
    name: 'does without command, variables and limits',
    async run(agent) {
      const job = agent.job('');
      const { image } = runtimeOf(job);
      const record = await agent.run({ ...job, runtime: { mode: 'image', image } });
      assert.ok(record.finished_at !== null);
    },
  },
  {
    section: 'POST /jobs: duplicate',
    name: 'answers 409 while the first one runs, and after it',
    async run(agent) {
      const job = agent.job('echo first');
      await agent.submit(job);
      for (const moment of ['while it runs', 'after it']) {
        const { status, json } = await agent.post(job);
        assert.equal(status, 409, moment);
        assert.equal(json?.accepted, false);
        assert.equal(errorCode(json), 'JOB_ID_ALREADY_EXISTS');
        assert.equal((await agent.ended(job.job_id)).stdout, 'first\n');
      }
    },
  },
  {
    section: 'POST /jobs: rejected',
    name: 'leaves the id free',
    async run(agent) {
      const job = agent.job('echo x');
      assert.equal((await agent.post({ ...job, protocol_version: 2 })).status, 400);
      assert.equal((await agent.run(job)).state, 'finished');
    },
  },
  rejection('no JSON', ['INVALID_BODY'], () => '{"protocol_version": 1,'),
  rejection('no object', ['INVALID_BODY'], (job) => [job]),
  rejection('no id', ['MISSING_JOB_ID'], (job) => ({ ...job, job_id: undefined })),
  rejection('another version', ['UNSUPPORTED_PROTOCOL_VERSION'], (job) => ({ ...job, protocol_version: 2 })),
  rejection('no version', ['UNSUPPORTED_PROTOCOL_VERSION'], (job) => ({ ...job, protocol_version: undefined })),
  rejection('no runtime', ['MISSING_RUNTIME'], (job) => ({ ...job, runtime: undefined })),
  rejection('an unknown mode', ['BAD_RUNTIME_MODE'], (job) => ({ ...job, runtime: { ...runtimeOf(job), mode: 'vm' } })),
  rejection('no image', ['MISSING_IMAGE'], (job) => ({ ...job, runtime: { ...runtimeOf(job), image: undefined } })),
  rejection('a command that is no list', ['INVALID_RUNTIME', 'INVALID_BODY'], (job) => ({
    ...job,
    runtime: { ...runtimeOf(job), cmd: 'echo' },
  })),
  rejection('a limit that is no number', ['INVALID_LIMITS', 'INVALID_BODY'], (job) => ({
    ...job,
    runtime: { ...runtimeOf(job), limits: { memory_mb: 'much' } },
  })),
];
