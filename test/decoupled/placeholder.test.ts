/** A placeholder of our own Node.js worker becomes the worker of an app, with a Runtime, over real sockets and processes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { createRpcServer, eventStreamPath, type Link, type RpcServer } from '@switchyard/protocol';
import { createRuntime, type Runtime } from '@switchyard/runtime';
import { createPooledSupply, type PooledSupply } from '@switchyard/scale-controller';
import {
  createNodeProcesses,
  createPlaceholderPods,
  createRuntimeDialer,
  type PlaceholderPods,
  type RuntimeDialer,
} from '@switchyard/sidecar';
import { createKinds } from '@switchyard/triggers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWorker, type WorkerBundle } from '../conformance/worker-process.ts';
import { createHelloApplication, helloDefinition, nodeStack } from './hello-application.ts';

const secret = 'a-secret-of-the-customer';
const processes = createNodeProcesses();

interface Platform {
  readonly runtime: Runtime;
  readonly supply: PooledSupply;
  readonly pods: PlaceholderPods;
  readonly pids: number[];
  readonly url: string;
  close(): Promise<void>;
}

let bundle: WorkerBundle;
let platform: Platform;

beforeAll(async () => {
  bundle = await buildWorker();
  platform = await openPlatform(bundle.path);
});

afterAll(async () => {
  await platform.close();
  bundle.remove();
});

async function listenRpc(open: (link: Link) => void): Promise<{ server: RpcServer; host: string; port: number }> {
  const server = createRpcServer({ clock: systemClock }, { methods: { [eventStreamPath]: { kind: 'stream', open } } });
  return { server, ...(await server.listen({ host: '127.0.0.1', port: 0 })) };
}

async function openPlatform(workerPath: string): Promise<Platform> {
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-placeholder-'));
  const pids: number[] = [];
  const clock = systemClock;
  const random = systemRandom;
  const runtimeServer = await listenRpc((link) => runtime.acceptWorker(link));
  const local = await listenRpc((link) => pods.acceptWorker(link));
  const dialer: RuntimeDialer = createRuntimeDialer({ clock, log: silentLog });
  const endpoint = `http://${runtimeServer.host}:${runtimeServer.port}`;
  const pods: PlaceholderPods = createPlaceholderPods(
    {
      clock,
      random,
      log: silentLog,
      processes: {
        spawn(launch, observer) {
          const handle = processes.spawn(launch, observer);
          if (handle.pid !== undefined) pids.push(handle.pid);
          return handle;
        },
      },
      dial: dialer.dial,
      launchOf: () => ({
        launch: {
          executable: process.execPath,
          arguments: [],
          workerPath,
          workerArguments: [],
          directory,
          environment: { PATH: process.env.PATH ?? '' },
        },
        traits: { workerIndexing: true, initializationTimeoutMs: 30_000, environmentReloadTimeoutMs: 30_000 },
        workerDirectory: directory,
      }),
    },
    { endpoint: local, instanceId: 'here', hostVersion: '4.1052.0' },
  );
  const application = createHelloApplication();
  const supply: PooledSupply = createPooledSupply(
    {
      clock,
      random,
      log: silentLog,
      meter: silentMeter,
      provider: pods,
      assignments: {
        assignmentOf: async (definition) => ({
          stack: nodeStack,
          assignment: {
            runtimeEndpoint: endpoint,
            application: definition,
            tenantId: application.tenantId,
            content: { kind: 'folder', scriptRoot: application.scriptRoot },
            environment: new Map([
              ['PATH', process.env.PATH ?? ''],
              ['CUSTOMER_SECRET', secret],
            ]),
            token: undefined,
          },
        }),
      },
    },
    { pools: [{ stack: nodeStack, minimum: 1 }] },
  );
  const runtime: Runtime = createRuntime(
    { clock, random, log: silentLog, meter: silentMeter, supply, kinds: createKinds({}) },
    { cpus: 1 },
  );
  const http: Server = createServer((request, response) => runtime.handleRequest(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    runtime,
    supply,
    pods,
    pids,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      http.close();
      http.closeAllConnections();
      await runtime.drain(1_000);
      await supply.close(1_000);
      await pods.close(1_000);
      await Promise.all([dialer.close(0), runtimeServer.server.close(0), local.server.close(0)]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a placeholder of our Node.js worker', () => {
  test('is warm before there is an app, becomes its worker, and answers', async () => {
    await until(() => platform.supply.pools()[0]?.warm === 1);
    expect(platform.runtime.status()).toEqual([]);
    const [pid = 0] = platform.pids;
    const status = await platform.runtime.addApplication(createHelloApplication());
    expect(status).toMatchObject({ state: 'active', functions: [{ name: 'hello' }], workers: [{ state: 'ready' }] });
    const response = await fetch(`${platform.url}/api/hello?name=pod`);
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('ello')]);
    expect(platform.supply.pools()).toMatchObject([{ coldStarts: 0 }]);
    // The customer's secret went over the stream only.
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(secret);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(secret);
  });

  test('is replaced in its pool, and in the app when it dies', async () => {
    await until(() => platform.supply.pools()[0]?.warm === 1);
    expect(platform.pids).toHaveLength(2);
    const [serving = 0, spare = 0] = platform.pids;
    process.kill(serving, 'SIGKILL');
    await until(() => platform.runtime.status()[0]?.state === 'dormant');
    await until(() => platform.runtime.status()[0]?.state === 'active');
    const response = await fetch(`${platform.url}/api/hello`);
    expect(response.status).toBe(200);
    process.kill(spare, 0);
    await until(() => platform.supply.pools()[0]?.warm === 1);
    expect(platform.pids).toHaveLength(3);
  });

  test('ends with its app, and leaves nothing behind', async () => {
    const [, serving = 0] = platform.pids;
    await platform.runtime.removeApplication(`${helloDefinition.applicationId}:${helloDefinition.metadataVersion}`, 500);
    await until(() => !isAlive(serving));
    expect(platform.runtime.status()).toEqual([]);
    expect(platform.supply.pools()).toMatchObject([{ warm: 1 }]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
