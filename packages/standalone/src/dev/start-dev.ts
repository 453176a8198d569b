/**
 * The composition root of `switchyard dev`: gateway, Runtime, pod host and storage emulator in one process, for one or
 * many apps. HTTP is open before anything else is ready; requests wait for their app.
 */
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import type { SettingsView } from '@switchyard/model';
import { createRpcServer, grpcStatus, type Link, type RpcServer, type WorkerSupply } from '@switchyard/protocol';
import { createRuntime, type Runtime } from '@switchyard/runtime';
import { createNodeProcesses, createPodHost, type ProcessPort } from '@switchyard/sidecar';
import { createMemoryMeter, type MemoryMeter } from '@switchyard/telemetry';
import { createAzureBlobService } from '@switchyard/triggers';
import { type CurrentApplications, createCurrentApplications } from '../application/current-applications.ts';
import { type LoadedApplication, loadApplication } from '../application/load-application.ts';
import { loadApplications } from '../application/load-applications.ts';
import { type EmulatorBox, openEmulatorBox } from '../azurite/emulator-box.ts';
import { createPatientStorage, type StorageOpening } from '../azurite/patient-storage.ts';
import { DebuggerPorts } from '../debugger/debugger-ports.ts';
import { debuggingLimits } from '../debugger/debugging-limits.ts';
import { withCors } from '../http/cors.ts';
import { createGatewayServer, type GatewayServer, type RequestHandler } from '../http/gateway-server.ts';
import { isListening } from '../http/listen.ts';
import { withMetrics } from '../http/metrics-endpoint.ts';
import { openTelemetry, withTelemetryOf } from '../http/open-telemetry.ts';
import { createWorkerHttp } from '../http/worker-http.ts';
import { AppKeyStores } from '../keys/key-store.ts';
import { openKeyVault } from '../keys/open-key-vault.ts';
import { createCoreToolsOutput } from '../output/core-tools-output.ts';
import { createLogOutput, createTextOutput, type DevOutput } from '../output/dev-output.ts';
import { hostIdOf } from '../reload/runtime-application.ts';
import { createVitals } from '../runtime/create-vitals.ts';
import { admitEverybody, createRuntimeSettlements, type RuntimeSettlements } from '../runtime/runtime-settlements.ts';
import { openDevWorkers } from '../workers/dev-workers.ts';
import { AppStarter } from './app-starter.ts';
import { Closers } from './closers.ts';
import { createLoops } from './create-loops.ts';
import { DataFolder } from './data-folder.ts';
import { devCategory, openDevLog } from './dev-log.ts';
import { type DevOptions, devDefaults } from './dev-options.ts';
import { openKinds, openStorage } from './open-kinds.ts';

/** A running development host. */
export interface Dev {
  /** Where HTTP is open, without a slash at the end. */
  readonly url: string;
  /** Resolves when every app serves or has failed, and has been told of. */
  readonly ready: Promise<DevOutcome>;
  /** Lets what is in flight end, for a bounded time, then closes everything. */
  stop(): Promise<void>;
}

/** What became of the apps. */
export type DevOutcome =
  | { readonly kind: 'serving' }
  /** None could be hosted, and everything is closed again; the error is the first one that was told. */
  | { readonly kind: 'nothing-to-serve'; readonly error: Error | undefined };

/** The one method of FunctionRpc. */
const eventStreamPath = '/AzureFunctionsRpcMessages.FunctionRpc/EventStream';

const loopback = '127.0.0.1';

/**
 * Starts the apps. Resolves as soon as HTTP is open. Rejects with a PlatformError when there is no app to run or the
 * port cannot be had; then nothing is left behind.
 */
