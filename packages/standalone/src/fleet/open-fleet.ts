/** Several Runtimes in one installation: opens what finds, fills, starts and ends them. */
import { audiences, createControlGuard, createTokenVerifier } from '@switchyard/identity';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import { grpcStatus, type Link, type WorkerSupply } from '@switchyard/protocol';
import type { RuntimeList } from '@switchyard/protocol/control-api';
import type { ListenerGate, Runtime, RuntimeApplication } from '@switchyard/runtime';
import { createRuntimeSupply, type KeptHomes, ListenerLeases } from '@switchyard/scale-controller';
import { createNodeProcesses, createRuntimeDialer, type RuntimeDialer } from '@switchyard/sidecar';
import type { MetricSeries } from '@switchyard/telemetry';
import { createCatalogKeyStore } from '../admin/catalog-key-store.ts';
import { isLoopbackHost } from '../http/listen.ts';
import { memoryUtilization } from '../runtime/memory-utilization.ts';
import type { Door } from '../up/open-up-sockets.ts';
import type { TraceTap } from '../up/trace-tap.ts';
import { type UpOptions, upDefaults } from '../up/up-options.ts';
import type { UpScope } from '../up/up-parts.ts';
import type { PlaceDemands } from './fleet-app.ts';
import { FleetDoor } from './fleet-door.ts';
import { FleetGateway } from './fleet-gateway.ts';
import { readGeneration } from './fleet-generation.ts';
import { FleetKeeper } from './fleet-keeper.ts';
import { workersOn } from './fleet-places.ts';
import { FleetRuntime } from './fleet-runtime.ts';
import { createLocalGate } from './listening-functions.ts';
import type { SentKey } from './messages.ts';
import { createProcessProvider } from './runtime-provider.ts';

export interface Fleet {
  /** Which listeners of the Runtime of this process may run. */
  readonly listeners: ListenerGate;
  /** The part of the supply that is for the Runtime of this process. */
  supplyHere(supply: WorkerSupply): WorkerSupply;
  /** Where the workers of a Runtime connect; undefined when it has left. */
  endpointOf(runtimeId: string): string | undefined;
  /** The way of a sidecar in this process to a Runtime of another one. */
  dial(...to: Parameters<RuntimeDialer['dial']>): Link;
  readonly call: RuntimeDialer['call'];
  /** The Runtime of this process is there: from now on the answer stands for all Runtimes. */
  lead(local: Runtime, supply: WorkerSupply): Runtime;
  /** What the owners of apps have said of their places, and where apps were before. To be told before the first app is hosted. */
  decidedBy(demandsOf: (applicationId: string) => PlaceDemands, homes: KeptHomes): void;
  list(): RuntimeList;
  /** Which Runtime each worker of an app serves. */
  runtimeIdsOf(applicationId: string): ReadonlyMap<string, string>;
  /** What Runtimes of other processes have measured. */
  metrics(): Promise<readonly MetricSeries[]>;
}

export interface FleetScope extends UpScope {
  /** False for an app whose worker has to be started for it: it can be on the Runtime of this process alone. */
  readonly canWait: (application: RuntimeApplication) => boolean;
  readonly traces: TraceTap;
}

const localId = 'local';
const listenerMs = 10_000;
const drainMs = 60_000;
const defaultIdleSeconds = 60;
export const defaultWorkersPerRuntime = 20;

