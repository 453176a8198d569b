/** An installation whose workers are containers of a real node agent, on a real engine. */
import { spawnSync } from 'node:child_process';
import { openTestEngine, requireTestEngine, type TestEngine } from '@switchyard/node-agent/testing';
import type { ScaleView, StatusView } from '@switchyard/protocol/control-api';
import { requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess } from './agent-process.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { UpProcess } from './up-process.ts';
import { openWorkerImages, type WorkerImages } from './worker-images.ts';

const { skip: noEngine } = requireTestEngine();
const hasDocker = spawnSync('docker', ['--version']).status === 0;
const { skip: noDocker } = requirePart('the docker command', hasDocker, 'Install it: apt-get install docker.io');

/** Containers start on a busy machine: long enough that only a defect exceeds it. */
const patience = { timeout: 90_000, interval: 250 } as const;

/** So little of a processor that a container gets it on a busy machine as well, and can be seen to use it up. */
const little = ['--worker-limits', 'cpu=250m,memory=512Mi'];

/** Tells where it runs: a container has the image's root, and no more than it was given. */
const files = {
  'shop/host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
  'shop/package.json': { name: 'shop', type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
  'shop/app.js': `import { app } from '@azure/functions';
import { existsSync } from 'node:fs';
app.http('where', { route: 'where', authLevel: 'anonymous', handler: async () => {
  await new Promise((resolve) => setTimeout(resolve, 200));
  return { jsonBody: {
    worker: process.env.WORKER_ID ?? process.pid, inContainer: existsSync('/.dockerenv'), color: process.env.COLOR,
  } };
} });
`,
  'oven/host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
  'oven/package.json': { name: 'oven', type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
  // Waits for nothing but the processor.
  'oven/app.js': `import { app } from '@azure/functions';
app.http('bake', { route: 'bake', authLevel: 'anonymous', handler: async () => {
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < 100_000);
  return { body: 'baked' };
} });
`,
};

describe.skipIf(noEngine || noDocker)('switchyard up --worker-agent', () => {
  let engine: TestEngine;
  let images: WorkerImages;
  let agent: AgentProcess;
  let apps: AppFolder;
  let up: UpProcess;
  beforeAll(async () => {
    engine = await openTestEngine();
    images = openWorkerImages(engine);
    images.build('worker-node');
    const settings = { POD_NETWORK: 'host', TOKEN: 'agent-secret', PULL_POLICY: 'never' };
    agent = await AgentProcess.start({ workerId: 'workers', socketPath: engine.socketPath, settings });
    apps = await openAppFolder();
    up = await UpProcess.start({
      flags: ['--worker-agent', agent.url, '--worker-image', 'node=worker-node', '--idle-seconds', '5', ...little],
      environment: { SWITCHYARD_WORKER_AGENT_TOKEN: 'agent-secret' },
    });
  }, 180_000);
  afterAll(async () => {
    await up?.close();
    await apps?.remove();
    await agent?.close();
    images?.close();
    await engine.close();
  }, 60_000);

  const containers = (): number => images.docker('ps', '--quiet').split('\n').filter(Boolean).length;
  const explain = async (app = 'shop'): Promise<ScaleView> =>
    JSON.parse(await up.do('scale', 'explain', app, '--json'));

  it('answers from containers, scales them out and in, and leaves none behind', { timeout: 240_000 }, async () => {
    await apps.write(files);
    await up.do('deploy', `${apps.path}/shop`);
    await up.do('settings', 'shop', 'set', 'COLOR=red');
    await up.do('scale', 'set', 'shop', 'maximum=2', 'perWorkerLimit=5', 'stabilizationSeconds=2');
    const call = async () => JSON.parse((await up.call('shop', '/where')).text);
    await expect.poll(() => call().catch(() => undefined), patience).toMatchObject({ inContainer: true, color: 'red' });
    const answers = await Promise.all(Array.from({ length: 150 }, () => up.call('shop', '/where')));
    expect(answers.map(({ status }) => status)).toEqual(new Array(150).fill(200));
    expect(new Set(answers.map(({ text }) => JSON.parse(text).worker)).size).toBeLessThanOrEqual(2);
    expect((await explain()).changes.some(({ to }) => to === 2)).toBe(true);
    await expect.poll(async () => (await explain()).versions[0]?.workers.wanted, patience).toBe(0);
    await expect.poll(() => up.do('ps', 'shop'), patience).toContain('dormant');
    // Those that wait for the next call are containers as well.
    expect(containers()).toBeGreaterThan(0);
  });

  it('measures the processors and memory of a container, and scales out by them', { timeout: 240_000 }, async () => {
    await apps.write(files);
    await up.do('deploy', `${apps.path}/oven`);
    // A few calls at once are far below the target: neither load nor pressure ask for another worker.
    // How much of a processor it gets depends on what else runs on this machine.
    await up.do('scale', 'set', 'oven', 'maximum=2', 'targetConcurrency=100', 'targetCpuPercent=20');
    let goesOn = true;
    const bake = async (): Promise<void> => {
      while (goesOn) await up.call('oven', '/bake');
    };
    const baking = Promise.all([bake(), bake(), bake()]);
    try {
      const growth = async () => (await explain('oven')).changes.find(({ to }) => to === 2)?.rule;
      await expect.poll(growth, patience).toBe('cpu');
      const workers = async () => (JSON.parse(await up.do('ps', 'oven', '--json')) as StatusView).workers;
      // Node.js with an app needs some memory, and has less than its limit; each of the two has worked.
      const isMeasured = ({ cpuMs = 0, memoryBytes = 0 }: StatusView['workers'][number]): boolean =>
        cpuMs > 200 && memoryBytes > 20_000_000 && memoryBytes < 512 * 1_024 ** 2;
      await expect.poll(async () => (await workers()).filter(isMeasured).length, patience).toBe(2);
      expect(await up.do('scale', 'explain', 'oven')).toMatch(/processors +\d+ %/);
    } finally {
      goesOn = false;
      await baking;
    }
    expect(await up.do('ps', 'oven')).toMatch(/CPU TIME +MEMORY[\s\S]*\d s +\d+(\.\d)? MB/);
    const metrics = await up.metrics();
    expect(metrics).toMatch(/switchyard_workers_memory_bytes\{app="oven"[^}]*\} \d{8}/);
    expect(metrics).toMatch(/switchyard_workers_processors_ratio\{app="oven"[^}]*\} [01]/);
  });

  it('leaves no container behind', { timeout: 120_000 }, async () => {
    await up.stop();
    await expect.poll(containers, patience).toBe(0);
    expect(up.output + agent.output).not.toContain('agent-secret');
  });
});
