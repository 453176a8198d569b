/** A worker under a wrapper, and its sidecar, which reaches the wrapper by its socket alone; a Runtime in front. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { createRpcServer, eventStreamPath, type Link, type RpcServer, type WorkerSupply } from '@switchyard/protocol';
import { createRuntime, type Runtime } from '@switchyard/runtime';
import {
  connectionArguments,
  createRestartableSidecar,
  createRuntimeDialer,
  createSidecar,
  createWrapperClient,
  type RestartableSidecar,
  type WrapperClient,
} from '@switchyard/sidecar';
import { createUnixTransport, runWrapper } from '@switchyard/standalone/wrapper';
import { createAzureQueueService, createFileTimerStatus, createKinds } from '@switchyard/triggers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWorker, type WorkerBundle } from '../conformance/worker-process.ts';
import { createHelloApplication, helloFolder, nodeStack } from '../decoupled/hello-application.ts';

const [clock, random, log] = [systemClock, systemRandom, silentLog];
const application = createHelloApplication();

const servers: RpcServer[] = [];
const dialer = createRuntimeDialer({ clock, log });
let bundle: WorkerBundle;
let folder: string;
let runtime: Runtime;
let client: WrapperClient;
let sidecar: RestartableSidecar;
let ended: Promise<number>;

async function listen(open: (link: Link) => void) {
  const server = createRpcServer({ clock }, { methods: { [eventStreamPath]: { kind: 'stream', open } } });
  servers.push(server);
  return await server.listen({ host: '127.0.0.1', port: 0 });
}

/** Workers come by themselves here. */
const noSupply: WorkerSupply = { ensure: () => {}, release: () => {}, watch: () => () => {} };

function openRuntime(): Runtime {
  const timerStatus = createFileTimerStatus({ random }, join(folder, 'timers'));
  const kinds = createKinds({ queues: createAzureQueueService(), timerStatus });
  const deps = { clock, random, log, meter: silentMeter, supply: noSupply, kinds };
  return createRuntime({ ...deps, verifyWorker: () => ({ kind: 'accepted' }) }, { cpus: 1 });
}

/** A sidecar that knows of its worker what the wrapper tells. */
async function openSidecar(): Promise<RestartableSidecar> {
  const launch = (await client.status())?.launch;
  if (launch === undefined) throw new Error('the wrapper shows no launch');
  const traits = { workerIndexing: true, initializationTimeoutMs: 30_000, environmentReloadTimeoutMs: 30_000 };
  return createRestartableSidecar(
    {
      log,
      control: client,
      expectWorker: () => {},
      createLife: ({ firstEpoch, onRestartRequest }) =>
        createSidecar(
          { clock, random, log, dial: dialer.dial, onRestartRequest },
          {
            workerId: 'w1',
            firstEpoch,
            stack: nodeStack,
            instanceId: 'here',
            hostVersion: '4.1052.0',
            traits,
            workerDirectory: folder,
            hasConsole: false,
          },
        ),
    },
    {
      captured: { ...launch, language: 'node', runtimeVersion: nodeStack.version, workerDirectory: folder },
      awaitsReturn: true,
      graceMs: 10_000,
    },
  );
}

beforeAll(async () => {
  bundle = await buildWorker();
  folder = mkdtempSync(join(tmpdir(), 'switchyard-pod-'));
  const socketPath = join(folder, 'worker.sock');
  runtime = openRuntime();
  const waiting: Link[] = [];
  let take = (link: Link): unknown => waiting.push(link);
  const forWorkers = await listen((link) => take(link));
  const connection = connectionArguments({ ...forWorkers, workerId: 'w1', requestId: 'r1' });
  ended = runWrapper({
    command: [process.execPath, bundle.path, ...connection],
    workerPath: bundle.path,
    directory: folder,
    environment: process.env,
    passes: [],
    socketPath,
    onCrash: 'restart',
    graceMs: 10_000,
    stdout: { write: () => {} },
    stderr: { write: () => {} },
    log,
    onStopRequest: () => {},
  });
  client = createWrapperClient({ clock, transport: createUnixTransport(socketPath) });
  while ((await client.status()) === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  sidecar = await openSidecar();
  take = (link) => sidecar.acceptWorker(link);
  for (const link of waiting) sidecar.acceptWorker(link);
});

afterAll(async () => {
  await client?.shutdown(0);
  await ended;
  await sidecar?.drain(0);
  await runtime?.drain(100);
  await Promise.all([dialer.close(0), ...servers.map((server) => server.close(0))]);
  rmSync(folder, { recursive: true, force: true });
  bundle?.remove();
});

const workers = () => runtime.status()[0]?.workers ?? [];

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The worker is gone, and then Ready again. */
async function comesBack(): Promise<void> {
  await until(() => !workers().some(({ state }) => state === 'ready'));
  await until(() => workers().some(({ state }) => state === 'ready'));
}

describe.skipIf(process.platform === 'win32')('a pod of a wrapper and a sidecar', () => {
  test('gives an app the worker that its settings ask for', async () => {
    await sidecar.warm;
    const added = runtime.addApplication(application);
    const forRuntime = await listen((link) => runtime.acceptWorker(link));
    const outcome = await sidecar.assign({
      runtimeEndpoint: `http://${forRuntime.host}:${forRuntime.port}`,
      application: application.definition,
      tenantId: application.tenantId,
      content: { kind: 'folder', scriptRoot: helloFolder },
      environment: new Map([['languageWorkers__node__arguments', '--stack-trace-limit=21']]),
      token: undefined,
    });
    expect(outcome).toEqual({ kind: 'assigned' });
    expect(await added).toMatchObject({ state: 'active', workers: [{ workerId: 'w1', state: 'ready' }] });
    const words = ['--stack-trace-limit=21'];
    expect(await client.status()).toMatchObject({ state: 'running', restarts: 1, launch: { arguments: words } });
  });

  test('brings the worker back when the Runtime wants it anew', async () => {
    const before = await client.status();
    const back = comesBack();
    const wish = { reason: 'test', arguments: ['--stack-trace-limit=22'] };
    expect(await runtime.restartWorker('w1', wish)).toEqual({ kind: 'accepted' });
    await back;
    const after = await client.status();
    expect(after).toMatchObject({ state: 'running', restarts: 2, launch: { arguments: wish.arguments } });
    expect(after?.pid).not.toBe(before?.pid);
    expect(sidecar.status()).toMatchObject({ state: 'relaying', application: application.definition, epoch: 2 });
  });

  test('brings the worker back when its process is killed', async () => {
    const back = comesBack();
    process.kill((await client.status())?.pid ?? 0, 'SIGKILL');
    await back;
    expect(await client.status()).toMatchObject({ state: 'running', crashes: 1, starts: 4 });
    expect(sidecar.status()).toMatchObject({ state: 'relaying', epoch: 3 });
  });

  test('says no when the wrapper is gone', async () => {
    expect(await client.shutdown(0)).toBe(true);
    expect(await ended).toBeGreaterThan(0);
    expect(await client.restart('test')).toMatchObject({ kind: 'rejected' });
  });
});
