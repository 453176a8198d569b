import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorker,
  invocationFailure,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { createTestWorkerHttp } from './node-worker-http.ts';
import { createHarness, listen } from './runtime-harness.ts';
import { createApplication, httpBindings } from './sample-application.ts';

const never = () => new Promise<never>(() => {});
/** Servers that are open, the latest one last. */
export const servers: Server[] = [];

/** Ends what the tests of a file have opened; call it after each of them. */
export function closeServers(): void {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
}

/** Opens a server on any port; returns its address. */
export async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  return listen(server);
}

/** A Runtime behind HTTP, and a worker with an HTTP server of its own. */
export async function createForwardRun(
  onHttp: (request: IncomingMessage, response: ServerResponse, worker: FakeWorker) => void,
  options: {
    readonly httpUri?: string;
    readonly answersByItself?: boolean;
    readonly onInvocation?: () => ReturnType<typeof invocationSuccess>;
    readonly keepAlive?: boolean;
    readonly settings?: Readonly<Record<string, string>>;
    readonly capabilities?: Readonly<Record<string, string>>;
  } = {},
) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const workerHttp = createTestWorkerHttp(options.keepAlive);
  const harness = createHarness({ clock, random: createSeededRandom(1), log, workerHttp });
  const hostJson = { version: '2.0', extensions: { http: { customHeaders: { 'X-App': 'yes' } } } };
  const added = harness.runtime.addApplication(createApplication({ hostJson, settings: options.settings ?? {} }));
  const workerBase = options.httpUri ?? `${await serve((request, response) => onHttp(request, response, worker))}/`;
  const workerServer = options.httpUri === undefined ? servers.at(-1) : undefined;
  const worker: FakeWorker = createFakeWorker(harness.dial('w1'), {
    workerId: 'w1',
    functions: [
      {
        name: 'stream',
        bindings: httpBindings({ route: 'stream/{id?}' }),
      },
    ],
    capabilities: { HttpUri: workerBase, RpcHttpTriggerMetadataRemoved: 'true', ...options.capabilities },
    onInvocation: options.onInvocation ?? (options.answersByItself === false ? never : () => invocationSuccess()),
  });
  await added;
  const base = await serve((request, response) => harness.runtime.handleRequest(request, response));
  const fail = (): void => {
    for (const { invocationId } of worker.bodies('invocationRequest')) {
      worker.send({ $case: 'invocationResponse', value: { ...invocationFailure('kaboom'), invocationId } });
    }
  };
  return { clock, log, worker, workerServer, base, fail, ...harness };
}
