/** An installation whose workers are containers of a node agent on another machine: everything between the two is TLS. */
import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openTestEngine, requireTestEngine, type TestEngine } from '@switchyard/node-agent/testing';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess } from './agent-process.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { runSwitchyard } from './dev-process.ts';
import { OtherMachine, requireOtherMachine } from './other-machine.ts';
import { expectTwoRuntimes, twoRuntimes } from './two-runtimes.ts';
import { UpProcess } from './up-process.ts';
import { openWorkerImages, type WorkerImages } from './worker-images.ts';

const { skip: noMachine } = requireOtherMachine();
const { skip: noEngine } = requireTestEngine();
const hasDocker = spawnSync('docker', ['--version']).status === 0;
const { skip: noDocker } = requirePart('the docker command', hasDocker, 'Install it: apt-get install docker.io');

/** Containers start on a busy machine: long enough that only a defect exceeds it. */
const patience = { timeout: 90_000, interval: 250 } as const;

const files = {
  'shop/host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
  'shop/package.json': { name: 'shop', type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
  'shop/app.js': `import { app } from '@azure/functions';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
app.setup({ enableHttpStream: true });
app.http('where', { route: 'where', authLevel: 'anonymous', handler: async () => ({ jsonBody: {
  inContainer: existsSync('/.dockerenv'),
  addresses: Object.values(networkInterfaces()).flat().filter(({ family }) => family === 'IPv4').map(({ address }) => address),
} }) });
app.http('echo', { route: 'echo', methods: ['POST'], authLevel: 'anonymous', handler: (request) => ({ body: request.body }) });
`,
};

describe.skipIf(noMachine || noEngine || noDocker)('a node agent of another machine', () => {
  let machine: OtherMachine;
  let engine: TestEngine;
  let images: WorkerImages;
  let agent: AgentProcess;
  let apps: AppFolder;
  let up: UpProcess;
  let authority: string;
  /** Of an installation whose workers are there. */
  let doors: readonly string[];
  const environment = { SWITCHYARD_WORKER_AGENT_TOKEN: 'agent-secret' };

  beforeAll(async () => {
    apps = await openAppFolder();
    machine = await OtherMachine.open(79, apps.path);
    engine = await openTestEngine({ within: machine.within });
    images = openWorkerImages(engine);
    images.build('worker-node');
    const write = async (name: string, address: string): Promise<readonly string[]> => {
      const { certificate, key } = createSelfSigned(name, [address]);
      const [path, keyPath] = [join(apps.path, `${name}.crt`), join(apps.path, `${name}.key`)];
      await Promise.all([writeFile(path, certificate), writeFile(keyPath, key)]);
      await chmod(path, 0o644);
      return ['--tls-certificate', path, '--tls-key', keyPath];
    };
    agent = await AgentProcess.start({
      workerId: 'far',
      socketPath: engine.socketPath,
      settings: { POD_NETWORK: 'host', TOKEN: 'agent-secret', PULL_POLICY: 'never' },
      flags: ['--host', machine.far, ...(await write('agent', machine.far))],
      node: machine.node,
    });
    authority = join(apps.path, 'agent.crt');
    doors = [
      ...['--worker-agent', agent.url, '--worker-image', 'node=worker-node', '--peer-ca', authority],
      ...['--control-host', machine.near, '--rpc-host', machine.near, ...(await write('up', machine.near))],
    ];
    up = await UpProcess.start({ flags: doors, environment });
  }, 180_000);
  afterAll(async () => {
    await up?.close();
    await agent?.close();
    images?.close();
    await engine?.close();
    machine?.close();
    await apps?.remove();
  }, 60_000);

  const containers = (): number => images.docker('ps', '--quiet').split('\n').filter(Boolean).length;

  it('has workers that answer from there, streams included, and leaves none behind', { timeout: 240_000 }, async () => {
    expect(agent.url).toMatch(/^https:/);
    await apps.write(files);
    await up.do('deploy', `${apps.path}/shop`);
    const call = async () => JSON.parse((await up.call('shop', '/where')).text);
    const there = { inContainer: true, addresses: expect.arrayContaining([machine.far]) };
    await expect.poll(() => call().catch(() => undefined), patience).toEqual(there);
    const body = 'x'.repeat(1_000_000);
    const echoed = await up.call('shop', '/echo', { method: 'POST', body });
    expect([echoed.status, echoed.text.length]).toEqual([200, body.length]);
    expect(containers()).toBeGreaterThan(0);
    await up.stop();
    await expect.poll(containers, patience).toBe(0);
    expect(up.output + agent.output).not.toMatch(/agent-secret|PRIVATE KEY/);
  });

  it('gives workers to Runtimes that are started beside the first, too', { timeout: 240_000 }, async () => {
    await apps.write(files);
    const several = await UpProcess.start({ flags: [...doors, ...twoRuntimes], environment });
    try {
      await several.do('deploy', `${apps.path}/shop`);
      // Streams go from each Runtime to its worker, whose certificate the installation knows.
      await expectTwoRuntimes(several, patience);
    } finally {
      await several.close();
    }
    await expect.poll(containers, patience).toBe(0);
  });

  it('is asked over TLS alone, by whom its certificate is vouched for', async () => {
    const token = join(apps.path, 'token');
    await writeFile(token, 'agent-secret');
    const asked = ['job', 'ps', '--agent', agent.url, '--token-file', token];
    const { code, output } = await runSwitchyard([...asked, '--ca-file', authority]);
    expect([code, output]).toEqual([0, expect.anything()]);
    expect((await runSwitchyard(asked)).output).toContain('self-signed');
  });

  it('is refused where its token would go there in clear, and where pods would find no door', async () => {
    const words = ['up', '--data-dir', join(apps.path, 'data'), '--worker-image', 'node=worker-node'];
    const ports = ['--port', '0', '--control-port', '0', '--rpc-port', '0'];
    const closed = await runSwitchyard([...words, ...ports, '--worker-agent', agent.url]);
    expect([closed.code, closed.output]).toEqual([2, expect.stringContaining('--control-host')]);
  });
});
