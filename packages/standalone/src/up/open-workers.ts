/** The part of an installation that has workers: placeholder pods of this process, their proxy, and the supply over them. */

import { mkdir } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { availableParallelism, hostname } from 'node:os';
import type { TokenIssuer } from '@switchyard/identity';
import { type Log, type Meter, systemClock, systemRandom } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import {
  type Assignment,
  createMemoryLinkPair,
  createRpcServer,
  eventStreamPath,
  type Link,
  type StackAssignment,
  toBearerMetadata,
} from '@switchyard/protocol';
import { createPooledSupply, type PooledSupply } from '@switchyard/scale-controller';
import {
  createNodeProcesses,
  createPlaceholderPods,
  createWorkerHttpProxy,
  type HttpProxy,
  type PlaceholderPods,
} from '@switchyard/sidecar';
import type { Closers } from '../dev/closers.ts';
import { listen } from '../http/listen.ts';
import { createPlaceholderLaunches, type PlaceholderLaunches } from '../workers/placeholder-launches.ts';
import { hostVersion, readWorkerDeps } from '../workers/worker-resolution.ts';
import { upDefaults } from './up-options.ts';
import type { DeployedVersion } from './versions/deployed-version.ts';
import { deployedEnvironment, machineEnvironment } from './versions/worker-environment.ts';
import { WorkerProcesses } from './worker-processes.ts';

export interface WorkersScope {
  readonly log: Log;
  readonly meter: Meter;
  readonly closers: Closers;
  readonly issuer: TokenIssuer;
  /** A folder without files, in which placeholders start. */
  readonly emptyFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly placeholders: number;
  /** The port of the gateway, as workers are told it. */
  readonly gatewayPort: number;
  /** Takes the stream of a worker whose sidecar lives in this process. */
  readonly acceptWorker: (link: Link) => void;
  readonly find: (definition: ApplicationDefinition) => DeployedVersion | undefined;
}

export interface Workers {
  readonly launches: PlaceholderLaunches;
  readonly pods: PlaceholderPods;
  readonly supply: PooledSupply;
  readonly processes: WorkerProcesses;
  /** What a worker of a version is told. */
  assignmentFor(
    version: Pick<DeployedVersion, 'definition' | 'tenantId' | 'directory' | 'stack' | 'values'>,
  ): Assignment;
}

/** Sidecars and Runtime live in one process: the name stands for the way between them in log lines. */
const runtimeEndpoint = 'memory://runtime';
const loopback = '127.0.0.1';

export async function openWorkers(scope: WorkersScope): Promise<Workers> {
  const { log, meter, closers, issuer } = scope;
  const base = { clock: systemClock, random: systemRandom, log };
  await mkdir(scope.emptyFolder, { recursive: true });
  const machine = machineEnvironment(scope.environment);
  const processes = new WorkerProcesses(createNodeProcesses(), knock);
  const launches = await createPlaceholderLaunches(await readWorkerDeps(), {
    emptyFolder: scope.emptyFolder,
    environment: machine,
  });
  const port = await openWorkerPort(scope);
  const httpProxy = await openHttpProxy(closers);
  const instanceId = hostname();
  const pods = createPlaceholderPods(
    { ...base, processes, launchOf: (stack) => launches.launchOf(stack), httpProxy, dial: dialInMemory(scope) },
    {
      endpoint: port.endpoint,
      instanceId,
      hostVersion,
      limits: { maxConcurrentStarts: Math.max(2, availableParallelism()) },
    },
  );
  port.serve((link) => pods.acceptWorker(link));
  closers.add('worker processes', () => pods.close(upDefaults.workerGraceMs));
  const assignmentFor: Workers['assignmentFor'] = (version) => ({
    runtimeEndpoint,
    application: version.definition,
    tenantId: version.tenantId,
    content: { kind: 'folder', scriptRoot: version.directory },
    environment: deployedEnvironment(version, {
      machine,
      hostName: `${version.definition.applicationId}.localhost:${scope.gatewayPort}`,
    }),
    token: undefined,
  });
  const supply = createPooledSupply(
    {
      ...base,
      meter,
      provider: pods,
      assignments: {
        assignmentOf: (definition) => assignmentOf(definition, scope, assignmentFor),
        tokenOf: ({ assignment, stack }, workerId) =>
          issuer.worker({
            workerId,
            tenantId: assignment.tenantId,
            application: assignment.application,
            language: stack.runtime,
            languageVersion: stack.version,
            instanceId,
          }),
      },
    },
    { defaultMinimum: scope.placeholders },
  );
  closers.add('pools', () => supply.close(upDefaults.workerGraceMs));
  return { launches, pods, supply, processes, assignmentFor };
}

async function assignmentOf(
  definition: ApplicationDefinition,
  { find }: WorkersScope,
  assignmentFor: Workers['assignmentFor'],
): Promise<StackAssignment> {
  const version = find(definition);
  if (version === undefined) throw new Error('the version was taken out meanwhile');
  return { stack: version.stack, assignment: assignmentFor(version) };
}

/** Where workers find their sidecars. Nothing else of this machine is let in: each sidecar expects its own worker's id. */
async function openWorkerPort({ log, closers }: WorkersScope) {
  let accept: ((link: Link) => void) | undefined;
  const eventStream = { kind: 'stream', open: (link: Link) => accept?.(link) } as const;
  // A worker that is busy with synchronous user code, which is legal, answers no ping.
  const rpc = createRpcServer(
    { clock: systemClock, log },
    { methods: { [eventStreamPath]: eventStream }, keepAlive: 'off' },
  );
  const endpoint = await rpc.listen({ host: loopback, port: 0 });
  closers.add('port for local workers', () => rpc.close(0));
  return {
    endpoint,
    serve(given: (link: Link) => void): void {
      accept = given;
    },
  };
}

/** The one way to the HTTP servers of workers. */
async function openHttpProxy(closers: Closers): Promise<HttpProxy> {
  const server = createServer();
  const port = await listen(server, { host: loopback, port: 0 });
  closers.add('proxy to workers', async () => {
    server.close();
    server.closeAllConnections();
  });
  const proxy = createWorkerHttpProxy(
    { clock: systemClock, random: systemRandom, request },
    { uri: `http://${loopback}:${port}` },
  );
  server.on('request', (incoming, response) => proxy.handle(incoming, response));
  return proxy;
}

/** A sidecar in this process reaches the Runtime without a socket; its token is checked all the same. */
function dialInMemory({ acceptWorker, log }: WorkersScope) {
  return (_endpoint: string, token: Assignment['token']): Link => {
    const { opener, acceptor } = createMemoryLinkPair({
      metadata: toBearerMetadata(token),
      log,
      openerName: 'a sidecar here',
    });
    acceptWorker(acceptor);
    return opener;
  };
}

/** Tells a Node.js process to open its inspector. */
function knock(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGUSR1');
  } catch {
    return false;
  }
}
