/** An installation whose workers are containers of a real node agent, on a real engine. */
import { spawnSync } from 'node:child_process';
import { openTestEngine, requireTestEngine, type TestEngine } from '@switchyard/node-agent/testing';
import type { ScaleView } from '@switchyard/protocol/control-api';
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
      flags: ['--worker-agent', agent.url, '--worker-image', 'node=worker-node', '--idle-seconds', '5'],
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
  const explain = async (): Promise<ScaleView> => JSON.parse(await up.do('scale', 'explain', 'shop', '--json'));

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
    expect(await up.do('ps', 'shop')).toContain('dormant');
    // Those that wait for the next call are containers as well.
    expect(containers()).toBeGreaterThan(0);
    await up.stop();
    await expect.poll(containers, patience).toBe(0);
    expect(up.output + agent.output).not.toContain('agent-secret');
  });
});
