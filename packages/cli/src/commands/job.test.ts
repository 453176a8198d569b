import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, startAgent } from '@switchyard/standalone/agent';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../command.ts';
import { runSwitchyard } from '../run-switchyard.ts';
import { type CommandOutcome, runInMemory } from '../testing/run-in-memory.ts';
import { jobCommand } from './job.ts';

const token = 'a-token-of-the-tests';
let agent: Agent;
let folder: string;
let counter = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-job-'));
  agent = await startAgent({
    configFile: undefined,
    flags: [
      { path: 'driver', value: 'mock', flag: 'test' },
      { path: 'listen.port', value: 0, flag: 'test' },
      { path: 'token', value: token, flag: 'test' },
      { path: 'drain_seconds', value: 0, flag: 'test' },
      { path: 'workspace.path', value: join(folder, 'workspaces'), flag: 'test' },
      { path: 'max_concurrent_jobs', value: 100, flag: 'test' },
    ],
    workingDirectory: folder,
    environment: {},
    version: '0.0.0',
    output: 'text',
    verbose: false,
    console: { write: () => {} },
  });
});
afterAll(async () => {
  await agent.stop();
  rmSync(folder, { recursive: true });
});

const run = (words: readonly string[], overrides: Partial<CommandContext> = {}): Promise<CommandOutcome> =>
  runInMemory((given, context) => runSwitchyard(given, [jobCommand], context), ['job', ...words], {
    workingDirectory: folder,
    environment: { SWITCHYARD_AGENT_URL: agent.url, SWITCHYARD_AGENT_TOKEN: token },
    ...overrides,
  });
const newId = (): string => {
  counter += 1;
  return `job-${counter}`;
};

describe('switchyard job run', () => {
  it('prints what the program prints, and ends as it does', async () => {
    expect(await run(['run', '--image', 'mock', '--', 'echo', 'hello', '--there'])).toEqual({
      exitCode: 0,
      out: 'hello --there\n',
      err: '',
    });
    const failed = await run(['run', '--image', 'mock', '--', 'exit', '42']);
    expect(failed).toMatchObject({ exitCode: 42, err: 'The program ended with exit code 42. (RUNTIME_ERROR)\n' });
    const complaint = await run(['run', '--image', 'mock', '--', 'complain', 'oh']);
    expect(complaint.err).toBe('oh\nThe program ended with exit code 1. (RUNTIME_ERROR)\n');
  });

  it('hands payload, variables and limits on', async () => {
    expect(await run(['run', '--image', 'mock', '--payload', '{"a":1}', '--', 'cat'])).toMatchObject({
      out: '{"a":1}',
    });
    writeFileSync(join(folder, 'payload.json'), '[7]');
    expect(await run(['run', '--image', 'mock', '--payload', '@payload.json', '--', 'cat'])).toMatchObject({
      out: '[7]',
    });
    const { out } = await run(['run', '--image', 'mock', '-e', 'A=1=2', '-e', 'B=', '--type', 'greet', '--', 'env']);
    expect(out).toContain('A=1=2\nB=\n');
    expect(out).toContain('JOB_TASK_TYPE=greet\n');
    const id = newId();
    const limits = ['--memory', '64', '--timeout', '9', '--cpus', '0.5', '--label', 'team=x'];
    await run(['run', '--image', 'mock', '--id', id, ...limits, '--', 'echo']);
    const record = JSON.parse((await run(['result', id, '--json'])).out);
    expect(record).toMatchObject({
      limits: { memory_mb: 64, max_runtime_seconds: 9, cpus: 0.5 },
      labels: { team: 'x' },
    });
  });

  it('builds a Dockerfile', async () => {
    writeFileSync(join(folder, 'Dockerfile'), 'FROM busybox\n');
    expect(await run(['run', '--dockerfile', 'Dockerfile', '--', 'echo', 'built'])).toMatchObject({ out: 'built\n' });
    const missing = await run(['run', '--dockerfile', 'nope', '--', 'echo']);
    expect(missing).toMatchObject({ exitCode: 2, err: expect.stringContaining('cannot be read') });
  });

  it('does not wait when told so', async () => {
    const id = newId();
    expect(await run(['run', '--image', 'mock', '--id', id, '-d', '--', 'sleep', '1000'])).toMatchObject({
      out: `${id}\n`,
    });
    expect((await run(['cancel', id])).out).toContain('is being stopped');
    const result = await run(['result', id]);
    expect(result.err).toContain('(CANCELLED)');
    expect(result.exitCode).not.toBe(0);
  });

  it('cancels its job when it is stopped, and waits for the end', async () => {
    const id = newId();
    let stop: (reason: string) => void = () => {};
    const outcome = run(['run', '--image', 'mock', '--id', id, '--', 'sleep', '1000'], {
      onStopRequest: (callback) => {
        stop = callback;
      },
    });
    await expect.poll(async () => (await run(['ps', '--json'])).out).toContain(id);
    stop('SIGINT');
    expect(await outcome).toMatchObject({ exitCode: 130, err: expect.stringContaining('CANCELLED') });
  });

  it("says why the agent does not take a job, and what fails before the program's start", async () => {
    const id = newId();
    await run(['run', '--image', 'mock', '--id', id, '--', 'echo']);
    const again = await run(['run', '--image', 'mock', '--id', id, '--', 'echo']);
    expect(again).toMatchObject({ exitCode: 1, err: expect.stringContaining('(JOB_ID_ALREADY_EXISTS)') });
    const missing = await run(['run', '--image', 'absent', '--', 'echo']);
    expect(missing).toMatchObject({ exitCode: 1, err: expect.stringContaining('IMAGE_UNAVAILABLE') });
  });
});

