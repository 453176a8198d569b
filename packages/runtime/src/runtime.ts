/**
 * The Runtime: what turns streams of workers and requests of callers into invocations, for many apps.
 *
 * It opens no socket and starts no process: the composition root hands it links and requests, and the supply workers.
 */
import type { Clock, Log, Meter, Random, SpanSink } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import { grpcStatus, type Link, type WorkerSupply } from '@switchyard/protocol';
import type { Kinds, OpenConcurrencySnapshots, PrimaryHosts } from '@switchyard/triggers';
import type {
  AnnouncedApplications,
  ListenerGate,
  OpenAppTelemetry,
  Runtime,
  RuntimeApplication,
  VerifyWorker,
} from './contract.ts';
import { FairTurns } from './dispatch/fair-turns.ts';
import { type LoopMeter, LoopPace } from './dispatch/loop-pace.ts';
import type { DispatchStrategy } from './dispatch/strategies.ts';
import { runtimeErrors } from './errors.ts';
import { Gateway, type GatewayDeps } from './gateway/gateway.ts';
import { HostTable } from './gateway/host-table.ts';
import { HealthMonitors } from './health/health-monitors.ts';
import { ProcessHealth, type ReadVitals } from './health/process-health.ts';
import { httpStreamErrors } from './http-stream/errors.ts';
import type { WorkerHttp } from './http-stream/worker-http.ts';
import type { JobHost } from './job-host/job-host.ts';
import { JobHostManager, type JobHostManagerDeps } from './job-host/job-host-manager.ts';
import { defaultLimits, type RuntimeLimits } from './limits.ts';
import { MemoryGuard, type MemoryPort } from './memory/memory-guard.ts';
import { PlaceholderHosts } from './routing/placeholder-hosts.ts';
import { Specializer } from './routing/specializer.ts';
import type { Worker } from './worker-registry/worker.ts';
import { WorkerRegistry } from './worker-registry/worker-registry.ts';
import { type UpdatedWorkers, updateEnvironments } from './worker-restart/environment-update.ts';
import { askForRestart } from './worker-restart/worker-restart.ts';
import { type StreamDoor, WorkerStream } from './worker-stream/worker-stream.ts';

export interface RuntimeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  /** Hears of every invocation that a worker was given. */
  readonly spans?: SpanSink | undefined;
  /** Opens what the settings of an app name for its telemetry; without it that goes nowhere. */
  readonly openAppTelemetry?: OpenAppTelemetry | undefined;
  readonly supply: WorkerSupply;
  readonly kinds: Kinds;
  /** Where it is kept what was found out of the concurrency of functions; nowhere when left out. */
  readonly concurrencySnapshots?: OpenConcurrencySnapshots | undefined;
  /** How an app finds out which of its hosts is primary; without it none is. */
  readonly primaryHosts?: PrimaryHosts | undefined;
  /** Checks workers that announce themselves by WorkerConnect; without it they are all refused. */
  readonly verifyWorker?: VerifyWorker;
  /** Makes apps of what sidecars announce by themselves; without it only apps that were added are served. */
  readonly announcedApplications?: AnnouncedApplications;
  /** The way to workers that take HTTP requests themselves; without it those answer 500. */
  readonly workerHttp?: WorkerHttp;
  /** The memory of this process; without it nobody looks after it. */
  readonly memory?: MemoryPort;
  /** What can run short in this process; without it no health monitor and no dynamic throttle of an app has an effect. */
  readonly vitals?: ReadVitals;
  /** The event loop of this process; without it no tenant leaves a part of it to the others. */
  readonly loop?: LoopMeter;
  /** Which listeners may run here; left out, this is the only Runtime and all of them do. */
  readonly listeners?: ListenerGate | undefined;
  /** Hears that the memory runs short, every few seconds: fewer workers, or fewer apps, would help. */
  readonly onMemoryPressure?: (utilization: number) => void;
}

