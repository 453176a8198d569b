/**
 * Language workers that share no code with ours, dropped into a folder: found through `languageWorkers__workersDirectory`
 * and driven by the whole platform. They have the habits of the official workers for Python and Java.
 */
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { isProcessAlive } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, type DevProcess, patienceMs, startDevProcess } from './dev-process.ts';

const place = (path: string): string => fileURLToPath(new URL(`./foreign/${path}`, import.meta.url));
const patience = { timeout: patienceMs };

let dev: DevProcess;
afterEach(() => dev.close());

async function start(app: string, environment: Readonly<Record<string, string>> = {}): Promise<void> {
  dev = await startDevProcess({
    apps: [place(`apps/${app}`)],
    flags: ['--no-azurite'],
    environment: {
      languageWorkers__workersDirectory: place('workers'),
      FOREIGN_WORKER_NODE: process.execPath,
      ...environment,
    },
  });
}

/** What the function saw, and which process it ran in. */
function reportOf(answer: Answer): Record<string, unknown> & { readonly pid: number } {
  return JSON.parse(answer.text);
}

async function workerPid(): Promise<number> {
  return reportOf(await dev.request('/api/hello')).pid;
}

/** Starts a call that does not end, and resolves once the function runs. */
async function startPause(): Promise<{ readonly answer: Promise<Answer>; readonly hangUp: () => void }> {
  const before = dev.lines.filter((line) => /Executing 'Functions.pause'/i.test(line)).length;
  const port = await dev.port();
  const outgoing = request({ host: '127.0.0.1', port, path: '/api/pause', agent: false });
  const answer = new Promise<Answer>((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      const { headers, statusCode: status = 0 } = response.resume();
      resolve({ status, headers, body: Buffer.alloc(0), text: '' });
    });
  });
  outgoing.end();
  answer.catch(() => {});
  await dev.matching(/foreign worker runs \[pause/i, before + 1);
  return { answer, hangUp: () => outgoing.destroy() };
}

describe('a worker with the habits of the official one for Python', () => {
  it('is found by its folder, started as its file says, and gets HTTP as it can take it', async () => {
    await start('python-like');
    const headers = { 'x-kind': 'test', 'content-type': 'text/plain' };
    const answer = await dev.request('/api/hello/Ada?greeting=hi', { headers, body: 'some text' });
    expect(answer.status).toBe(200);
    expect(reportOf(answer)).toMatchObject({
      method: 'POST',
      params: { name: 'Ada' },
      query: { greeting: 'hi' },
      kind: 'test',
      text: 'some text',
      bodyAs: 'bytes',
      usesNullable: false,
      environment: { threads: '1000', directory: place('workers/python'), folder: place('apps/python-like') },
    });
    const port = await dev.port();
    expect(dev.lines).toContain(`\thello: [GET,POST] http://localhost:${port}/api/hello/{name?}`);
  });

  it('fails a call alone, with its reason in the log', async () => {
    await start('python-like');
    expect((await dev.request('/api/boom')).status).toBe(500);
    await dev.line(/the foreign function failed/);
    expect((await dev.request('/api/hello')).status).toBe(200);
  });

  it('loads the functions of its app in a second worker too', async () => {
    await start('python-like', { FUNCTIONS_WORKER_PROCESS_COUNT: '2' });
    const pids = new Set<number>();
    const collect = async (): Promise<number> => {
      for (const pid of await Promise.all(Array.from({ length: 8 }, workerPid))) pids.add(pid);
      return pids.size;
    };
    await expect.poll(collect, patience).toBe(2);
  });

  it.each([{}, { FOREIGN_WORKER_IGNORES_SIGTERM: '1' }])(
    'ends with its host, though it ignores that (%j)',
    async (more) => {
      await start('python-like', more);
      const pid = await workerPid();
      expect(await dev.stop()).toEqual({ code: 0, signal: null });
      expect(isProcessAlive(pid)).toBe(false);
    },
  );

  it('ends when its host is killed', async () => {
    await start('python-like', { FOREIGN_WORKER_IGNORES_SIGTERM: '1' });
    const pid = await workerPid();
    dev.signal('SIGKILL');
    await dev.exited();
    await expect.poll(() => isProcessAlive(pid), patience).toBe(false);
  });

  it('is killed and replaced when an invocation hangs in it', async () => {
    const functionTimeout = { AzureFunctionsJobHost__functionTimeout: '00:00:01' };
    await start('python-like', { FOREIGN_WORKER_IGNORES_SIGTERM: '1', ...functionTimeout });
    const pid = await workerPid();
    const { answer } = await startPause();
    expect((await answer).status).toBe(500);
    expect(await workerPid()).not.toBe(pid);
    await expect.poll(() => isProcessAlive(pid), patience).toBe(false);
  });
});

describe('a worker with the habits of the official one for Java', () => {
  it('loads what function.json names, and gets HTTP as it can take it', async () => {
    await start('java-like');
    const headers = { 'x-kind': 'test', 'content-type': 'text/plain' };
    const answer = await dev.request('/api/hello?name=Ada', { headers, body: 'some text' });
    expect(answer).toMatchObject({ status: 202, headers: { 'x-worker': 'foreign' } });
    expect(reportOf(answer)).toMatchObject({
      query: { name: 'Ada' },
      kind: 'test',
      text: 'some text',
      bodyAs: 'string',
    });
  });

  it('is sent nothing that it would die of', async () => {
    await start('java-like');
    const pid = await workerPid();
    const { hangUp } = await startPause();
    hangUp();
    await dev.request('/api/boom');
    expect(await workerPid()).toBe(pid);
    expect(await dev.stop()).toEqual({ code: 0, signal: null });
    expect(dev.output).not.toContain('Unsupported message type');
  });
});