export async function openFleet(scope: FleetScope): Promise<Fleet | undefined> {
  const { options, log: given, closers, data, sockets } = scope;
  const maximum = options.maxRuntimes ?? 1;
  if (maximum < 2) {
    sockets.serveJoins((link) => link.cancel({ code: grpcStatus.permissionDenied, message: aloneText }));
    return undefined;
  }
  const log = given.child({ category: 'Host.Fleet' });
  const maxWorkers = options.workersPerRuntime ?? defaultWorkersPerRuntime;
  const { generation, hasPredecessors, noteOutsider } = await readGeneration(data.path);
  const leases = new ListenerLeases(systemClock, { ttlMs: listenerMs, generation, hasPredecessors, localId });
  let demandsOf: (applicationId: string) => PlaceDemands = () => ({});
  let homes: KeptHomes | undefined;
  const fleet = new FleetRuntime({
    ...{ clock: systemClock, log, leases, boundBy: (app) => (scope.canWait(app) ? undefined : boundText) },
    demandsOf: (applicationId) => demandsOf(applicationId),
    homes: {
      of: (applicationId) => homes?.of(applicationId) ?? [],
      note: (applicationId, runtimeIds) => homes?.note(applicationId, runtimeIds),
    },
    onNeed: (need) => keeper.need(need),
    mayCome: (region) => keeper.mayCome(region),
  });
  closers.add('places of apps', async () => fleet.close());
  const { authority: ca } = scope.trust;
  const dialer = createRuntimeDialer({ clock: systemClock, log }, ca === undefined ? {} : { tls: { ca } });
  closers.add('streams to Runtimes', () => dialer.close(upDefaults.workerGraceMs));
  const opened: { door?: FleetDoor } = {};
  const keeper: FleetKeeper = openKeeper(scope, { log, fleet, maximum, maxWorkers, doorOf: () => opened.door });
  return {
    listeners: createLocalGate(leases),
    supplyHere: (supply) => createRuntimeSupply(supply, undefined, maxWorkers),
    endpointOf: (runtimeId) => opened.door?.rpcUrlOf(runtimeId),
    dial: (...to) => dialer.dial(...to),
    call: (...to) => dialer.call(...to),
    lead(local, supply) {
      fleet.add({
        ...{ runtimeId: localId, kind: 'local', runtime: local, region: options.region, rpcUrl: undefined },
        ...{ maxWorkers, maxApplications: maxLocalApplications, state: 'ready' },
        get memoryUtilization() {
          return memoryUtilization();
        },
        set memoryUtilization(_value: number) {},
      });
      const door = openDoor(scope, { log, fleet, leases, supply, keeper, maximum, noteOutsider });
      opened.door = door;
      sockets.serveJoins((link) => door.accept(link));
      closers.add('channels of Runtimes', async () => door.close());
      // What they have under way ends while their workers and their channels are still there.
      closers.add('Runtimes', async () => {
        door.stopMoving();
        homes?.freeze();
        await keeper.close();
      });
      return toRuntime(scope, fleet, door, local);
    },
    decidedBy(given, kept) {
      demandsOf = given;
      homes = kept;
    },
    list: () => toList(fleet, leases, maximum),
    runtimeIdsOf: (applicationId) => new Map(fleet.members.flatMap((member) => workersOn(member, applicationId))),
    metrics: async () => (await opened.door?.metrics()) ?? [],
  };
}

interface KeeperScope {
  readonly log: Log;
  readonly fleet: FleetRuntime;
  readonly maximum: number;
  readonly maxWorkers: number;
  readonly doorOf: () => FleetDoor | undefined;
}

function openKeeper(
  { options, data, stores, sockets }: UpScope,
  { log, fleet, maximum, maxWorkers, doorOf }: KeeperScope,
): FleetKeeper {
  const provider = createProcessProvider(
    {
      clock: systemClock,
      processes: createNodeProcesses(),
      issueToken: () => stores.issuer.control({ subject: 'runtime', tenants: '*', scopes: ['deploy', 'secrets'] }),
    },
    {
      commandLine: options.commandLine ?? [],
      url: sockets.rpc.localUrl,
      region: options.region,
      doors: toWorkerDoors(options, sockets.rpc),
      dataDirectory: data.path,
      maxWorkers,
      verbose: options.verbose,
      environment: options.environment,
    },
  );
  return new FleetKeeper(
    {
      ...{ clock: systemClock, random: systemRandom, log, fleet, provider },
      door: {
        runtimeIdOf: (instanceId) => doorOf()?.runtimeIdOf(instanceId),
        dead: (runtimeId) => doorOf()?.dead(runtimeId),
      },
    },
    { maximum, idleMs: (options.runtimeIdleSeconds ?? defaultIdleSeconds) * 1_000, drainMs },
  );
}

/** Workers of other machines dial the Runtimes that are started here as they dial this process, and answer them as it. */
function toWorkerDoors(
  { workerKubernetes: pods, workerAgent: agent, rpcHost, tls, reach }: UpOptions,
  { outerUrl }: Door,
): readonly string[] {
  const isElsewhere = pods !== undefined || (agent !== undefined && !isLoopbackHost(new URL(agent.url).hostname));
  if (!isElsewhere || outerUrl === undefined) return [];
  const { hostname } = new URL(outerUrl);
  const flags = {
    ...{ 'rpc-host': rpcHost, 'advertised-host': hostname.replace(/^\[|\]$/g, '') },
    ...{ 'tls-certificate': tls.certificate, 'tls-key': tls.key },
    ...{ 'worker-ca': reach.authority, 'worker-tls-name': pods?.tlsName },
  };
  const named = Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  const clear = reach.allowsClear ? ['--allow-clear-tokens'] : [];
  // Pods of a cluster have addresses that nobody knows beforehand; of those of an agent each certificate is told.
  const networks = pods === undefined ? [] : ['--worker-network', '0.0.0.0/0', '--worker-network', '::/0'];
  return [...named, ...networks, ...clear];
}