export async function startDev(options: DevOptions): Promise<Dev> {
  const { applications: loaded, errors } = await loadApplications(options.directories, options.environment);
  const applications = loaded.map((application) => withCorsOf(options, application));
  const current = createCurrentApplications(applications);
  const log = await openDevLog(systemClock, { ...options, applications: current });
  const output = createOutput(options, log, applications.length > 1);
  const [firstError] = errors;
  if (applications.length === 0 && firstError !== undefined) {
    for (const error of errors.slice(1)) output.failed(error);
    throw firstError;
  }
  for (const error of errors) output.failed(error);
  const closers = new Closers(log);
  try {
    const data = new DataFolder(dataPathOf(options, applications));
    const service = createRuntimeSettlements(admitEverybody);
    return await open({ options, applications, current, log, output, closers, data, service });
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** What the parts of a development host share. */
interface DevScope {
  readonly options: DevOptions;
  /** As they were at the start. */
  readonly applications: readonly LoadedApplication[];
  readonly current: CurrentApplications;
  readonly log: Log;
  readonly output: DevOutput;
  readonly closers: Closers;
  readonly data: DataFolder;
  /** What functions have in hand of Service Bus. */
  readonly service: RuntimeSettlements;
}

async function open(scope: DevScope): Promise<Dev> {
  const { options, applications, current, output, closers, data, log } = scope;
  const processes = createNodeProcesses();
  const { gateway, rpc, port, url, endpoint, connectWorkers } = await openSockets(scope);
  const emulators = openEmulators(scope, processes);
  const keyStores = await openKeyStores(scope, emulators ?? openStorage);
  const keyFile = options.enableAuth ? keyStores : undefined;
  const debuggers = new DebuggerPorts({ onNote: (applicationId, text) => output.note(applicationId, text) });
  const workers = await openDevWorkers({
    hostName: `localhost:${port}`,
    inspectPort: options.inspectPort,
    openDebugger: (applicationId, request) => debuggers.open(applicationId, request),
    compileCacheOf: (applicationId) => data.folderFor('compile-cache', applicationId),
  });
  const podHost = createPodHost(
    { clock: systemClock, random: systemRandom, log, launches: workers, processes },
    { endpoint, limits: { maxConcurrentStarts: Math.max(2, availableParallelism()) } },
  );
  podHost.watch((event) => debuggers.observe(event));
  closers.add('debuggers', () => debuggers.close());
  closers.add('workers', () => podHost.close(devDefaults.workerGraceMs));
  const meter = createMemoryMeter();
  const runtime = openRuntime(scope, podHost, emulators ?? openStorage, meter);
  connectWorkers((link) => runtime.acceptWorker(link));
  closers.add('worker connections', () => rpc.close(devDefaults.workerGraceMs));
  closers.add('Runtime', () => runtime.drain(devDefaults.drainMs));
  const baseUrlOf = (applicationId: string): string =>
    applications.length > 1 ? `http://${applicationId}.localhost:${port}` : url;
  const starter = new AppStarter({ runtime, output, keyFile, baseUrlOf });
  const loops = createLoops(
    { runtime, workers, debuggers, keyFile, keyStores, processes, emulators, starter, log, output, current },
    {
      ...options,
      dataFolder: scope.data.path,
      json: options.output === 'json',
      environment: definedOnly(options.environment),
      baseUrlOf,
      load: async (directory) => withCorsOf(options, await loadApplication(directory, options.environment)),
    },
  );
  closers.add('watches', async () => void (await Promise.all([...loops.values()].map((loop) => loop.close()))));
  // The last one, so that it is the first thing that a stop does.
  closers.add('HTTP', async () => gateway.stopListening());
  const starts = await starter.begin(loops);
  const handle: RequestHandler = (request, response) => runtime.handleRequest(request, response);
  gateway.serve(withMetrics(meter, withCors(current, handle)));
  return { url, ready: whenReady(scope, runtime, starter, starts), stop: () => stop(scope) };
}

/** HTTP and the workers' port are open, and the keys are read: what can fail because of the machine. */
interface Sockets {
  readonly gateway: GatewayServer;
  readonly rpc: RpcServer;
  readonly port: number;
  readonly url: string;
  readonly endpoint: { readonly host: string; readonly port: number };
  /** Names who takes the streams of workers; none comes before one was started. */
  connectWorkers(accept: (link: Link) => void): void;
}

async function openSockets(scope: DevScope): Promise<Sockets> {
  const { options, applications, log, output, closers } = scope;
  const host = options.host ?? devDefaults.host;
  const gateway = createGatewayServer();
  let accept: (link: Link) => void = (link) => link.cancel({ code: grpcStatus.unavailable, message: 'starting up' });
  const eventStream = { kind: 'stream', open: (link: Link) => accept(link) } as const;
  // Workers are on this machine: a dead one is seen at its socket, and one that is busy with synchronous user code, which
  // is legal for as long as the function may run, answers no ping.
  const rpc = createRpcServer(
    { clock: systemClock, log },
    { methods: { [eventStreamPath]: eventStream, ...scope.service.methods }, keepAlive: 'off' },
  );
  closers.add('HTTP connections', async () => gateway.close());
  closers.add('port for workers', () => rpc.close(0));
  const [port, endpoint] = await Promise.all([
    gateway.listen({ host, port: options.port ?? portOf(applications) }),
    rpc.listen({ host: loopback, port: 0 }),
  ]);
  const url = `http://${isLocal(host) ? 'localhost' : host}:${port}`;
  output.listening(url);
  const connectWorkers = (given: (link: Link) => void): void => {
    accept = given;
  };
  return { gateway, rpc, port, url, endpoint, connectWorkers };
}

/** The keys of all apps: asked of callers with --enable-auth, and looked after by the admin API in any case. */
async function openKeyStores(scope: DevScope, storage: StorageOpening): Promise<AppKeyStores> {
  const { data, current, options, output } = scope;
  if (options.enableAuth) await data.prepare();
  const find = (applicationId: string): LoadedApplication | undefined =>
    current.all.find((application) => application.applicationId === applicationId);
  const vault = await openKeyVault({
    random: systemRandom,
    folder: data.path,
    prepare: () => data.prepare(),
    blobs: createPatientStorage(createAzureBlobService(), storage),
    settingsOf: (applicationId) => find(applicationId)?.settings,
    hostIdOf: (applicationId) => {
      const application = find(applicationId);
      return application === undefined ? applicationId : hostIdOf(application);
    },
  });
  if (options.enableAuth) output.keysIn(vault.place);
  return new AppKeyStores(vault, systemRandom);
}

/** The storage emulators that are needed; undefined when none may be started. */
function openEmulators(scope: DevScope, processes: ProcessPort): EmulatorBox | undefined {
  const { options, applications, log, closers, data } = scope;
  if (!options.startsAzurite) return undefined;
  const emulators = openEmulatorBox(
    { clock: systemClock, log: log.child({ category: 'Host.Storage' }), processes, isListening },
    {
      applications,
      searchFolders: [options.workingDirectory, dirname(fileURLToPath(import.meta.url))],
      executable: process.execPath,
      environment: definedOnly(options.environment),
      dataFolder: options.persistsStorage ? data : undefined,
    },
  );
  closers.add('storage emulator', () => emulators.close(options.persistsStorage ? devDefaults.emulatorGraceMs : 0));
  return emulators;
}

function openRuntime(scope: DevScope, supply: WorkerSupply, storage: StorageOpening, meter: MemoryMeter): Runtime {
  const { log, data, current } = scope;
  const settingsOf = (applicationId: string): SettingsView | undefined =>
    current.all.find((application) => application.applicationId === applicationId)?.settings;
  const { settlements } = scope.service;
  const opened = openKinds({ log, data, settingsOf, settlements, allowsAmbientIdentity: true }, storage);
  const spans = openTelemetry(withTelemetryOf(scope.options.environment, scope.applications), { log, meter });
  if (spans !== undefined) scope.closers.add('telemetry', () => spans.close());
  const workerHttp = createWorkerHttp();
  scope.closers.add('HTTP connections to workers', async () => workerHttp.close());
  const vitals = createVitals(systemClock);
  scope.closers.add('vitals', async () => vitals.close());
  const ports = { meter, spans, supply, ...opened, workerHttp, vitals: vitals.read };
  return createRuntime(
    { clock: systemClock, random: systemRandom, log: scope.log, ...ports },
    { cpus: availableParallelism(), limits: debuggingLimits(scope.options.inspectPort, scope.applications) },
  );
}

async function whenReady(
  { output, closers }: DevScope,
  runtime: Runtime,
  starter: AppStarter,
  starts: readonly Promise<void>[],
): Promise<DevOutcome> {
  await Promise.all(starts);
  // An app whose worker does not start stays and goes on trying; one that cannot be hosted leaves nothing.
  if (runtime.status().length > 0) {
    // Who was stopped before is not told that the apps are there.
    if (!closers.isClosing) output.ready(systemClock.monotonic());
    return { kind: 'serving' };
  }
  await closers.close();
  return { kind: 'nothing-to-serve', error: starter.firstError };
}

async function stop({ output, closers }: DevScope): Promise<void> {
  // The port is closed first and at once, so who reads the line finds it closed.
  const closed = closers.close();
  output.stopping();
  await closed;
}

function createOutput(options: DevOptions, log: Log, severalApps: boolean): DevOutput {
  const ownLog = log.child({ category: devCategory });
  if (options.output === 'json') return createLogOutput(ownLog);
  if (options.face === 'core-tools') return createCoreToolsOutput({ ...options, log: ownLog });
  return createTextOutput({ ...options, severalApps });
}

/** The app with the origins that the command line names, when it names any. */
function withCorsOf({ cors }: DevOptions, application: LoadedApplication): LoadedApplication {
  const { corsOrigins, corsCredentials } = application.localHost;
  const localHost = {
    ...application.localHost,
    corsOrigins: cors?.origins ?? corsOrigins,
    corsCredentials: cors?.credentials ?? corsCredentials,
  };
  return { ...application, localHost };
}

/** Local data: beside the app when there is one, else where the command was given. */
function dataPathOf(options: DevOptions, applications: readonly LoadedApplication[]): string {
  const [only] = applications;
  const beside = applications.length === 1 && only !== undefined ? only.directory : options.workingDirectory;
  return options.dataDirectory ?? join(beside, devDefaults.dataFolderName);
}

/** The port that the only app asks for. */
function portOf(applications: readonly LoadedApplication[]): number {
  const asked = applications.length === 1 ? applications[0]?.localHost.localHttpPort : undefined;
  return asked ?? devDefaults.port;
}

/** True for addresses that `localhost` reaches. */
function isLocal(host: string): boolean {
  return ['127.0.0.1', 'localhost', '::1', '0.0.0.0', '::'].includes(host);
}

function definedOnly(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
