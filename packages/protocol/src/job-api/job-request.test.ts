import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobErrorCodes } from './job-error.ts';
import { isContextPath, parseJobRequest } from './job-request.ts';

const image = { mode: 'image', image: 'busybox' };
const job = (runtime: unknown, rest: object = {}): unknown => ({ protocol_version: 1, job_id: 'a', runtime, ...rest });
const hostile = (text: string): unknown => JSON.parse(text);

describe('parseJobRequest', () => {
  it('reads a job of a version 1 master, and fills in the defaults', () => {
    const reading = parseJobRequest(job(image, { task: { type: 'hello', payload: { a: [1] } } }));
    expect(reading).toMatchObject({
      kind: 'valid',
      request: {
        job_id: 'a',
        task: { type: 'hello', payload: { a: [1] } },
        labels: {},
        runtime: { ...image, cmd: [], env: {}, limits: {}, lifecycle: 'job', restart: { policy: 'never' }, ports: [] },
      },
    });
  });

  it('takes null for what is left out, and for a payload', () => {
    const nothing = {
      cmd: null,
      env: null,
      limits: null,
      pull_policy: null,
      network: null,
      restart: null,
      ports: null,
    };
    const left = parseJobRequest(
      job({ ...image, ...nothing, build: null, health: null }, { task: null, labels: null }),
    );
    expect(left).toEqual(parseJobRequest(job(image)));
    const limits = { memory_mb: null, max_runtime_seconds: 5, cpus: null };
    expect(parseJobRequest(job({ ...image, limits }, { task: { type: null, payload: null } }))).toMatchObject({
      request: { task: { type: '', payload: null }, runtime: { limits: { max_runtime_seconds: 5 } } },
    });
  });

  it.each<[code: string, message: string, body: unknown]>([
    ['INVALID_RUNTIME', 'runtime.env.A cannot be null', job({ ...image, env: { A: null } })],
    ['INVALID_RUNTIME', 'runtime.cmd.0 cannot be null', job({ ...image, cmd: [null] })],
    ['MISSING_RUNTIME', 'runtime is missing', job(null)],
    ['MISSING_IMAGE', 'runtime.image is missing', job({ mode: 'image', image: null })],
    ['BAD_RUNTIME_MODE', 'runtime.mode cannot be null', job({ mode: null })],
    ['INVALID_BODY', 'must be a JSON object', null],
    ['INVALID_BODY', 'must be a JSON object', []],
    ['INVALID_BODY', 'must be a JSON object', 'text'],
    ['MISSING_JOB_ID', 'job_id is missing', {}],
    ['MISSING_JOB_ID', 'job_id cannot be ""', { job_id: '' }],
    ['MISSING_JOB_ID', 'job_id cannot be null', { job_id: null }],
    ['INVALID_JOB_ID', 'job_id cannot be 7', job(image, { job_id: 7 })],
    ['INVALID_JOB_ID', 'control characters', job(image, { job_id: 'a\nb' })],
    ['INVALID_JOB_ID', "neither '.' nor '..'", job(image, { job_id: '..' })],
    ['INVALID_JOB_ID', 'Too big', job(image, { job_id: 'a'.repeat(201) })],
    ['INVALID_JOB_ID', 'control characters', job(image, { job_id: '\ud800' })],
    ['UNSUPPORTED_PROTOCOL_VERSION', 'speaks version 1', { job_id: 'a', runtime: image }],
    ['UNSUPPORTED_PROTOCOL_VERSION', 'cannot be 2', job(image, { protocol_version: 2 })],
    ['UNSUPPORTED_PROTOCOL_VERSION', 'cannot be "1"', job(image, { protocol_version: '1' })],
    ['MISSING_RUNTIME', 'runtime is missing', { protocol_version: 1, job_id: 'a' }],
    ['INVALID_RUNTIME', 'cannot be a list', job([])],
    ['BAD_RUNTIME_MODE', "Use 'image' or 'build'", job({})],
    ['BAD_RUNTIME_MODE', 'cannot be "vm"', job({ mode: 'vm', image: 'busybox' })],
    ['MISSING_IMAGE', 'runtime.image is missing', job({ mode: 'image' })],
    ['MISSING_IMAGE', 'runtime.image cannot be ""', job({ mode: 'image', image: '' })],
    ['INVALID_IMAGE', 'no image reference', job({ mode: 'image', image: 'Not an image' })],
    ['INVALID_RUNTIME', 'runtime.cmd', job({ ...image, cmd: 'echo' })],
    ['INVALID_RUNTIME', 'zero byte', job({ ...image, cmd: ['a\0b'] })],
    ['INVALID_RUNTIME', 'runtime.env.A cannot be 1', job({ ...image, env: { A: 1 } })],
    ['INVALID_RUNTIME', "'A=B' is no name", job({ ...image, env: { 'A=B': '' } })],
    ['INVALID_RUNTIME', "'__proto__' is no name", job({ ...image, env: hostile('{"__proto__":"x"}') })],
    ['INVALID_RUNTIME', 'runtime.network', job({ ...image, network: '../x' })],
    ['INVALID_RUNTIME', 'runtime.pull_policy', job({ ...image, pull_policy: 'sometimes' })],
    ['INVALID_RUNTIME', 'runtime.restart is for pods', job({ ...image, restart: { policy: 'always' } })],
    ['INVALID_RUNTIME', 'runtime.health is for pods', job({ ...image, health: { cmd: ['true'] } })],
    ['INVALID_RUNTIME', 'runtime.ports is for pods', job({ ...image, ports: [80] })],
    ['INVALID_RUNTIME', 'labels', job(image, { labels: { a: 1 } })],
    ['INVALID_LIMITS', 'memory_mb cannot be -1', job({ ...image, limits: { memory_mb: -1 } })],
    ['INVALID_LIMITS', 'memory_mb cannot be "64"', job({ ...image, limits: { memory_mb: '64' } })],
    ['INVALID_LIMITS', 'max_runtime_seconds', job({ ...image, limits: { max_runtime_seconds: 0 } })],
    ['INVALID_LIMITS', 'for a pod', job({ ...image, lifecycle: 'pod', limits: { max_runtime_seconds: 5 } })],
    ['INVALID_BUILD', 'runtime.build is missing', job({ mode: 'build' })],
    ['INVALID_BUILD', 'runtime.build.dockerfile is missing', job({ mode: 'build', build: {} })],
    ['INVALID_BUILD', "without '..'", job({ mode: 'build', build: { dockerfile: 'x', context: { '../a': '' } } })],
    ['INVALID_BUILD', 'runtime.build', job({ mode: 'build', build: { dockerfile: 'x', context: { a: 7 } } })],
    ['INVALID_TASK', 'task cannot be "x"', job(image, { task: 'x' })],
    ['INVALID_TASK', 'task.type cannot be 5', job(image, { task: { type: 5 } })],
  ])('rejects with %s: %s', (code, message, body) => {
    const reading = parseJobRequest(body);
    expect(reading).toMatchObject({ kind: 'rejected', error: { code } });
    expect(reading.kind === 'rejected' && reading.error.message).toContain(message);
  });

  it('says which job it rejects when the body says so', () => {
    expect(parseJobRequest({ job_id: 'a' })).toMatchObject({ jobId: 'a' });
    expect(parseJobRequest({ job_id: 5 })).toMatchObject({ jobId: null });
    expect(parseJobRequest({ job_id: 'x'.repeat(5_000) })).toMatchObject({ jobId: `${'x'.repeat(200)}...` });
  });

  it('ignores fields that it does not know, also hostile ones', () => {
    expect(parseJobRequest(job({ ...image, later: 1 }, { later: 1 })).kind).toBe('valid');
    parseJobRequest(hostile('{"__proto__":{"polluted":1},"job_id":"a"}'));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('never throws, whatever arrives, and always gives a known code', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (body, runtime, limits) => {
        for (const candidate of [body, job(runtime), job({ ...image, limits, env: body, cmd: runtime })]) {
          const reading = parseJobRequest(candidate);
          if (reading.kind === 'rejected') {
            expect(jobErrorCodes).toContain(reading.error.code);
            expect(reading.error.message).not.toBe('');
          } else expect(reading.request.job_id).toBe('a');
        }
      }),
    );
  });
});

describe('isContextPath', () => {
  it.each(['Dockerfile', 'a/b.txt', '.hidden', 'a..b/c'])('takes %s', (path) => expect(isContextPath(path)).toBe(true));
  it.each(['/etc/passwd', '../a', 'a/../../b', 'a//b', 'a\0b', '..\\a', ''])('refuses %j', (path) =>
    expect(isContextPath(path)).toBe(false),
  );
});
