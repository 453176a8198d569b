import { describe, expect, it } from 'vitest';
import { createJob } from '../jobs/job.ts';
import { sampleJob } from '../testing/sample-job.ts';
import { toTaskSpec } from './task-spec.ts';
import { payloadFile } from './workspaces.ts';

const defaults = { pullPolicy: 'missing', readOnlyRoot: true, user: undefined, temporaryMb: 16 } as const;
const specOf = (overrides: Parameters<typeof sampleJob>[1]) =>
  toTaskSpec(createJob(sampleJob('a', overrides), 1), 'folder', defaults);

describe('toTaskSpec', () => {
  it('gives the payload by stdin, file and variable', () => {
    const spec = specOf({ task: { type: 'greet', payload: { name: 'ü' } } });
    expect(spec).toMatchObject({
      stdin: '{"name":"ü"}',
      workspacePath: 'folder',
      memoryMb: 64,
      env: {
        JOB_ID: 'a',
        JOB_TASK_TYPE: 'greet',
        JOB_PAYLOAD: '{"name":"ü"}',
        JOB_PAYLOAD_FILE: payloadFile,
      },
    });
  });

  it('leaves a payload out of the environment that is too long for the kernel', () => {
    const { env, stdin } = specOf({ task: { type: 'x', payload: 'p'.repeat(70_000) } });
    expect(env).not.toHaveProperty('JOB_PAYLOAD');
    expect(stdin?.length).toBe(70_002);
  });

  it('opens no stdin for a job without payload, and says null in its place', () => {
    const spec = specOf({ task: { type: 'x' } });
    expect(spec.stdin).toBeUndefined();
    expect(spec.env.JOB_PAYLOAD).toBe('null');
  });

  it("lets the job's own variables win, and its pull policy", () => {
    const spec = specOf({ runtime: { env: { JOB_ID: 'mine', A: '1' }, pull_policy: 'never' } });
    expect(spec.env).toMatchObject({ JOB_ID: 'mine', A: '1' });
    expect(spec.source).toEqual({ kind: 'image', reference: 'docker.io/library/busybox:latest', pull: 'never' });
  });

  it('builds what the job brings, on the network that it may reach', () => {
    const build = { dockerfile: 'FROM scratch', context: { a: 'x' } };
    const spec = specOf({ runtime: { mode: 'build', image: undefined, build } });
    expect(spec.source).toEqual({ kind: 'build', build, network: 'none' });
  });

  it('turns the seconds of a health check into milliseconds', () => {
    const health = { cmd: ['true'], interval_seconds: 3 };
    const spec = specOf({ runtime: { lifecycle: 'pod', health } });
    expect(spec.health).toEqual({ cmd: ['true'], intervalMs: 3_000, timeoutMs: 5_000, retries: 3, startPeriodMs: 0 });
  });
});
