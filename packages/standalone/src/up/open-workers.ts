/** The part of an installation that has workers: placeholder pods of this process, their proxy, and the supply over them. */

import { availableParallelism, hostname } from 'node:os';
import type { TokenIssuer } from '@switchyard/identity';
import { type Log, type Meter, systemClock, systemRandom } from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import {
  type Assignment,
  type AssignmentSource,
  createMemoryLinkPair,
  createRpcServer,
  eventStreamPath,
  type Link,
  type StackAssignment,
  toBearerMetadata,
  type WorkerSupply,
  type WorkerUsage,
} from '@switchyard/protocol';
import { createPooledSupply, type PooledSupply } from '@switchyard/scale-controller';
import {
  type CallRuntime,
  createPlaceholderPods,
  createPodHost,
  createProcessUsage,
  type HttpProxy,
  openUsageFiles,
  type PlaceholderPods,
  type ProcessPort,
  type WorkerLaunch,
} from '@switchyard/sidecar';
import type { Closers } from '../dev/closers.ts';
import type { Fleet } from '../fleet/open-fleet.ts';
import type { RuntimeSettlements } from '../runtime/runtime-settlements.ts';
import type { PlaceholderLaunches } from '../workers/placeholder-launches.ts';
import { hostVersion } from '../workers/worker-resolution.ts';
import { KeyedSupply } from './keyed-supply.ts';
import { createPodDoors } from './pod-doors.ts';
import type { RemoteWorkers } from './remote-workers.ts';
import type { TenantPlace } from './tenants/tenant-places.ts';
import { homeVariables } from './tenants/tenant-processes.ts';
import { upDefaults } from './up-options.ts';
import type { DeployedVersion } from './versions/deployed-version.ts';
import { deployedEnvironment } from './versions/worker-environment.ts';
import { openWorkerHttpDoor, type WorkerHttpDoor } from './worker-http-door.ts';

export interface WorkersScope {
  readonly log: Log;
  readonly meter: Meter;
  readonly closers: Closers;
  readonly issuer: TokenIssuer;
  readonly launches: PlaceholderLaunches;
  /** Starts workers of a tenant. */
  readonly processesOf: (place: TenantPlace) => ProcessPort;
  /** The process of a worker of this machine; undefined when it is gone. */
  readonly pidOf: (workerId: string) => number | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly placeOf: (tenantId: string) => Promise<TenantPlace>;
  readonly placeholders: number;
  /** Where workers with a pool run instead of in processes of this machine. */
  readonly remote?: RemoteWorkers | undefined;
  /** What workers of a tenant find in their environment beside the settings of their app. */
  readonly environmentOf: (tenantId: string) => Promise<Readonly<Record<string, string>>>;
  /** The door for streamed requests of Runtimes of other machines. */
  readonly httpDoor: WorkerHttpDoor;
  /** The port of the gateway, as workers are told it. */
  readonly gatewayPort: number;
  /** Takes the stream of a worker whose sidecar lives in this process. */
  readonly acceptWorker: (link: Link) => void;
  readonly find: (definition: ApplicationDefinition) => DeployedVersion | undefined;
  /** The way to Runtimes of other processes; undefined where this one is the only one. */
  readonly reach: Pick<Fleet, 'endpointOf' | 'dial' | 'call'> | undefined;
  /** Answers calls of workers beside their streams, where the Runtime of this process has them. */
  readonly settlements: Pick<RuntimeSettlements, 'answer'>;
}

export interface Workers {
  /** Starts workers of tenants that were prepared. */
  readonly supply: WorkerSupply;
  /** Tells the pools that placeholders of a stack will be taken soon. */
  announce(stack: Stack, count: number): void;
  /** What a worker uses, wherever it runs; undefined where that is not known. */
  usageOf(workerId: string): WorkerUsage | undefined;
  /** Opens what the tenant's workers need, once. Before any of its apps is hosted. */
  prepare(tenantId: string): Promise<TenantWorkers>;
}

/** The part of a tenant, or of all of them when they share it. */
export interface TenantWorkers {
  readonly place: TenantPlace;
  readonly pods: PlaceholderPods;
  /** What a worker of a version is told. */
  assignmentFor(version: AssignedVersion): Promise<Assignment>;
}

