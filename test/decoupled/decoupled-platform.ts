/** A Runtime, a pod host and a pool of our Node.js worker's placeholders in this process, over real sockets and processes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import {
  type AssignmentSource,
  createRpcServer,
  eventStreamPath,
  type Link,
  type RpcServer,
} from '@switchyard/protocol';
import { createRuntime, type Runtime, type RuntimeLimits, type WorkerHttp } from '@switchyard/runtime';
import { createPooledSupply, type PooledSupply } from '@switchyard/scale-controller';
import {
  createNodeProcesses,
  createPlaceholderPods,
  createRuntimeDialer,
  createWorkerHttpProxy,
  type HttpProxy,
  type PlaceholderPods,
  type ProcessPort,
} from '@switchyard/sidecar';
import { createAzureQueueService, createFileTimerStatus, createKinds, type KindsDeps } from '@switchyard/triggers';
import { createHelloApplication, helloFolder, nodeStack } from './hello-application.ts';

export interface DecoupledPlatform {
  readonly runtime: Runtime;
  readonly supply: PooledSupply;
  /** Every worker process that was started, in order. */
  readonly pids: readonly number[];
  readonly url: string;
  close(): Promise<void>;
}

export interface DecoupledPlatformOptions {
  /** The worker's bundle. */
  readonly workerPath: string;
  /** How many placeholders to keep. */
  readonly minimum: number;
  /** The app's folder; the hello app's unless named. */
  readonly scriptRoot?: string;
  /** Sees the address of every request that the Runtime hands to a worker's HTTP. */
  readonly onWorkerHttp?: (httpUri: string) => void;
  /** Added to the environment of the app. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whose app it is; contoso's unless named. */
  readonly tenantOf?: (applicationId: string) => string;
  /** The port by which sidecars reach the Runtime, when something stands between; gets the Runtime's own. */
  readonly relayRuntime?: (port: number) => Promise<number>;
  /** What triggers and bindings have beside queues and timers. */
  readonly kinds?: Partial<KindsDeps>;
  /** Limits of the Runtime that differ from its own. */
  readonly limits?: Partial<RuntimeLimits>;
}

const clock = systemClock;
const random = systemRandom;
const log = silentLog;
const processes = createNodeProcesses();
const localhost = { host: '127.0.0.1', port: 0 };

interface Listening {
  readonly server: RpcServer;
  readonly host: string;
  readonly port: number;
}

async function listenRpc(open: (link: Link) => void): Promise<Listening> {
  const server = createRpcServer({ clock }, { methods: { [eventStreamPath]: { kind: 'stream', open } } });
  return { server, ...(await server.listen(localhost)) };
}

export async function openDecoupledPlatform(options: DecoupledPlatformOptions): Promise<DecoupledPlatform> {
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-decoupled-'));
  const pids: number[] = [];
  const forRuntime = await listenRpc((link) => runtime.acceptWorker(link));
  const forWorkers = await listenRpc((link) => pods.acceptWorker(link));
  const dialer = createRuntimeDialer({ clock, log });
  const proxyServer = createServer((incoming, response) => proxy.handle(incoming, response));
  const uri = `http://127.0.0.1:${await listenHttp(proxyServer)}`;
  const proxy = createWorkerHttpProxy({ clock, random, request }, { uri });
  const parts = { dial: dialer.dial, endpoint: forWorkers, pids, httpProxy: proxy };
  const pods = openPods(options.workerPath, directory, parts);
  const runtimePort = (await options.relayRuntime?.(forRuntime.port)) ?? forRuntime.port;
  const assignments = assignmentsFor(`http://${forRuntime.host}:${runtimePort}`, options);
  const supply = createPooledSupply(
    { clock, random, log, meter: silentMeter, provider: pods, assignments },
    { pools: [{ stack: nodeStack, minimum: options.minimum }] },
  );
  const timerStatus = createFileTimerStatus({ random }, join(directory, 'timers'));
  const kinds = createKinds({ queues: createAzureQueueService(), timerStatus, ...options.kinds });
  const workerHttp = openWorkerHttp(options.onWorkerHttp ?? (() => {}));
  const runtime = createRuntime(
    { clock, random, log, meter: silentMeter, supply, kinds, workerHttp, verifyWorker: () => ({ kind: 'accepted' }) },
    { cpus: 1, ...(options.limits === undefined ? {} : { limits: options.limits }) },
  );
  const http = createServer((request, response) => runtime.handleRequest(request, response));
  const port = await listenHttp(http);
  return {
    runtime,
    supply,
    pids,
    url: `http://127.0.0.1:${port}`,
    async close() {
      for (const server of [http, proxyServer]) server.close().closeAllConnections();
      await runtime.drain(1_000);
      await supply.close(1_000);
      await pods.close(1_000);
      await Promise.all([dialer.close(0), forRuntime.server.close(0), forWorkers.server.close(0)]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface PodParts {
  readonly dial: ReturnType<typeof createRuntimeDialer>['dial'];
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly pids: number[];
  readonly httpProxy: HttpProxy;
}

function openPods(
  workerPath: string,
  directory: string,
  { dial, endpoint, pids, httpProxy }: PodParts,
): PlaceholderPods {
  const counted: ProcessPort = {
    spawn(launch, observer) {
      const handle = processes.spawn(launch, observer);
      if (handle.pid !== undefined) pids.push(handle.pid);
      return handle;
    },
  };
  const launch = {
    executable: process.execPath,
    arguments: [],
    workerPath,
    workerArguments: [],
    directory,
    environment: { PATH: process.env.PATH ?? '' },
  };
  const traits = { workerIndexing: true, initializationTimeoutMs: 30_000, environmentReloadTimeoutMs: 30_000 };
  const launchOf = () => ({ launch, traits, workerDirectory: directory });
  const openDoor = () => ({ endpoint, close: async () => {} });
  return createPlaceholderPods(
    { clock, random, log, processes: counted, dial, launchOf, httpProxy, openDoor },
    { instanceId: 'here', hostVersion: '4.1052.0' },
  );
}

/** The Runtime's way to whatever a worker names as its HttpUri: here, the proxy of its sidecar. */
function openWorkerHttp(onRequest: (httpUri: string) => void): WorkerHttp {
  return {
    open({ httpUri, method, target, headers }) {
      onRequest(httpUri);
      return request(`${httpUri.replace(/\/$/, '')}${target}`, { method, headers: [...headers] });
    },
  };
}

function assignmentsFor(
  runtimeEndpoint: string,
  { environment = {}, scriptRoot = helloFolder, tenantOf }: DecoupledPlatformOptions,
): AssignmentSource {
  const { tenantId } = createHelloApplication();
  return {
    assignmentOf: async (application) => ({
      stack: nodeStack,
      assignment: {
        runtimeEndpoint,
        application,
        tenantId: tenantOf?.(application.applicationId) ?? tenantId,
        content: { kind: 'folder', scriptRoot },
        environment: new Map(Object.entries({ PATH: process.env.PATH ?? '', ...environment })),
        token: undefined,
      },
    }),
  };
}

async function listenHttp(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
