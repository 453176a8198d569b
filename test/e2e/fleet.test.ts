/** Several Runtimes in one installation, as real processes: filled and ended by need, joined by hand, and killed. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuntimeList, RuntimeView, StatusView } from '@switchyard/protocol/control-api';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { type Answer, DevProcess, isAlive } from './dev-process.ts';
import { azuriteEntry, azuritePart, openQueue } from './queues.ts';
import { openShortLeaseQueues, type ShortLeaseQueues } from './short-lease-queues.ts';
import { UpProcess } from './up-process.ts';

/** Real processes on a busy machine: long enough that only a defect exceeds it. */
const patience = { timeout: 60_000, interval: 250 } as const;

/** After a burst nothing is given back for a minute. */
const afterBurst = { timeout: 150_000, interval: 500 } as const;

/** Of a whole test. */
const limitMs = 240_000;

const work = `import { app } from '@azure/functions';
app.http('work', { route: 'work', authLevel: 'anonymous', methods: ['GET', 'POST'], handler: async (request) => {
  const text = await request.text();
  await new Promise((resolve) => setTimeout(resolve, Number(request.query.get('wait') ?? 0)));
  const { host } = new URL(request.url);
  return { body: JSON.stringify({ pid: process.pid, length: text.length, host }) };
} });`;

const shout = `import { app } from '@azure/functions';
app.http('shout', { route: 'shout', authLevel: 'anonymous', handler: async (request, context) => {
  context.log('loud and clear');
  console.error('on the console');
  return { body: 'said' };
} });`;

/** Writes each of its ticks down: a listener that runs twice ticks twice a second. */
const tick = `import { app } from '@azure/functions';
import { appendFileSync } from 'node:fs';
app.timer('tick', { schedule: '* * * * * *', handler: (timer, context) => {
  appendFileSync(process.env.LEDGER, Date.now() + '\\n');
} });`;

const queue = (name: string) => `import { app } from '@azure/functions';
import { appendFileSync } from 'node:fs';
app.storageQueue('${name}', { queueName: '${name}', connection: 'QUEUES', handler: async ({ number }) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  appendFileSync(process.env.LEDGER, '${name} ' + number + '\\n');
} });`;

let apps: AppFolder;
let folder: string;
let up: UpProcess;
const others: DevProcess[] = [];

beforeEach(async () => {
  apps = await openAppFolder();
  folder = await mkdtemp(join(tmpdir(), 'switchyard-fleet-'));
});
afterEach(async () => {
  for (const other of others.splice(0)) await other.close();
  await up?.close();
  await apps.remove();
  await rm(folder, { recursive: true, force: true });
});

const ledger = (): string => join(folder, 'ledger');
const entries = async (): Promise<readonly string[]> =>
  (await readFile(ledger(), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

async function start(...flags: readonly string[]): Promise<void> {
  up = await UpProcess.start({
    flags: ['--trusted-tenants', '--max-runtimes', '3', '--workers-per-runtime', '2', ...flags],
  });
}

async function deploy(
  name: string,
  sources: Readonly<Record<string, string>>,
  ...flags: readonly string[]
): Promise<void> {
  const files = Object.entries(sources).map(([file, text]) => [`${name}/src/${file}.js`, text]);
  await apps.write({
    [`${name}/host.json`]: { version: '2.0', extensions: { http: { routePrefix: '' }, queues: { batchSize: 4 } } },
    [`${name}/package.json`]: { name, type: 'module', main: 'src/*.js', dependencies: { '@azure/functions': '*' } },
    ...Object.fromEntries(files),
  });
  await up.do('deploy', join(apps.path, name), ...flags);
}

const list = async (): Promise<readonly RuntimeView[]> =>
  (JSON.parse(await up.do('runtimes', '--json')) as RuntimeList).runtimes;

/** The Runtimes that host an app, by their ids. */
const homesOf = async (app: string): Promise<readonly string[]> =>
  (await list()).filter(({ applications }) => applications.includes(app)).map(({ id }) => id);

const workersOf = async (app: string): Promise<StatusView['workers']> =>
  (JSON.parse(await up.do('ps', app, '--json')) as StatusView).workers;

/** Calls an app until it is told to stop; every answer is kept. */
function callOnAndOn(app: string, callers: number, path = '/work?wait=50') {
  const answers: { readonly status: number; readonly text: string }[] = [];
  let goesOn = true;
  const loop = async (): Promise<void> => {
    while (goesOn) answers.push(await up.call(app, path));
  };
  const loops = Array.from({ length: callers }, loop);
  return {
    answers,
    async end() {
      goesOn = false;
      await Promise.all(loops);
      return answers;
    },
  };
}

/** The processes of Runtimes that the installation has started. */
async function runtimePids(): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found: number[] = [];
  for (const pid of pids) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes('--join') && words.includes(up.dataFolder)) found.push(Number(pid));
  }
  return found;
}