/** What the workers of all tenants come through. */
interface SharedDoors {
  readonly httpProxy: HttpProxy;
  /** Where workers without a sidecar find the Runtime. */
  readonly direct: WorkerPort;
}

interface SuppliedWorkers extends TenantWorkers {
  readonly own: WorkerSupply;
  readonly pool: PooledSupply;
}

type AssignedVersion = Pick<DeployedVersion, 'definition' | 'tenantId' | 'directory' | 'stack' | 'values'>;

/** Sidecars and Runtime live in one process: the name stands for the way between them in log lines. */
const runtimeEndpoint = 'memory://runtime';
const loopback = '127.0.0.1';

export async function openWorkers(scope: WorkersScope): Promise<Workers> {
  const { log, find, placeOf } = scope;
  const httpProxy = await openWorkerHttpDoor(scope.httpDoor, scope.closers);
  const direct = await openWorkerPort(scope);
  direct.serve(scope.acceptWorker);
  const supply = new KeyedSupply({ log, keyOf: (definition) => find(definition)?.tenantId });
  const opened = new Map<string, Promise<SuppliedWorkers>>();
  const prepared = new Set<string>();
  const pools = new Set<PooledSupply>();
  return {
    supply,
    usageOf: createUsageOf(scope),
    announce: (stack, count) => {
      for (const pool of pools) pool.announce(stack, count);
    },
    async prepare(tenantId) {
      const place = await placeOf(tenantId);
      let opening = opened.get(place.key);
      if (opening === undefined) {
        opening = openTenantWorkers(scope, place, { httpProxy, direct });
        opened.set(place.key, opening);
      }
      const { own, pool, ...workers } = await opening;
      if (!prepared.has(tenantId)) {
        prepared.add(tenantId);
        supply.add(tenantId, own);
        pools.add(pool);
      }
      return workers;
    },
  };
}

/** Those of another place are measured there. */
function createUsageOf({ pidOf, remote }: WorkersScope): Workers['usageOf'] {
  const usageOf = createProcessUsage({ clock: systemClock, files: openUsageFiles() });
  return (workerId) => {
    const pid = pidOf(workerId);
    return pid === undefined ? remote?.provider.usageOf?.(workerId) : usageOf(pid);
  };
}

/** Pods, pool and port of one place. */
async function openTenantWorkers(
  scope: WorkersScope,
  place: TenantPlace,
  { httpProxy, direct }: SharedDoors,
): Promise<SuppliedWorkers> {
  const { log, meter, closers, issuer, launches } = scope;
  const base = { clock: systemClock, random: systemRandom, log };
  const machine = { ...scope.environment, ...homeVariables(place) };
  const instanceId = hostname();
  const pods: PlaceholderPods = createPlaceholderPods(
    {
      ...base,
      processes: scope.processesOf(place),
      launchOf: (stack) => launches.launchOf(stack),
      httpProxy,
      dial: createDial(scope),
      callRuntime: createCall(scope, instanceId),
      openDoor: createPodDoors(log, { uid: place.user?.uid, acceptWorker: (link) => pods.acceptWorker(link) }),
    },
    {
      instanceId,
      hostVersion,
      limits: { maxConcurrentStarts: Math.max(2, availableParallelism()) },
    },
  );
  closers.add('worker processes', () => pods.close(upDefaults.workerGraceMs));
  const assignmentFor: TenantWorkers['assignmentFor'] = async (version) => ({
    runtimeEndpoint,
    application: version.definition,
    tenantId: version.tenantId,
    content: { kind: 'folder', scriptRoot: version.directory },
    environment: deployedEnvironment(version, {
      machine: { ...machine, ...(await scope.environmentOf(version.tenantId)) },
      hostName: `${version.definition.applicationId}.localhost:${scope.gatewayPort}`,
    }),
    token: undefined,
  });
  const assignments: AssignmentSource = {
    assignmentOf: (definition, runtimeId) =>
      assignmentOf(definition, scope, scope.remote?.assignmentFor ?? assignmentFor, runtimeId),
    tokenOf: ({ assignment, stack }, workerId) =>
      issuer.worker({
        workerId,
        tenantId: assignment.tenantId,
        application: assignment.application,
        language: stack.runtime,
        languageVersion: stack.version,
        instanceId,
      }),
  };
  const pooled = createPooledSupply(
    { ...base, meter, provider: scope.remote?.provider ?? pods, assignments },
    { defaultMinimum: scope.placeholders, defaultMaximum: Math.max(upDefaults.grownPool, scope.placeholders) },
  );
  closers.add('pools', () => pooled.close(upDefaults.workerGraceMs));
  const launchOf = (definition: ApplicationDefinition) => launchForApp(definition, scope, assignmentFor);
  const podHost = createPodHost(
    { ...base, processes: scope.processesOf(place), launches: { launchOf } },
    { endpoint: direct.endpoint },
  );
  closers.add('workers without a pool', () => podHost.close(upDefaults.workerGraceMs));
  const own = new KeyedSupply({ log, keyOf: (definition) => supplyOf(scope, definition) });
  own.add('pool', pooled);
  own.add('pod host', podHost);
  return { place, pods, own, pool: pooled, assignmentFor };
}

