import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CapabilityInstance } from '../capability-module.ts';
import { bundleThreads } from '../testing/bundle-threads.ts';
import { codeOf } from '../testing/code-of.ts';
import { methodsOf } from '../testing/methods-of.ts';
import { createBackgroundCapability } from './background-capability.ts';
import type { JobStatus } from './job-store.ts';

const programs = await bundleThreads('background');

let folder: string;
let server: Server;
let port: number;
let bodies: string[];
let statuses: number[];
let instance: CapabilityInstance | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'background-'));
  bodies = [];
  statuses = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      bodies.push(body);
      const status = statuses.shift();
      if (status !== undefined) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  await instance?.dispose?.();
  instance = undefined;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

async function open(config: Readonly<Record<string, unknown>> = {}) {
  await instance?.dispose?.();
  instance = undefined;
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const web = { allow: [`hook.example:${port}`] };
  instance = await createBackgroundCapability({ clock: systemClock, random: systemRandom, resolve, programs }).create({
    ...{ name: 'background', version: '1.0.0', shard: 's', statePath: join(folder, 'state.sqlite') },
    config: { web, ...config },
  });
  return methodsOf(instance);
}

const hook = () => ({ url: `http://hook.example:${port}/`, body: 'news' });

test('adds up a table and counts words while nobody waits', async () => {
  const background = await open();
  const csv = 'city,amount,fee\nBern,1.5,1\nOslo,2,x\nBern,3,\n';
  const table = await background('submit', ['csv.summary', { csv, groupBy: 'city', sum: ['amount', 'fee'] }]);
  const words = await background('submit', ['text.words', { text: 'To be, or not to be.', top: 2 }]);
  expect(await background('wait', [table])).toMatchObject({
    state: 'done',
    attempts: 1,
    result: [
      { key: 'Bern', rows: 2, sums: { amount: { sum: 4.5, skipped: 0 }, fee: { sum: 1, skipped: 1 } } },
      { key: 'Oslo', rows: 1, sums: { amount: { sum: 2, skipped: 0 }, fee: { sum: 0, skipped: 1 } } },
    ],
  });
  expect(await background('wait', [words])).toMatchObject({
    result: [
      { word: 'be', count: 2 },
      { word: 'to', count: 2 },
    ],
  });
  expect(await background('list')).toHaveLength(2);
});

test('delivers again until the other side takes it', async () => {
  const background = await open({ retryMinimumMs: 1 });
  statuses = [503, 429, 204];
  const id = await background('submit', ['web.deliver', hook()]);
  expect(await background('wait', [id])).toMatchObject({ state: 'done', attempts: 3, result: { status: 204 } });
  expect(bodies).toEqual(['news', 'news', 'news']);
});

test('gives up when the attempts are used up, or the answer will not change', async () => {
  const background = await open({ retryMinimumMs: 1 });
  statuses = [500, 500, 404];
  const often = await background('submit', ['web.deliver', hook(), { maxAttempts: 2 }]);
  expect(await background('wait', [often])).toMatchObject({ state: 'failed', attempts: 2 });
  const never = await background('submit', ['web.deliver', hook()]);
  expect(await background('wait', [never])).toMatchObject({
    state: 'failed',
    attempts: 1,
    error: expect.stringContaining('404'),
  });
  const inside = await background('submit', ['web.deliver', { url: 'http://127.0.0.1/' }]);
  expect(await background('wait', [inside])).toMatchObject({
    state: 'failed',
    attempts: 1,
    error: expect.stringContaining('loopback'),
  });
});

test('a job that waits for its answer is cancelled in the middle, and others go on', async () => {
  const background = await open({ concurrency: 1 });
  const stuck = await background('submit', ['web.deliver', hook()]);
  await expect.poll(() => bodies).toEqual(['news']);
  const next = await background('submit', ['text.words', { text: 'a' }]);
  expect(await background('status', [next])).toMatchObject({ state: 'queued' });
  expect(await background('cancel', [stuck])).toBe(true);
  expect(await background('cancel', [stuck])).toBe(false);
  expect(await background('wait', [next])).toMatchObject({ state: 'done' });
  expect(await background('status', [stuck])).toMatchObject({ state: 'cancelled', result: null });
});

test('what ran or waited when the process ended is done by the next one', async () => {
  const first = await open({ concurrency: 1 });
  const running = await first('submit', ['web.deliver', hook()]);
  const waiting = await first('submit', ['text.words', { text: 'a a' }]);
  await expect.poll(() => bodies).toHaveLength(1);
  statuses = [200];
  const second = await open();
  expect(await second('wait', [running])).toMatchObject({ state: 'done', attempts: 2 });
  expect(await second('wait', [waiting])).toMatchObject({ result: [{ word: 'a', count: 2 }] });
});

test('refuses what it cannot do', async () => {
  const background = await open({ maxOpenPerAccount: 1 });
  for (const parameters of [
    ['none', {}],
    ['text.words', { a: 1n }],
    ['text.words', {}, { delayMs: -1 }],
  ])
    expect(await codeOf(() => background('submit', parameters))).toBe('PARAMETER_INVALID');
  await background('submit', ['text.words', { text: 'a' }, { delayMs: 60_000 }]);
  expect(await codeOf(() => background('submit', ['text.words', { text: 'b' }]))).toBe('TASKS_EXHAUSTED');
  const bad = await background('submit', ['csv.summary', { csv: 'a\n1', groupBy: 'b', sum: [] }], { account: 'bob' });
  const status = (await background('wait', [bad], { account: 'bob' })) as JobStatus;
  expect([status.state, status.error]).toEqual(['failed', expect.stringContaining("no column 'b'")]);
  expect(await codeOf(() => background('status', [bad]))).toBe('JOB_UNKNOWN');
  expect(await codeOf(() => open({ concurrency: 0 }))).toBe('CAPABILITY_CONFIG_INVALID');
});