describe('switchyard job', () => {
  it('lists jobs, as a table and as JSON', async () => {
    const id = newId();
    await run(['run', '--image', 'mock', '--id', id, '--label', 'set=ps', '--', 'exit', '3']);
    const { out } = await run(['ps', '--label', 'set=ps']);
    expect(out).toMatch(/^JOB +STATE +CREATED +EXIT +IMAGE +ERROR\n/);
    expect(out).toMatch(new RegExp(`^${id} +failed +\\S+ +3 +docker.io/library/mock:latest +RUNTIME_ERROR$`, 'm'));
    const list = JSON.parse((await run(['ps', '--state', 'failed', '--limit', '1', '--json'])).out);
    expect(list.jobs).toHaveLength(1);
  });

  it('shows the output of jobs that ended and of those that run', async () => {
    const id = newId();
    await run(['run', '--image', 'mock', '--id', id, '--', 'echo', 'printed']);
    for (const words of [
      ['logs', id],
      ['logs', id, '-f'],
      ['result', id],
    ])
      expect(await run(words)).toEqual({ exitCode: 0, out: 'printed\n', err: '' });
  });

  it('leaves a job that it follows when it is stopped', async () => {
    const id = newId();
    await run(['run', '--image', 'mock', '--id', id, '-d', '--', 'sleep', '1000']);
    const onStopRequest = (callback: (reason: string) => void): void => callback('SIGINT');
    expect(await run(['logs', id, '-f'], { onStopRequest })).toMatchObject({ exitCode: 0 });
    expect(
      JSON.parse((await run(['ps', '--json'])).out).jobs.find((job: { job_id: string }) => job.job_id === id),
    ).toMatchObject({ state: 'running' });
    await run(['cancel', id]);
  });

  it.each([
    [[], 2, 'Say what to do'],
    [['walk'], 2, "There is no action 'walk'"],
    [['run', '--', 'echo'], 2, 'Name what to run'],
    [['run', '--image', 'mock', '--dockerfile', 'x'], 2, 'not both'],
    [['run', '--image', 'mock', '--follow'], 2, 'takes no --follow'],
    [['run', '--image', 'mock', '--env', 'novalue'], 2, 'NAME=VALUE'],
    [['run', '--image', 'mock', '--payload', '{'], 2, 'The payload is no JSON'],
    [['run', '--image', 'mock', '--cpus', 'many'], 2, '--cpus needs a number'],
    [['run', '--image', 'mock', '--pull', 'often'], 2, '--pull needs'],
    [['ps', 'x'], 2, 'switchyard job ps'],
    [['ps', '--state', 'gone'], 1, "The parameter state='gone'"],
    [['logs'], 2, 'switchyard job logs <id>'],
    [['cancel', 'unknown'], 1, "No job 'unknown'"],
    [['result', 'unknown'], 1, "No job 'unknown'"],
    [['ps', '--agent', 'ftp://x'], 2, 'no address of a node agent'],
    [['ps', '--agent', 'http://127.0.0.1:1'], 1, 'No node agent answers at http://127.0.0.1:1'],
    [['ps', '--token-file', 'missing'], 2, '--token-file'],
  ])('explains what is wrong with %j', async (words, exitCode, message) => {
    const outcome = await run(words);
    expect(outcome).toMatchObject({ exitCode, out: '' });
    expect(outcome.err).toContain(message);
  });

  it('says that the agent wants a token', async () => {
    const outcome = await run(['ps'], { environment: { SWITCHYARD_AGENT_URL: agent.url } });
    expect(outcome).toMatchObject({ exitCode: 1, err: expect.stringContaining('401: This agent wants a token') });
    writeFileSync(join(folder, 'token'), `${token}\n`);
    const words = ['ps', '--agent', agent.url, '--token-file', 'token'];
    expect(await run(words, { environment: {} })).toMatchObject({ exitCode: 0 });
    writeFileSync(join(folder, 'token'), 'two words');
    expect(await run(words, { environment: {} })).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('one word'),
    });
  });
});

describe('with something else at the address', () => {
  let server: Server;
  beforeEach(async () => {
    server = createServer((_, response) => response.end('<html>hello</html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => server.close());

  it('says that the answer is not understood', async () => {
    const { port } = server.address() as AddressInfo;
    const outcome = await run(['ps', '--agent', `http://127.0.0.1:${port}`]);
    expect(outcome).toMatchObject({ exitCode: 1, err: expect.stringContaining('answered GET /jobs with 200') });
  });
});