async function assignmentOf(
  definition: ApplicationDefinition,
  scope: WorkersScope,
  assignmentFor: TenantWorkers['assignmentFor'],
  runtimeId: string | undefined,
): Promise<StackAssignment> {
  const version = requireVersion(scope, definition);
  const assignment = await assignmentFor(version);
  if (runtimeId === undefined) return { stack: version.stack, assignment };
  return { stack: version.stack, assignment: { ...assignment, runtimeEndpoint: endpointOf(scope, runtimeId) } };
}

function endpointOf({ reach }: WorkersScope, runtimeId: string): string {
  const endpoint = reach?.endpointOf(runtimeId);
  if (endpoint === undefined) throw new Error(`the Runtime '${runtimeId}' has left meanwhile`);
  return endpoint;
}

/** How the worker of a version is started where it has to know its app. */
async function launchForApp(
  definition: ApplicationDefinition,
  scope: WorkersScope,
  assignmentFor: TenantWorkers['assignmentFor'],
): Promise<WorkerLaunch> {
  const version = requireVersion(scope, definition);
  const { environment } = await assignmentFor(version);
  const app = { scriptRoot: version.directory, environment: Object.fromEntries(environment) };
  return await scope.launches.launchFor(version.stack, app);
}

function requireVersion({ find }: WorkersScope, definition: ApplicationDefinition): DeployedVersion {
  const version = find(definition);
  if (version === undefined) throw new Error('the version was taken out meanwhile');
  return version;
}

/** Workers that have to know their app when they start cannot wait in a pool. */
function supplyOf(
  { find, launches }: WorkersScope,
  definition: ApplicationDefinition,
): 'pool' | 'pod host' | undefined {
  const version = find(definition);
  if (version === undefined) return undefined;
  return launches.workerOf(version.stack).worker.traits.canUsePlaceholder ? 'pool' : 'pod host';
}

interface WorkerPort {
  readonly endpoint: { readonly host: string; readonly port: number };
  /** Who takes the streams that come. */
  serve(accept: (link: Link) => void): void;
}

/** Where workers without a sidecar find the Runtime. */
async function openWorkerPort({ log, closers }: WorkersScope): Promise<WorkerPort> {
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

/** A sidecar in this process reaches the Runtime without a socket; its token is checked all the same. */
function createDial({ acceptWorker, log, reach }: WorkersScope) {
  return (endpoint: string, token: Assignment['token']): Link => {
    if (reach !== undefined && endpoint !== runtimeEndpoint) return reach.dial(endpoint, token);
    const { opener, acceptor } = createMemoryLinkPair({
      metadata: toBearerMetadata(token),
      log,
      openerName: 'a sidecar here',
    });
    acceptWorker(acceptor);
    return opener;
  };
}

/** The Runtime of this process believes a sidecar in it; one of another process is shown a new token. */
function createCall({ settlements, reach, issuer }: WorkersScope, instanceId: string): CallRuntime {
  return async (call, { workerId, assignment: { runtimeEndpoint: endpoint, application, tenantId } }) => {
    if (reach === undefined || endpoint === runtimeEndpoint) {
      return await settlements.answer(application.applicationId, call);
    }
    const stack = { language: '', languageVersion: '' };
    const token = await issuer.worker({ workerId, tenantId, application, ...stack, instanceId });
    return await reach.call(endpoint, token, call);
  };
}