export interface RuntimeOptions {
  /** Processors of the machine, for limits of host.json that grow with them. */
  readonly cpus: number;
  /** How invocations are spread over an app's workers; least-loaded by default. */
  readonly strategy?: DispatchStrategy;
  /** What the Runtime calls itself towards workers and in its API, in the numbering of the official host. */
  readonly hostVersion?: string;
  /** Lets an app answer to its own host names alone; left out, the only app there is answers to any name. */
  readonly exactHostNames?: boolean;
  readonly limits?: Partial<RuntimeLimits>;
}

/** The version of the official host whose behaviour this one has. */
const officialHostVersion = '4.1052.0';

/** Makes a Runtime without apps. It follows the supply from now on. */
export function createRuntime(deps: RuntimeDeps, options: RuntimeOptions): Runtime {
  const limits: RuntimeLimits = { ...defaultLimits, ...options.limits };
  const hostVersion = options.hostVersion ?? officialHostVersion;
  const strategy = options.strategy ?? 'leastLoaded';
  const hosts = new HostTable<JobHost>({ isExact: options.exactHostNames ?? false });
  const pace = deps.loop && new LoopPace(deps.clock, deps.loop, limits);
  const turns = new FairTurns({ clock: deps.clock, pace }, limits);
  const shared = { ...deps, ...watchProcess(deps), hosts, turns };
  const manager = new JobHostManager(shared, { cpus: options.cpus, hostVersion, strategy, limits });
  const registry = new WorkerRegistry(deps, limits, manager);
  const wishes = toWishes(deps, limits, manager, registry);
  const gateway = new Gateway(
    {
      ...shared,
      workerHttp: deps.workerHttp ?? noWay,
      isPrimary: (jobHost) => manager.isPrimary(jobHost),
      restartWorker: (workerId) => void wishes.restartWorker(workerId, { reason: 'an administrator asked for it' }),
    },
    { hostVersion, limits },
  );
  const links = new Set<Link>();
  const verify = deps.verifyWorker ?? refuseEverybody;
  const directory = {
    tenantOf: (definition: ApplicationDefinition) => manager.tenantOf(definition),
    add: (application: RuntimeApplication) => manager.getOrCreate(application),
  };
  const specializer = new Specializer({ directory, verify, announced: deps.announcedApplications });
  const supersede = (worker: Worker): void => manager.supersede(worker);
  const placeholders = new PlaceholderHosts({ ...deps, registry, specializer, supersede }, { hostVersion, limits });
  const door = toDoor(manager, placeholders, verify);
  const memoryGuard = guardMemory(deps, limits, manager, gateway);
  manager.serve(registry);
  registry.open();

  return {
    acceptWorker(link) {
      if (links.size >= limits.streams) {
        link.cancel({ code: grpcStatus.resourceExhausted, message: `${limits.streams} streams are open already` });
        return;
      }
      links.add(link);
      const forget = (): boolean => links.delete(link);
      link.closed.then(forget, forget);
      new WorkerStream(deps, limits, link, door).start();
    },
    handleRequest: (request, response) => gateway.handle(request, response),
    addApplication: (application, addOptions) => manager.getOrCreate(application, addOptions),
    promoteApplication: (key) => manager.promote(key),
    removeApplication: (key, deadlineMs) => manager.remove(key, deadlineMs),
    setTraffic: (applicationId, shares, trafficOptions) => manager.setTraffic(applicationId, shares, trafficOptions),
    removeVersion: (definition, deadlineMs) => manager.removeVersion(definition, deadlineMs),
    status: (applicationId) => manager.of(applicationId).map((jobHost) => jobHost.status()),
    load: (applicationId) => manager.loads(applicationId),
    backlogs: (applicationId, signal) => manager.backlogs(applicationId, signal),
    listeningApps: () => manager.listeningApps(),
    scaleTo: (definition, wish) => manager.scaleTo(definition, wish),
    watchWakes: (observer) => manager.watchWakes(observer),
    ...wishes,
    placeholders: () => placeholders.status(),
    watch: (observer) => manager.watch(observer),
    async drain(deadlineMs) {
      memoryGuard?.stop();
      placeholders.dismiss();
      await manager.drain(deadlineMs);
      registry.close();
      for (const link of links) link.cancel({ code: grpcStatus.unavailable, message: 'the Runtime is shutting down' });
    },
  };
}

