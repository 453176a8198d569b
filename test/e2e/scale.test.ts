/** Scale and roll-outs of an installation, with real processes: bursts, limits, and versions that do not do well. */
import type { RolloutAnswer, ScaleView } from '@switchyard/protocol/control-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpFunction } from './app-folder.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { type Answer, isAlive } from './dev-process.ts';
import { UpProcess } from './up-process.ts';

/** Real processes on a busy machine: long enough that only a defect exceeds it. */
const patience = { timeout: 40_000, interval: 250 } as const;

/** Of a whole test. */
const limitMs = 120_000;

/** An app whose one function waits a little and answers with an expression. */
const appFiles = (answer: string, waitMs: number) => ({
  'shop/host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
  'shop/package.json': { name: 'shop', type: 'module', main: 'src/*.js', dependencies: { '@azure/functions': '*' } },
  'shop/src/work.js': httpFunction(
    'work',
    `await new Promise((resolve) => setTimeout(resolve, ${waitMs})) ?? ${answer}`,
  ),
});

/** A function that answers how many of its kind run in its process. */
const counting = `import { app } from '@azure/functions';
let running = 0;
app.http('work', { route: 'work', authLevel: 'anonymous', handler: async () => {
  running += 1;
  const seen = running;
  await new Promise((resolve) => setTimeout(resolve, 50));
  running -= 1;
  return { body: String(seen) };
} });`;

/** A function that waits for nothing but the processor. */
const baking = `import { app } from '@azure/functions';
app.http('work', { route: 'work', authLevel: 'anonymous', handler: async () => {
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < 50_000);
  return { body: String(process.pid) };
} });`;

let apps: AppFolder;
let up: UpProcess;
beforeEach(async () => {
  apps = await openAppFolder();
  up = await UpProcess.start({ flags: ['--trusted-tenants', '--idle-seconds', '4'] });
});
afterEach(async () => {
  await up.close();
  await apps.remove();
});

const deploy = async (answer: string, waitMs = 0, ...flags: readonly string[]): Promise<string> => {
  await apps.write(appFiles(answer, waitMs));
  return await up.do('deploy', `${apps.path}/shop`, ...flags);
};

const explain = async (): Promise<ScaleView> => JSON.parse(await up.do('scale', 'explain', 'shop', '--json'));

const rollout = async (): Promise<RolloutAnswer> => JSON.parse(await up.do('rollout', 'shop', '--json'));

const callTimes = (count: number) => Promise.all(Array.from({ length: count }, () => up.call('shop', '/work')));

describe('scale', { timeout: limitMs }, () => {
  it('scales out for a burst and back in to nothing, without an error and without flapping', async () => {
    await deploy('String(process.pid)', 500);
    await up.do('scale', 'set', 'shop', 'maximum=4', 'stabilizationSeconds=2');
    // 0 -> 200 at once.
    const ready = async () => (await explain()).versions[0]?.workers.ready;
    await expect.poll(ready, patience).toBe(0);
    const answers = await callTimes(200);
    expect(answers.map(({ status }) => status)).toEqual(new Array(200).fill(200));
    const pids = new Set(answers.map(({ text }) => Number(text)));
    // The burst waits for the workers that come, for seconds, instead of going to the first one as a whole.
    expect(pids.size).toBeGreaterThan(1);
    expect(pids.size).toBeLessThanOrEqual(4);
    expect((await explain()).changes.map(({ to }) => to)).toContain(4);
    // -> 0
    await expect
      .poll(async () => (await explain()).versions[0]?.workers, patience)
      .toMatchObject({
        wanted: 0,
        ready: 0,
        draining: 0,
      });
    await expect.poll(() => [...pids].filter(isAlive), patience).toEqual([]);
    const { changes } = await explain();
    const all = changes.map(({ from, to }) => Math.sign(to - from)).reverse();
    const ways = all.slice(all.indexOf(1));
    // Up, then down, and never up again.
    expect(ways).toEqual([...ways].sort((one, other) => other - one));
    expect(changes.map(({ rule }) => rule)).toContain('burst');
    const told = /rule +none\n {2}result +0 workers/;
    await expect.poll(() => up.do('scale', 'explain', 'shop'), patience).toMatch(told);
    expect((await up.call('shop', '/work')).status).toBe(200);
  });

  it('scales out when functions use up the processors of their workers, and shows what each uses', async () => {
    await apps.write({ ...appFiles('', 0), 'shop/src/work.js': baking });
    await up.do('deploy', `${apps.path}/shop`);
    // A few calls at once are far below the target: neither load nor pressure ask for another worker.
    // How much of a processor it gets depends on what else runs on this machine.
    await up.do('scale', 'set', 'shop', 'maximum=2', 'targetConcurrency=100', 'targetCpuPercent=5');
    const pids = new Set<string>();
    let isEnough = false;
    const bake = async (): Promise<void> => {
      while (!isEnough) pids.add((await up.call('shop', '/work')).text);
    };
    const calls = Promise.all([bake(), bake(), bake()]);
    await expect.poll(() => pids.size, patience).toBe(2);
    isEnough = true;
    await calls;
    expect((await explain()).changes.find(({ to }) => to === 2)?.rule).toBe('cpu');
    expect(await up.do('ps', 'shop')).toMatch(/CPU TIME +MEMORY[\s\S]*\d s +\d+(\.\d)? MB/);
    expect(await up.metrics()).toMatch(/switchyard_workers_processors_ratio\{app="shop"[^}]*\} [01]/);
  });

  it('gives no worker more at once than its owner says', async () => {
    await apps.write({ ...appFiles('', 0), 'shop/src/work.js': counting });
    await up.do('deploy', `${apps.path}/shop`);
    await up.do('scale', 'set', 'shop', 'maximum=2', 'perWorkerLimit=3');
    expect((await up.call('shop', '/work')).status).toBe(200);
    const answers = await callTimes(60);
    expect(answers.map(({ status }) => status)).toEqual(new Array(60).fill(200));
    expect(Math.max(...answers.map(({ text }) => Number(text)))).toBe(3);
  });

  it('gives the apps of a tenant no more together than its quota, and says so', async () => {
    await deploy('String(process.pid)', 300);
    await up.do('scale', 'set', 'shop', 'maximum=4', 'perWorkerLimit=10', 'stabilizationSeconds=60');
    expect(await up.do('scale', 'quota', 'default', 'workers=2')).toContain('may have 2 workers together');
    const answers: Answer[] = [];
    let isEnough = false;
    const call = async (): Promise<void> => {
      while (!isEnough) answers.push(await up.call('shop', '/work'));
    };
    // Load for all four, until the second worker is there and has answered.
    const calls = Promise.all(Array.from({ length: 40 }, call));
    await expect.poll(() => new Set(answers.map(({ text }) => text)).size, patience).toBe(2);
    await expect.poll(() => up.do('scale', 'explain', 'shop'), patience).toContain("the tenant's quota leaves 2");
    isEnough = true;
    await calls;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(2);
    await up.do('scale', 'quota', 'default', 'workers=');
    expect(await up.do('scale', 'explain', 'shop')).not.toContain('quota');
  });

  it('keeps workers of an app that is always ready, also over a restart', async () => {
    await deploy('String(process.pid)');
    await up.do('scale', 'set', 'shop', 'alwaysReady=2');
    const ready = async () => (await explain()).versions[0]?.workers.ready;
    await expect.poll(ready, patience).toBe(2);
    await up.stop();
    await up.restart();
    await expect.poll(ready, patience).toBe(2);
    await up.do('scale', 'set', 'shop', 'alwaysReady=');
    await expect.poll(ready, patience).toBe(0);
  });
});

