/** The node agent as a process, on a Docker engine of its own: what becomes of jobs, good and bad ones. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openTestEngine, requireTestEngine, type TestEngine, testImage } from '@switchyard/node-agent/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { job, shellJob } from './agent-jobs.ts';
import { AgentProcess, type JobView } from './agent-process.ts';
import { runSwitchyard } from './dev-process.ts';

const { skip } = requireTestEngine();

describe.skipIf(skip)('switchyard agent', () => {
  let engine: TestEngine;
  let agent: AgentProcess;
  let agents = 0;
  beforeAll(async () => {
    engine = await openTestEngine();
  });
  afterAll(() => engine.close());

  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<AgentProcess> => {
    agents += 1;
    return await AgentProcess.start({ workerId: `e2e-${agents}`, socketPath: engine.socketPath, settings });
  };
  const containers = async (): Promise<unknown[]> =>
    (await engine.client.send({ method: 'GET', path: '/containers/json', query: { all: 1 } })) as unknown[];
  /** Nothing is left of any job: neither a container nor a folder. */
  const expectNothingLeft = async (): Promise<void> => {
    await expect.poll(containers).toEqual([]);
    await expect.poll(() => readdirSync(join(agent.folder, 'workspaces'))).toEqual([]);
  };

  describe('with its defaults', () => {
    beforeEach(async () => {
      agent = await start();
    });
    afterEach(() => agent.close());

    it('runs a job, and names the image and the limits in its record', async () => {
      const done = await agent.run(job('hello', ['echo', 'hello']));
      expect(done).toMatchObject({
        state: 'finished',
        exit_code: 0,
        stdout: 'hello\n',
        stderr: '',
        error: null,
        image: { reference: testImage, id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), digest: null },
        limits: { memory_mb: 512, max_runtime_seconds: 300, cpus: 1, pids: 256 },
      });
      const failed = await agent.run(shellJob('fails', 'echo out; echo err >&2; exit 7'));
      expect(failed).toMatchObject({
        state: 'failed',
        exit_code: 7,
        stdout: 'out\n',
        stderr: 'err\n',
        error: { code: 'RUNTIME_ERROR' },
      });
      await expectNothingLeft();
    });

    it('hands the payload over by stdin, file and variable', async () => {
      const script = 'cat; echo; cat $JOB_PAYLOAD_FILE; echo; echo "$JOB_PAYLOAD $JOB_ID $JOB_TASK_TYPE $EXTRA"';
      const payload = { text: 'ü "quoted"', list: [1, 2] };
      const done = await agent.run(shellJob('payload', script, { payload, runtime: { env: { EXTRA: 'more' } } }));
      const text = JSON.stringify(payload);
      expect(done.stdout).toBe(`${text}\n${text}\n${text} payload test more\n`);
      const large = await agent.run(
        shellJob('large', 'cat | md5sum; md5sum < $JOB_PAYLOAD_FILE', { payload: 'x'.repeat(5_000_000) }),
      );
      const [fromStdin, fromFile] = large.stdout.trim().split('\n');
      expect(fromStdin).toMatch(/^[0-9a-f]{32}/);
      expect(fromFile).toBe(fromStdin);
    });

    it('gives a job no capability, no network and no place to write but its own', async () => {
      const script =
        'grep -E "CapEff|NoNewPrivs" /proc/self/status; ls /sys/class/net; touch /x; touch "$JOB_WORKSPACE/y" && echo ok';
      const { stdout, stderr } = await agent.run(shellJob('bounds', script));
      expect(stdout).toBe('CapEff:\t0000000000000000\nNoNewPrivs:\t1\nlo\nok\n');
      expect(stderr).toContain('Read-only file system');
    });

    it('builds what a job brings, and removes it afterwards', async () => {
      const build = {
        dockerfile: `FROM ${testImage}\nCOPY word /word\nRUN echo built >> /word\n`,
        context: { word: 'from the job\n' },
      };
      const done = await agent.run(
        job('build', ['cat', '/word'], { runtime: { mode: 'build', image: undefined, build } }),
      );
      expect(done).toMatchObject({ state: 'finished', stdout: 'from the job\nbuilt\n' });
      const broken = { dockerfile: `FROM ${testImage}\nRUN exit 9\n` };
      const failed = await agent.run(
        job('broken', [], { runtime: { mode: 'build', image: undefined, build: broken } }),
      );
      expect(failed).toMatchObject({ state: 'failed', exit_code: null, error: { code: 'BUILD_FAILED' } });
      await expectNothingLeft();
      const images = (await engine.client.send({ method: 'GET', path: '/images/json' })) as { RepoTags?: string[] }[];
      expect(images.flatMap(({ RepoTags: tags }) => tags ?? []).filter((tag) => tag.includes('switchyard'))).toEqual(
        [],
      );
    });

    it('refuses a job whose id it knows, and runs the first one', async () => {
      await agent.submit(shellJob('twice', 'sleep 1; echo first'));
      const second = await agent.post(job('twice', ['echo', 'second']));
      expect(second).toMatchObject({
        status: 409,
        body: { accepted: false, error: { code: 'JOB_ID_ALREADY_EXISTS' } },
      });
      expect((await agent.result('twice')).stdout).toBe('first\n');
      expect((await agent.post(job('twice', ['echo']))).status).toBe(409);
    });

    it('takes one of many that come with one id at the same time', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => agent.post(job('race', ['echo', 'x']))));
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([202, ...Array.from({ length: 19 }, () => 409)]);
      expect((await agent.result('race')).stdout).toBe('x\n');
    });

    it('says when an image or a program is not there', async () => {
      const image = await agent.run(job('image', [], { runtime: { image: 'absent:1', pull_policy: 'never' } }));
      expect(image).toMatchObject({ state: 'failed', error: { code: 'IMAGE_UNAVAILABLE' } });
      const program = await agent.run(job('program', ['no-such-program']));
      expect(program).toMatchObject({ state: 'failed', error: { code: 'RUNTIME_ERROR' } });
      expect(program.error?.message).toContain('no-such-program');
      await expectNothingLeft();
    });

    it('stops a job at its time limit', async () => {
      const late = await agent.run(
        shellJob('late', 'echo begun; sleep 1000', { runtime: { limits: { max_runtime_seconds: 1 } } }),
      );
      expect(late).toMatchObject({ state: 'failed', stdout: 'begun\n', error: { code: 'TIMEOUT' } });
      await expectNothingLeft();
    });

    it('names it when a job runs out of memory', async () => {
      const eater = await agent.run(job('eater', ['tail', '/dev/zero'], { runtime: { limits: { memory_mb: 16 } } }));
      expect(eater).toMatchObject({ state: 'failed', exit_code: 137, error: { code: 'OUT_OF_MEMORY' } });
      expect(eater.error?.message).toContain('16 MB');
    });

    it('keeps the two ends of huge output', async () => {
      const script = 'echo BEGIN; head -c 200000000 /dev/zero | tr "\\0" "x"; echo; echo END';
      const huge = await agent.run(shellJob('huge', script, { runtime: { limits: { max_runtime_seconds: 60 } } }));
      expect(huge.state).toBe('finished');
      expect(huge.stdout).toMatch(/^BEGIN\nx+\n\[\.\.\. \d+ bytes left out \.\.\.\]\nx+\nEND\n$/);
      expect(huge.stdout_dropped_bytes).toBe(200_000_000 + 'BEGIN\n\nEND\n'.length - 1_048_576);
      expect((await agent.call('/health')).status).toBe(200);
    });

    it('cancels a job that runs with 202, and kills one that ignores SIGTERM', async () => {
      const script = 'trap "" TERM; echo ready; while true; do sleep 0.1; done';
      await agent.submit(shellJob('stubborn', script));
      const logs = await fetch(`${agent.url}/jobs/stubborn/logs`);
      const reader = logs.body?.getReader();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('ready');
      expect(await agent.cancel('stubborn')).toMatchObject({ status: 202, body: { state: 'running' } });
      const ended = await agent.result('stubborn');
      expect(ended).toMatchObject({ state: 'failed', exit_code: 137, error: { code: 'CANCELLED' } });
      await reader?.cancel();
      expect(await agent.cancel('stubborn')).toMatchObject({ status: 200, body: { state: 'failed' } });
      await expectNothingLeft();
    });

    it('works for the commands of people', async () => {
      const words = ['--agent', agent.url];
      const ran = await runSwitchyard([
        'job',
        'run',
        ...words,
        '--id',
        'cli',
        '--image',
        testImage,
        '--',
        'sh',
        '-c',
        'echo hi; exit 5',
      ]);
      expect(ran).toMatchObject({ code: 5, output: expect.stringContaining('hi') });
      expect((await runSwitchyard(['job', 'logs', 'cli', '-f', ...words])).output).toBe('hi');
      expect((await runSwitchyard(['job', 'ps', ...words])).output).toMatch(/^cli +failed .* 5 /m);
      expect(await runSwitchyard(['job', 'result', 'cli', ...words])).toMatchObject({ code: 5 });
      expect((await runSwitchyard(['job', 'cancel', 'cli', ...words])).output).toContain('had ended already');
    });

    it('takes its running jobs along when it is asked to stop', async () => {
      await agent.submit(shellJob('runs', 'sleep 1000'));
      await expect.poll(async () => (await containers()).length).toBe(1);
      expect(await agent.stop()).toMatchObject({ code: 0 });
      await expectNothingLeft();
    });
  });

  it.each(invalidJobs())('rejects a job with %s as %s', async (_, code, body) => {
    agent = await start({ ALLOWED_IMAGES: `${testImage},docker.io/library/allowed`, LIMITS_BODY_KB: '20' });
    try {
      const answer = await agent.post(body);
      expect([answer.status, answer.body.accepted, (answer.body.error as { code: string }).code]).toEqual([
        400,
        false,
        code,
      ]);
      expect((answer.body.error as { message: string }).message.length).toBeGreaterThan(20);
      expect((await agent.call('/jobs')).body).toMatchObject({ jobs: [] });
    } finally {
      await agent.close();
    }
  });

  it('runs 200 jobs, four at a time, in order, each once', async () => {
    agent = await start({ LIMITS_DEFAULT_MEMORY_MB: '64' });
    try {
      const ids = Array.from({ length: 200 }, (_, index) => `j${String(index).padStart(3, '0')}`);
      for (const id of ids) await agent.submit(job(id, ['echo', id]));
      let most = 0;
      const watch = async (): Promise<number> => {
        const { body } = await agent.call<{ running_jobs: number; queued_jobs: number }>('/health');
        most = Math.max(most, body.running_jobs, (await running()).length);
        return body.running_jobs + body.queued_jobs;
      };
      const running = async (): Promise<unknown[]> =>
        (await engine.client.send({ method: 'GET', path: '/containers/json' })) as unknown[];
      await expect.poll(watch, { timeout: 120_000 }).toBe(0);
      expect(most).toBe(4);
      const jobs = await Promise.all(ids.map((id) => agent.look(id)));
      expect(jobs.map(({ state, stdout }) => `${state} ${stdout}`)).toEqual(ids.map((id) => `finished ${id}\n`));
      const starts = jobs.map(({ started_at: at }) => Date.parse(at ?? ''));
      expect(starts).toEqual([...starts].sort((left, right) => left - right));
      expect(mostAtOnce(jobs)).toBeLessThanOrEqual(4);
      await expectNothingLeft();
    } finally {
      await agent.close();
    }
  }, 180_000);

  it('cancels a job that waits with 200, and never starts it', async () => {
    agent = await start({ MAX_CONCURRENT_JOBS: '1', MAX_QUEUED_JOBS: '1' });
    try {
      await agent.submit(shellJob('first', 'sleep 1000'));
      await agent.submit(job('waits', ['echo', 'never']));
      expect(await agent.post(job('full', ['echo']))).toMatchObject({
        status: 400,
        body: { error: { code: 'QUEUE_FULL' } },
      });
      expect(await agent.cancel('waits')).toMatchObject({ status: 200, body: { state: 'failed' } });
      await agent.cancel('first');
      expect((await agent.result('first')).error?.code).toBe('CANCELLED');
      expect(await agent.look('waits')).toMatchObject({ started_at: null, stdout: '', error: { code: 'CANCELLED' } });
      expect((await agent.run(job('after', ['echo', 'x']))).state).toBe('finished');
    } finally {
      await agent.close();
    }
  });
});

