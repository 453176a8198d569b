/** An installation whose workers are pods of a cluster that really run, on a network of their own. */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openTestEngine, requireTestEngine, type TestEngine } from '@switchyard/node-agent/testing';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { requirePart } from '@switchyard/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedKubelet } from '../kubernetes/scripted-kubelet.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { expectTwoRuntimes, twoRuntimes } from './two-runtimes.ts';
import { UpProcess } from './up-process.ts';
import { openWorkerImages, type WorkerImages } from './worker-images.ts';

const { skip: noEngine } = requireTestEngine();
const hasDocker = spawnSync('docker', ['--version']).status === 0;
const { skip: noDocker } = requirePart('the docker command', hasDocker, 'Install it: apt-get install docker.io');

/** Containers start on a busy machine: long enough that only a defect exceeds it. */
const patience = { timeout: 90_000, interval: 250 } as const;

const subnet = '10.213.80.0/24';
/** This machine, as pods see it. */
const near = '10.213.80.1';

/** Tells where it runs, and echoes a stream. */
const files = {
  'shop/host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
  'shop/package.json': { name: 'shop', type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
  'shop/app.js': `import { app } from '@azure/functions';
import { existsSync } from 'node:fs';
app.setup({ enableHttpStream: true });
app.http('where', { route: 'where', authLevel: 'anonymous', handler: async () => ({ jsonBody: {
  user: process.getuid(), inContainer: existsSync('/.dockerenv'), color: process.env.COLOR,
} }) });
app.http('echo', { route: 'echo', methods: ['POST'], authLevel: 'anonymous', handler: (request) => ({ body: request.body }) });
`,
};

describe.skipIf(noEngine || noDocker)('switchyard up --worker-kubernetes', () => {
  let engine: TestEngine;
  let images: WorkerImages;
  let cluster: ScriptedKubelet;
  let apps: AppFolder;
  let up: UpProcess | undefined;
  let flags: readonly string[];
  beforeAll(async () => {
    engine = await openTestEngine();
    images = openWorkerImages(engine);
    images.build('worker-node');
    const folder = join(engine.folder, 'secrets');
    await mkdir(folder);
    const own = createSelfSigned('installation', [near]);
    const pods = createSelfSigned('pods', ['switchyard-worker']);
    for (const [name, text] of Object.entries({
      ...{ 'tls.crt': pods.certificate, 'tls.key': pods.key, 'ca.crt': own.certificate },
      ...{ 'own.crt': own.certificate, 'own.key': own.key },
    })) {
      await writeFile(join(folder, name), text);
    }
    await chmod(engine.folder, 0o755);
    const secrets = { 'switchyard-worker-tls': folder };
    cluster = await ScriptedKubelet.open({ docker: images.docker, namespace: 'shops', secrets, subnet });
    await writeFile(join(folder, 'credential.json'), cluster.credential);
    await writeFile(join(folder, 'log-in'), `#!/bin/sh\ncat ${join(folder, 'credential.json')}\n`);
    await chmod(join(folder, 'log-in'), 0o755);
    await writeFile(join(folder, 'kubeconfig'), cluster.kubeconfig('./log-in'));
    apps = await openAppFolder();
    flags = [
      ...['--worker-kubernetes', 'shops', '--kubeconfig', join(folder, 'kubeconfig')],
      ...['--worker-image', 'node=worker-node', '--idle-seconds', '5'],
      ...['--control-host', near, '--rpc-host', near, '--peer-ca', join(folder, 'tls.crt')],
      ...['--tls-certificate', join(folder, 'own.crt'), '--tls-key', join(folder, 'own.key')],
    ];
  }, 180_000);
  afterEach(() => up?.close());
  afterAll(async () => {
    await apps?.remove();
    await cluster?.close();
    images?.close();
    await engine?.close();
  }, 60_000);

  const openShop = (installation: UpProcess) => ({
    deploy: () => installation.do('deploy', `${apps.path}/shop`),
    call: async () => JSON.parse((await installation.call('shop', '/where')).text),
  });

  it('answers from pods, streams included, replaces those that die, and leaves none behind', {
    timeout: 240_000,
  }, async () => {
    await apps.write(files);
    up = await UpProcess.start({ flags });
    const { call, deploy } = openShop(up);
    await deploy();
    await up.do('settings', 'shop', 'set', 'COLOR=red');
    const answer = { inContainer: true, user: 10_001, color: 'red' };
    await expect.poll(() => call().catch(() => undefined), patience).toEqual(answer);
    const body = 'x'.repeat(1_000_000);
    const echoed = await up.call('shop', '/echo', { method: 'POST', body });
    expect([echoed.status, echoed.text.length]).toEqual([200, body.length]);
    const before = cluster.podNames;
    for (const name of before) cluster.kill(name);
    await expect.poll(() => call().catch(() => undefined), patience).toEqual(answer);
    await expect.poll(() => cluster.podNames.filter((name) => before.includes(name)), patience).toEqual([]);
    // What sleeps has no pod; those that wait for the next call are pods as well.
    await expect.poll(async () => await up?.do('ps', 'shop'), patience).toContain('dormant');
    expect(cluster.podNames.length).toBeGreaterThan(0);
    // A killed installation leaves its pods; the next one ends them.
    const left = cluster.podNames;
    up.signal('SIGKILL');
    await up.exited();
    await up.restart();
    await expect.poll(() => call().catch(() => undefined), patience).toEqual(answer);
    await expect.poll(() => cluster.podNames.filter((name) => left.includes(name)), patience).toEqual([]);
    await up.stop();
    await expect.poll(() => cluster.podNames, patience).toEqual([]);
    expect(new Set(cluster.asked)).toEqual(new Set(['POST pods', 'GET pods', 'DELETE pods']));
    expect(up.output).not.toContain(cluster.token);
  });

  it('gives pods to Runtimes that are started beside it, too', { timeout: 240_000 }, async () => {
    await apps.write(files);
    up = await UpProcess.start({ flags: [...flags, ...twoRuntimes] });
    const { call, deploy } = openShop(up);
    await deploy();
    await expect.poll(() => call().catch(() => undefined), patience).toMatchObject({ inContainer: true });
    await expectTwoRuntimes(up, patience);
  });
});