describe('rollout', { timeout: limitMs }, () => {
  /** Calls the app all the time until it is told to stop; says what was answered. */
  const keepCalling = () => {
    const seen: string[] = [];
    let isOver = false;
    const callers = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const { status, text } = await up.call('shop', '/work');
        seen.push(`${status} ${text}`.trim());
      }
    });
    return {
      seen,
      async stop(): Promise<void> {
        isOver = true;
        await Promise.all(callers);
      },
    };
  };

  /** The names of the versions, newest first. */
  const versions = async (): Promise<readonly string[]> => {
    const status = JSON.parse(await up.do('ps', 'shop', '--json'));
    return status.versions.map(({ codeVersion }: { readonly codeVersion: string }) => codeVersion);
  };

  const newVersion = async (before: readonly string[]): Promise<string> => {
    const found = (await versions()).find((version) => !before.includes(version));
    if (found === undefined) throw new Error('no version was added');
    return found;
  };

  it('a bad canary rolls itself back under load, and no call goes unanswered', async () => {
    await deploy('"good"', 5);
    const before = await versions();
    await deploy('(() => { throw new Error("not today"); })()', 5, '--no-promote');
    const bad = await newVersion(before);
    const load = keepCalling();
    await expect.poll(() => load.seen.length, patience).toBeGreaterThan(100);
    await up.do('rollout', 'shop', 'start', bad, '--steps', '20:30,100:30', '--minimum-calls', '20');
    await expect.poll(async () => (await rollout()).state, patience).toBe('rolledBack');
    const at = load.seen.length;
    await expect.poll(() => load.seen.length, patience).toBeGreaterThan(at + 50);
    await load.stop();
    // The canary was called, and every call has the answer of one version or the other.
    expect([...new Set(load.seen)].sort()).toEqual(['200 good', '500']);
    expect(new Set(load.seen.slice(-20))).toEqual(new Set(['200 good']));
    expect(await up.do('rollout', 'shop')).toMatch(/rolledBack: .* failed/);
    expect(await up.do('traffic', 'shop')).toMatch(new RegExp(`${before[0]} +100%`));
  });

  it('a good version is promoted step by step, and each call is answered by one of the two', async () => {
    await deploy('"one"');
    const before = await versions();
    await deploy('"two"', 0, '--no-promote');
    const good = await newVersion(before);
    const load = keepCalling();
    // What is shown is the way, so a machine that is busy with other things decides nothing.
    const gate = ['--minimum-calls', '5', '--max-p99', '100000'];
    await up.do('rollout', 'shop', 'start', good, '--steps', '50:2,100:1', ...gate);
    await expect.poll(async () => (await rollout()).state, patience).toBe('promoted');
    await expect.poll(() => load.seen.at(-1), patience).toBe('200 two');
    await load.stop();
    expect([...new Set(load.seen)].sort()).toEqual(['200 one', '200 two']);
    await up.do('rollout', 'shop', 'start', before[0] ?? '', '--blue-green', '--hold', '300');
    await up.do('rollout', 'shop', 'abort');
    expect(await up.do('traffic', 'shop')).toMatch(new RegExp(`${good} +100%`));
  });
});