/** Joins a Runtime by hand, as on another machine. */
async function joinRuntime(...flags: readonly string[]): Promise<DevProcess> {
  const runtime = await up.startMember('--data-dir', folder, ...flags);
  others.push(runtime);
  await runtime.line(/has joined/);
  return runtime;
}

describe('several Runtimes', { timeout: limitMs }, () => {
  it('one app spans two of them, no listener runs twice, and what is not needed any more ends', async () => {
    await start('--runtime-idle-seconds', '2');
    await deploy('shop', { work, tick });
    await up.do('settings', 'shop', 'set', `LEDGER=${ledger()}`);
    await up.do('scale', 'set', 'shop', 'maximum=4', 'targetConcurrency=1', 'stabilizationSeconds=3');
    const calls = callOnAndOn('shop', 16);
    await expect.poll(() => homesOf('shop'), patience).toEqual(['local', 'runtime-2']);
    const pids = () =>
      new Set(calls.answers.filter(({ status }) => status === 200).map(({ text }) => JSON.parse(text).pid));
    await expect.poll(() => pids().size, patience).toBeGreaterThan(3);
    // What a Runtime of another process has is told a moment later. One of them listens.
    const both = async () => (await list()).map(({ workers }) => workers);
    await expect.poll(both, patience).toEqual([2, 2]);
    const listening = async () => (await list()).reduce((sum, { listeners }) => sum + listeners, 0);
    await expect.poll(listening, patience).toBe(1);
    const begun = (await entries()).length;
    await expect.poll(async () => (await entries()).length, patience).toBeGreaterThan(begun + 4);
    const answers = await calls.end();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(answers.map(({ text }) => JSON.parse(text).host))).toEqual(
      new Set([expect.stringMatching(/^shop\.localhost:\d+$/)]),
    );
    // The second Runtime is left, and then ended.
    await expect.poll(async () => (await list()).map(({ id }) => id), afterBurst).toEqual(['local']);
    expect(await runtimePids()).toEqual([]);
    // On a busy machine a tick may be late, and the next one is not: over ten seconds that is one more at most.
    const ticks = (await entries()).map(Number).toSorted((one, other) => one - other);
    const within = ticks.map((from) => ticks.filter((at) => at >= from && at < from + 10_000).length);
    expect(Math.max(...within)).toBeLessThanOrEqual(12);
  });

  it('a body flows through, and whoever goes away is noticed', async () => {
    await start('--region', 'south');
    await joinRuntime('--name', 'north-1', '--region', 'north');
    await deploy('shop', { work });
    await up.do('scale', 'set', 'shop', 'region=north');
    await expect.poll(() => homesOf('shop'), patience).toEqual(['north-1']);
    const body = 'x'.repeat(3_000_000);
    const answer = await up.call('shop', '/work', { method: 'POST', body });
    expect([answer.status, JSON.parse(answer.text).length]).toEqual([200, body.length]);
    const expecting = await up.call('shop', '/work', { method: 'POST', body, headers: { expect: '100-continue' } });
    expect([expecting.status, JSON.parse(expecting.text).length]).toEqual([200, body.length]);
    expect((await up.call('shop', '/nothing')).status).toBe(404);
  });

  it('apps are where their region and their isolation let them be, and say so when nothing fits', async () => {
    await start('--region', 'south');
    await deploy('shop', { work }, '--tenant', 'contoso');
    await deploy('blog', { work }, '--tenant', 'fabrikam');
    const north = await joinRuntime('--name', 'north-1', '--region', 'north');
    await up.do('scale', 'set', 'shop', 'region=north');
    await expect.poll(() => homesOf('shop'), patience).toEqual(['north-1']);
    expect((await up.call('shop', '/work')).status).toBe(200);
    // A Runtime of its own is started for it.
    await up.do('scale', 'set', 'blog', 'isolation=dedicated');
    await up.do('scale', 'set', 'shop', 'region=south');
    await expect.poll(async () => (await homesOf('shop')).length, patience).toBe(1);
    await expect.poll(async () => await homesOf('shop'), patience).not.toEqual(['north-1']);
    await expect
      .poll(async () => (await list()).find(({ dedicatedTo }) => dedicatedTo === 'fabrikam')?.applications, patience)
      .toEqual(['blog']);
    const answers = await Promise.all(['shop', 'blog'].map((app) => up.call(app, '/work')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    // Nobody but the installation calls a Runtime.
    expect(await north.stop()).toMatchObject({ code: 0 });
    await expect.poll(async () => (await list()).map(({ id }) => id).includes('north-1'), patience).toBe(false);
    // Nothing else is in the north: it stays where it was warm until it can be served there.
    await deploy('depot', { work }, '--no-promote');
    await up.do('scale', 'set', 'depot', 'region=north');
    const refused = await up.run('deploy', join(apps.path, 'depot'));
    expect(refused.output).toMatch(/region 'north'/);
  });

  it('an app with more workers than a Runtime may have spans two, with the limit that holds by default', async () => {
    up = await UpProcess.start({ flags: ['--trusted-tenants', '--max-runtimes', '2'] });
    await deploy('shop', { work });
    await up.do('scale', 'set', 'shop', 'alwaysReady=21', 'maximum=21', 'perWorkerLimit=1');
    const ready = async () => (await workersOf('shop')).filter(({ state }) => state === 'ready');
    await expect.poll(async () => (await ready()).length, patience).toBe(21);
    const byRuntime = Map.groupBy(await ready(), ({ runtimeId }) => runtimeId);
    expect([byRuntime.get('local')?.length, byRuntime.get('runtime-2')?.length]).toEqual([20, 1]);
    const answers: Answer[] = [];
    const callAll = async () => {
      answers.push(...(await Promise.all(Array.from({ length: 84 }, () => up.call('shop', '/work?wait=300')))));
      return new Set(answers.map(({ text }) => text)).size;
    };
    // The gateway hears of a worker elsewhere a moment later than `ps`.
    await expect.poll(callAll, patience).toBe(21);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('an app is where it was after the controller was killed and started anew', async () => {
    await start();
    const first = await joinRuntime('--name', 'north-1', '--region', 'north');
    await deploy('shop', { work });
    await deploy('blog', { work });
    await up.do('scale', 'set', 'shop', 'region=north');
    await expect.poll(() => homesOf('shop'), patience).toEqual(['north-1']);
    // Nothing but its past keeps it there.
    await up.do('scale', 'set', 'shop', 'region=');
    await expect.poll(async () => (await up.call('shop', '/work')).status, patience).toBe(200);
    up.signal('SIGKILL');
    await up.exited();
    await first.close();
    await up.restart();
    expect((await up.call('shop', '/work')).status).toBe(200);
    await joinRuntime('--name', 'north-1', '--region', 'north');
    await expect.poll(() => homesOf('shop'), patience).toEqual(['north-1']);
    expect(await homesOf('blog')).toEqual(['local']);
    const calls = callOnAndOn('shop', 2);
    await expect.poll(() => calls.answers.length, patience).toBeGreaterThan(20);
    expect((await calls.end()).filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('shows workers, lines, frames and measurements of other Runtimes as of its own', async () => {
    await start();
    await joinRuntime('--name', 'north-1', '--region', 'north');
    await deploy('shop', { work, shout });
    await up.do('scale', 'set', 'shop', 'region=north', 'alwaysReady=1');
    await expect.poll(() => homesOf('shop'), patience).toEqual(['north-1']);
    await expect
      .poll(() => workersOf('shop'), patience)
      .toMatchObject([{ state: 'ready', runtimeId: 'north-1', memoryBytes: expect.any(Number) }]);
    const trace = up.follow('trace', 'shop');
    const logs = up.follow('logs', 'shop', '-f');
    // Until the commands are connected.
    await expect
      .poll(async () => {
        await up.call('shop', '/shout');
        const [frames, lines] = [trace.output, logs.output];
        return ['invocationResponse', 'loud and clear', 'on the console'].filter((text) =>
          (frames + lines).includes(text),
        );
      }, patience)
      .toHaveLength(3);
    await Promise.all([trace.close(), logs.close()]);
    expect(trace.output).toMatch(/-> \S+ +invocationRequest[\s\S]*<- \S+ +invocationResponse/);
    expect(await up.metrics()).toMatch(/^switchyard_\w*invocations\w*\{[^}]*runtime="north-1"[^}]*\} [1-9]/m);
  });

  it('nobody joins without a token for that', async () => {
    await start();
    const url = /Workers\s+(http:\S+)/.exec(up.output)?.[1] ?? '';
    const stranger = new DevProcess(
      ['runtime', '--join', url, '--port', '0', '--rpc-port', '0', '--control-port', '0', '--data-dir', folder],
      { SWITCHYARD_JOIN_TOKEN: 'none' },
    );
    others.push(stranger);
    expect((await stranger.exited()).code).toBe(2);
    expect(stranger.output).toContain('does not let this Runtime join');
  });
});

describe.skipIf(azuritePart.skip)('several Runtimes and queues', { timeout: limitMs }, () => {
  let azurite: Azurite;
  let leases: ShortLeaseQueues;
  beforeEach(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
    // What the killed Runtime had taken comes back after seconds instead of ten minutes.
    leases = await openShortLeaseQueues(azurite.connectionString, 10);
  });
  afterEach(async () => {
    leases.close();
    await azurite.stop();
  });

  it('a Runtime that is killed under load: every request has an answer, and no message is lost', async () => {
    await start();
    const queues = await Promise.all(['orders', 'mails'].map((name) => openQueue(azurite.connectionString, name)));
    await deploy('shop', { work, orders: queue('orders'), mails: queue('mails') });
    await up.do('settings', 'shop', 'set', `LEDGER=${ledger()}`, `QUEUES=${leases.connectionString}`);
    await up.do('scale', 'set', 'shop', 'maximum=4', 'targetConcurrency=1', 'stabilizationSeconds=60');
    const calls = callOnAndOn('shop', 12);
    // Each of the two listens for one of the queues.
    await expect.poll(async () => (await list()).map(({ listeners }) => listeners), patience).toEqual([1, 1]);
    const [pid = 0] = await runtimePids();
    for (let number = 0; number < 60; number += 1) for (const one of queues) await one.send({ number });
    await expect.poll(async () => (await entries()).length, patience).toBeGreaterThan(10);
    const before = calls.answers.length;
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => isAlive(pid), patience).toBe(false);
    await expect.poll(() => calls.answers.length, patience).toBeGreaterThan(before + 100);
    await expect.poll(async () => new Set(await entries()).size, patience).toBe(120);
    const answers = await calls.end();
    const failed = answers.filter(({ status }) => status !== 200);
    // What the Runtime had when it ended is told by its name, and nothing else failed.
    expect(failed.filter(({ status, text }) => status !== 502 || !text.startsWith('FLEET_RUNTIME_LOST: '))).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(12);
    await expect.poll(async () => (await Promise.all(queues.map((one) => one.size()))).join(), patience).toBe('0,0');
  });
});