const boundText = 'its worker cannot wait for its app';
const aloneText = 'this installation has one Runtime; start it with --max-runtimes';

/** Apps that sleep cost kilobytes. */
const maxLocalApplications = 10_000;

interface DoorScope {
  readonly log: Log;
  readonly fleet: FleetRuntime;
  readonly leases: ListenerLeases;
  readonly supply: WorkerSupply;
  readonly keeper: FleetKeeper;
  readonly maximum: number;
  readonly noteOutsider: () => void;
}

function openDoor(
  { stores, trust, traces }: FleetScope,
  { keeper, maximum, noteOutsider, ...parts }: DoorScope,
): FleetDoor {
  const { catalog, keys } = stores;
  const guard = createControlGuard(createTokenVerifier({ clock: systemClock, keys }, { audience: audiences.control }));
  const door = new FleetDoor(
    {
      ...{ clock: systemClock, random: systemRandom, ...parts, guard, traces, pinned: trust.pinned },
      publicKeys: () => keys.jwks(),
      keysOf: (applicationId) => catalog.keys.list(applicationId).map(toSentKey),
      keyStoreOf: (applicationId) => createCatalogKeyStore(catalog.keys, applicationId),
      isOurs: (instanceId) => keeper.isOurs(instanceId),
      onOutsider: noteOutsider,
    },
    { maximum, listenerMs, ...trust },
  );
  catalog.watch((applicationId) => {
    if (catalog.applications.get(applicationId) !== undefined) door.keysChanged(applicationId);
  });
  parts.leases.watch(() => door.hurry());
  return door;
}

function toSentKey({
  kind,
  functionName,
  value,
}: ReturnType<UpScope['stores']['catalog']['keys']['list']>[number]): SentKey {
  return { kind, functionName, value: value.reveal() };
}

/** All Runtimes as one, with the doors of the one of this process. */
function toRuntime({ closers }: UpScope, fleet: FleetRuntime, door: FleetDoor, local: Runtime): Runtime {
  const gateway = new FleetGateway({
    clock: systemClock,
    fleet,
    local: (request, response) => local.handleRequest(request, response),
    targetOf: (runtimeId) => door.targetOf(runtimeId),
  });
  closers.add('requests that wait for a Runtime', async () => gateway.close());
  fleet.onPlaces(() => gateway.look());
  return {
    addApplication: (...given) => fleet.addApplication(...given),
    promoteApplication: (...given) => fleet.promoteApplication(...given),
    removeApplication: (...given) => fleet.removeApplication(...given),
    setTraffic: (...given) => fleet.setTraffic(...given),
    removeVersion: (...given) => fleet.removeVersion(...given),
    restartWorker: (...given) => fleet.restartWorker(...given),
    updateEnvironment: (...given) => fleet.updateEnvironment(...given),
    load: (...given) => fleet.load(...given),
    backlogs: (...given) => fleet.backlogs(...given),
    listeningApps: () => fleet.listeningApps(),
    scaleTo: (...given) => fleet.scaleTo(...given),
    watchWakes: (...given) => fleet.watchWakes(...given),
    status: (...given) => fleet.status(...given),
    watch: (...given) => fleet.watch(...given),
    placeholders: () => local.placeholders(),
    acceptWorker: (link) => local.acceptWorker(link),
    handleRequest: (request, response) => gateway.handle(request, response),
    drain: (deadlineMs) => local.drain(deadlineMs),
  };
}

function toList(fleet: FleetRuntime, leases: ListenerLeases, maximum: number): RuntimeList {
  return {
    maximum,
    runtimes: fleet.members.map((member) => {
      const { connectedCount, dedicatedTo, region } = fleet.placeOf(member);
      const { runtimeId: id, kind, state, maxWorkers, memoryUtilization: memory, rpcUrl: url } = member;
      return {
        ...{ id, kind, state, maxWorkers, workers: connectedCount, listeners: leases.countOf(id) },
        applications: [...fleet.appsOn(id)].sort(),
        memoryUtilization: Math.round(memory * 1_000) / 1_000,
        ...(region === undefined ? {} : { region }),
        ...(dedicatedTo === undefined ? {} : { dedicatedTo }),
        ...(url === undefined ? {} : { url }),
      };
    }),
  };
}