function watchProcess({
  clock,
  vitals,
}: RuntimeDeps): Pick<GatewayDeps, 'processHealth'> & Pick<JobHostManagerDeps, 'health'> {
  if (vitals === undefined) return {};
  const processHealth = new ProcessHealth(clock, vitals);
  return { processHealth, health: new HealthMonitors(clock, processHealth) };
}

/** Where streams of workers come in. */
function toDoor(manager: JobHostManager, placeholders: PlaceholderHosts, verify: VerifyWorker): StreamDoor {
  return {
    admit: (workerId, channel) => manager.admit(workerId, channel),
    connect: (claims, channel) => manager.connect(claims, channel),
    attach: (claims, channel) => placeholders.attach(claims, channel),
    specialize: (worker, claims, channel) => manager.specialize(worker, claims, channel),
    verify,
  };
}

function guardMemory(
  { clock, log, memory, onMemoryPressure }: RuntimeDeps,
  limits: RuntimeLimits,
  manager: JobHostManager,
  gateway: Gateway,
): MemoryGuard | undefined {
  if (memory === undefined) return undefined;
  const actions = {
    closeIntake(isClosed: boolean): void {
      gateway.closeIntake(isClosed);
      manager.closeIntake(isClosed);
    },
    drainOldest: (count: number) => manager.drainOldest(count),
    pressed: (utilization: number) => onMemoryPressure?.(utilization),
  };
  return new MemoryGuard({ clock, log, memory, actions }, limits);
}

/** Whoever can reach the port may say WorkerConnect, so a Runtime that cannot tell who is who lets nobody in that way. */
const refuseEverybody: VerifyWorker = () => {
  const { definition, message } = runtimeErrors.create('WORKER_UNVERIFIABLE');
  return { kind: 'refused', status: { code: definition.grpc, message } };
};

const noWay: WorkerHttp = {
  open: () => {
    throw httpStreamErrors.create('HTTP_STREAMING_UNAVAILABLE');
  },
};

/** What the Runtime asks of workers beside their work. */
function toWishes(
  { clock }: Pick<RuntimeDeps, 'clock'>,
  { restartAnswerMs }: RuntimeLimits,
  manager: JobHostManager,
  registry: WorkerRegistry,
): Pick<Runtime, 'restartWorker' | 'updateEnvironment'> {
  return {
    restartWorker: (workerId, wish) => askForRestart(clock, registry.find(workerId), wish, restartAnswerMs),
    updateEnvironment: (definition, variables) =>
      updateEnvironments(clock, workersOf(manager, registry, definition), variables, restartAnswerMs),
  };
}

/** The workers of one version, whatever they do. */
function workersOf(
  manager: JobHostManager,
  registry: WorkerRegistry,
  { applicationId, metadataVersion, codeVersion }: ApplicationDefinition,
): UpdatedWorkers {
  const isSame = (one: ApplicationDefinition): boolean =>
    one.codeVersion === codeVersion && one.metadataVersion === metadataVersion;
  const versions = manager
    .of(applicationId)
    .map((jobHost) => jobHost.status())
    .flatMap((status) => status.versions.filter((version) => isSame(version.definition)));
  const loads = manager.loads(applicationId).filter((load) => isSame(load.definition));
  return {
    workers: versions.flatMap(({ workers }) => workers.flatMap(({ workerId }) => registry.find(workerId) ?? [])),
    startingCount: loads.reduce((sum, load) => sum + load.startingCount, 0),
  };
}