/** Kinds of invalid jobs: what is wrong, the code, the body. */
function invalidJobs(): (readonly [what: string, code: string, body: unknown])[] {
  const good = job('bad', ['echo']);
  const runtime = (change: Readonly<Record<string, unknown>>) => ({ ...good, runtime: { ...good.runtime, ...change } });
  return [
    ['no JSON', 'INVALID_BODY', '{"protocol_version": 1,'],
    ['a list', 'INVALID_BODY', [good]],
    ['too large a body', 'INVALID_BODY', { ...good, task: { type: 'x', payload: 'x'.repeat(30_000) } }],
    ['no id', 'MISSING_JOB_ID', { ...good, job_id: undefined }],
    ['a number for an id', 'INVALID_JOB_ID', { ...good, job_id: 7 }],
    ['an id with a line break', 'INVALID_JOB_ID', { ...good, job_id: 'a\nb' }],
    ['no version', 'UNSUPPORTED_PROTOCOL_VERSION', { ...good, protocol_version: undefined }],
    ['another version', 'UNSUPPORTED_PROTOCOL_VERSION', { ...good, protocol_version: 2 }],
    ['a task that is a text', 'INVALID_TASK', { ...good, task: 'x' }],
    ['no runtime', 'MISSING_RUNTIME', { ...good, runtime: undefined }],
    ['no mode', 'BAD_RUNTIME_MODE', runtime({ mode: undefined })],
    ['an unknown mode', 'BAD_RUNTIME_MODE', runtime({ mode: 'wasm' })],
    ['no image', 'MISSING_IMAGE', runtime({ image: undefined })],
    ['an image that is none', 'INVALID_IMAGE', runtime({ image: 'NOT AN IMAGE' })],
    ['an image that is not allowed', 'IMAGE_NOT_ALLOWED', runtime({ image: 'alpine:3' })],
    ['a command that is a text', 'INVALID_RUNTIME', runtime({ cmd: 'echo hi' })],
    ['a variable without a name', 'INVALID_RUNTIME', runtime({ env: { '': 'x' } })],
    ['a variable that is a number', 'INVALID_RUNTIME', runtime({ env: { A: 1 } })],
    ['too little memory', 'INVALID_LIMITS', runtime({ limits: { memory_mb: 1 } })],
    ['too much memory', 'LIMIT_EXCEEDED', runtime({ limits: { memory_mb: 100_000 } })],
    ['too much time', 'LIMIT_EXCEEDED', runtime({ limits: { max_runtime_seconds: 1_000_000 } })],
    ['a network', 'NETWORK_NOT_ALLOWED', runtime({ network: 'host' })],
    ['no build', 'INVALID_BUILD', runtime({ mode: 'build', image: undefined })],
    [
      'a build upon an image that is not allowed',
      'IMAGE_NOT_ALLOWED',
      runtime({ mode: 'build', build: { dockerfile: 'FROM alpine' } }),
    ],
    [
      'a way out of the context',
      'INVALID_BUILD',
      runtime({ mode: 'build', build: { dockerfile: 'FROM allowed', context: { '../x': '' } } }),
    ],
    ['a restart policy without a pod', 'INVALID_RUNTIME', runtime({ restart: { policy: 'always' } })],
    ['a time limit for a pod', 'INVALID_LIMITS', runtime({ lifecycle: 'pod', limits: { max_runtime_seconds: 5 } })],
  ];
}

/** How many jobs overlap at most, by their own records. */
function mostAtOnce(jobs: readonly JobView[]): number {
  const changes = jobs.flatMap(({ started_at: from, finished_at: to }) => [
    { atMs: Date.parse(from ?? ''), by: 1 },
    { atMs: Date.parse(to ?? ''), by: -1 },
  ]);
  // A job that ends at the moment when another one begins made room for it.
  changes.sort((left, right) => left.atMs - right.atMs || left.by - right.by);
  let now = 0;
  let most = 0;
  for (const { by } of changes) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
