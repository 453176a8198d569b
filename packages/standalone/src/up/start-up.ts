/**
 * The composition root of `switchyard up`: gateway, Runtime, placeholder pools, catalog and control API in one process,
 * for the apps of many tenants, each deployed over the API.
 */
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectPackages } from '@switchyard/control-plane';
import { audiences, createTokenVerifier, createWorkerVerifier } from '@switchyard/identity';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import type { HostJson } from '@switchyard/model';
import type { Link } from '@switchyard/protocol';
import { controlScopes } from '@switchyard/protocol/control-api';
import { createRuntime, type Runtime, type RuntimeApplication, type RuntimeDeps } from '@switchyard/runtime';
import { createNodeProcesses, createPackageFolders, type PackageFolders, removeTree } from '@switchyard/sidecar';
import { createMemoryMeter } from '@switchyard/telemetry';
import { catalogKeys } from '../admin/catalog-key-store.ts';
import { type EmulatorBox, openEmulatorBox, type StorageUser } from '../azurite/emulator-box.ts';
import { startBroker } from '../capabilities/index.ts';
import { Closers } from '../dev/closers.ts';
import { DataFolder } from '../dev/data-folder.ts';
import { type OpenedKinds, openKinds, openStorage } from '../dev/open-kinds.ts';
import { openFleet } from '../fleet/open-fleet.ts';
import { isListening } from '../http/listen.ts';
import { openTelemetry } from '../http/open-telemetry.ts';
import { createWorkerHttp } from '../http/worker-http.ts';
import { openVitals } from '../runtime/open-vitals.ts';
import { admitByToken, createRuntimeSettlements } from '../runtime/runtime-settlements.ts';
import { keepAccountEnvironments } from './account-environment.ts';
import { AppLogs } from './app-logs.ts';
import { lockDataFolder } from './data-lock.ts';
import { Deployer, type DeployerDeps } from './deployer.ts';
import { indexOnPlaceholder } from './index-on-placeholder.ts';
import { keepControlFile } from './keep-control-file.ts';
import { type Control, openControl } from './open-control.ts';
import { type Machine, openMachine } from './open-machine.ts';
import { createOpenPackage } from './open-package.ts';
import { openStores } from './open-stores.ts';
import { openUpSockets } from './open-up-sockets.ts';
import { openWorkers, type Workers } from './open-workers.ts';
import { PackageSweeper } from './package-sweeper.ts';
import type { RemoteWorkers } from './remote-workers.ts';
import { linuxFamilies } from './tenants/process-family.ts';
import { TenantPriorities } from './tenants/tenant-priorities.ts';
import { createTenantProcesses } from './tenants/tenant-processes.ts';
import { TraceTap } from './trace-tap.ts';
import { readTrust } from './trust.ts';
import { createAppLevels, openUpLog, upCategory } from './up-log.ts';
import { type UpOptions, upDefaults } from './up-options.ts';
import type { UpParts, UpScope } from './up-parts.ts';
import { AppHosting } from './versions/app-hosting.ts';
import type { DeployedVersion } from './versions/deployed-version.ts';
import { toRuntimeApplication } from './versions/runtime-application.ts';
import { createVersionSource, type VersionSourceDeps } from './versions/version-source.ts';

/** A running installation. */
export interface Up {
  /** Where the apps answer, without a slash at the end. */
  readonly url: string;
  /** Where the control API answers. */
  readonly controlUrl: string;
  /** Where workers of other processes connect. */
  readonly rpcUrl: string;
  /** Lets what is in flight end, for a bounded time, then closes everything. Deployed apps come back at the next start. */
  stop(): Promise<void>;
}

/** Opens everything. Rejects with a PlatformError when a port or the data folder cannot be had; then nothing is left. */
export async function startUp(options: UpOptions): Promise<Up> {
  let hostOf: (applicationId: string) => HostJson | undefined = () => undefined;
  const isWanted = createAppLevels({ verbose: options.verbose, hostOf: (applicationId) => hostOf(applicationId) });
  const logs = new AppLogs(systemClock, { maxLines: upDefaults.logLines, isWanted });
  const log = logs.log(await openUpLog(systemClock, { ...options, isWanted }));
  const closers = new Closers(log);
  const data = new DataFolder(options.dataDirectory);
  try {
    await data.prepare();
    const unlock = lockDataFolder(data.path);
    closers.add('lock of the data folder', async () => unlock());
    const stores = await openStores({ log, closers, directory: data.path });
    const verifier = createTokenVerifier({ clock: systemClock, keys: stores.keys }, { audience: audiences.runtime });
    const settlements = createRuntimeSettlements(admitByToken(verifier));
    const sockets = await openUpSockets({ options, log, closers, services: settlements.methods });
    const trust = await readTrust(options.reach, options.workerKubernetes);
    const meter = createMemoryMeter();
    const scope = { options, log, logs, closers, data, stores, sockets, settlements, trust, meter };
    const parts = await openParts(scope);
    hostOf = (applicationId) => parts.hosting.latestOf(applicationId)?.host;
    const { scaler } = await serve(scope, parts);
    return toUp(scope, scaler);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** Workers, Runtime, and what brings the one to the other. Nothing is hosted yet. */
async function openParts(scope: UpScope): Promise<UpParts> {
  const { options, log, meter, closers, data, stores, sockets } = scope;
  const { catalog, issuer } = stores;
  const traces = new TraceTap({ clock: systemClock, log });
  const acceptWorker = (link: Link): void => runtime.acceptWorker(traces.tap(link));
  const machine = await openMachine({ options, log, dataFolder: data.path });
  const { launches, processes, tenancy } = machine;
  const broker = await openBroker(scope, machine);
  const canWait = ({ stack }: Pick<RuntimeApplication, 'stack'>) =>
    launches.workerOf(stack).worker.traits.canUsePlaceholder;
  const fleet = await openFleet({ ...scope, traces, canWait });
  const workers = await openWorkers({
    ...{ log, meter, closers, issuer, settlements: scope.settlements, reach: fleet },
    ...machine,
    processesOf: openTenantProcesses(scope, machine),
    pidOf: (workerId) => processes.pidOf(workerId),
    environmentOf: keepAccountEnvironments(systemClock, (tenantId) => broker.environmentFor(tenantId)),
    placeOf: tenancy.placeOf,
    placeholders: options.placeholders ?? upDefaults.placeholders,
    remote: await openRemote(scope),
    httpDoor: { ...sockets, ...options },
    gatewayPort: sockets.gatewayPort,
    acceptWorker,
    find: (definition) => hosting.find(definition),
  });
  const folders = createTenantFolders(log, workers);
  const openPackage = createOpenPackage({ ...stores, foldersOf: folders.foldersOf });
  const sweeper = openSweeper(scope, folders.opened);
  const emulators = openEmulators(scope);
  const settingsOf = (applicationId: string) => hosting.latestOf(applicationId)?.settings;
  const local = openRuntime(scope, {
    supply: fleet?.supplyHere(workers.supply) ?? workers.supply,
    ...openKinds({ log, data, settingsOf, settlements: scope.settlements.settlements }, emulators ?? openStorage),
    listeners: fleet?.listeners,
  });
  const runtime = fleet?.lead(local, workers.supply) ?? local;
  sockets.serveWorkers(acceptWorker);
  const versions = createVersionSource({
    ...stores,
    openPackage,
    completeStack: (stack) => launches.complete(stack),
    cpus: availableParallelism(),
    ...(await openSecrets(scope)),
  });
  const scale = { alwaysReady: 0, idleMs: (options.idleSeconds ?? upDefaults.idleSeconds) * 1_000 };
  const hosting = new AppHosting({
    ...{ clock: systemClock, random: systemRandom, log, runtime },
    wantedOf: (applicationId) => versions.wantedOf(applicationId),
    async updateSettings(version) {
      const { assignmentFor } = await workers.prepare(version.tenantId);
      const { environment } = await assignmentFor(version);
      return await runtime.updateEnvironment(version.definition, environment);
    },
    toRuntimeApplication(version) {
      emulators?.include(toStorageUser(version));
      const { worker } = launches.workerOf(version.stack);
      return toRuntimeApplication(version, {
        worker,
        scale,
        ...catalogKeys(catalog.keys, version.definition.applicationId),
      });
    },
  });
  closers.add('hosting', async () => hosting.close());
  return { runtime, fleet, workers, tenancy, launches, processes, openPackage, sweeper, versions, hosting, traces };
}

async function openBroker({ log, meter, closers, data, stores }: UpScope, { environment }: Machine) {
  const { keys, issuer } = stores;
  const broker = await startBroker({ log, meter, keys, issuer }, { dataDirectory: data.path, environment });
  closers.add('capability broker', () => broker.close());
  return broker;
}

/** Workers elsewhere, where there are some. */
async function openRemote(scope: UpScope): Promise<RemoteWorkers | undefined> {
  const { options, stores } = scope;
  const parts = { ...scope, ...stores, environment: options.environment };
  if (options.workerAgent !== undefined) {
    const { openAgentWorkers } = await import('./open-agent-workers.ts');
    return openAgentWorkers(parts, options.workerAgent);
  }
  if (options.workerKubernetes === undefined) return undefined;
  const { openKubernetesWorkers } = await import('./open-kubernetes-workers.ts');
  return await openKubernetesWorkers(parts, options.workerKubernetes);
}

/** Settings may refer to secrets of a vault where the environment says which vaults there are. */
async function openSecrets({ options, log }: UpScope): Promise<Pick<VersionSourceDeps, 'resolveSecrets'>> {
  const { environment } = options;
  if ((environment.SWITCHYARD_AZURE_KEY_VAULT_REFERENCES ?? '') === '') return {};
  const { openTenantSecrets } = await import('../control-plane/targets/azure-vault.ts');
  return { resolveSecrets: await openTenantSecrets(environment, log) };
}

/** Only root may give a process back the priority that it had, and only then are tenants users of their own. */
function openTenantProcesses({ log, closers }: UpScope, { processes, tenancy }: Machine) {
  if (tenancy.isolation.kind === 'shared' || process.platform !== 'linux')
    return createTenantProcesses(processes, undefined);
  const priorities = new TenantPriorities({ clock: systemClock, log, families: linuxFamilies });
  closers.add('priorities of tenants', () => priorities.close());
  return createTenantProcesses(processes, priorities);
}

function openSweeper({ log, closers, stores }: UpScope, unpackedIn: () => Iterable<string>): PackageSweeper {
  const { catalog, packages } = stores;
  const sweeper = new PackageSweeper(
    { clock: systemClock, log, catalog, collect: () => collectPackages(catalog, packages), unpackedIn, removeTree },
    { intervalMs: upDefaults.sweepMs, keptVersions: upDefaults.keptVersions },
  );
  closers.add('removal of old packages', () => sweeper.close());
  return sweeper;
}

/** Packages are unpacked where the workers of their tenant may read them, and nobody else's. */
function createTenantFolders(log: Log, workers: Workers) {
  const opened = new Map<string, PackageFolders>();
  return {
    opened: () => opened.keys(),
    async foldersOf(tenantId: string): Promise<PackageFolders> {
      const { place } = await workers.prepare(tenantId);
      const deps = { clock: systemClock, random: systemRandom, log, fetch };
      const folders = opened.get(place.apps) ?? createPackageFolders(deps, { directory: place.apps });
      opened.set(place.apps, folders);
      return folders;
    },
  };
}

/** Hosts what is in the catalog, then lets callers in. */
async function serve(scope: UpScope, parts: UpParts): Promise<Pick<Control, 'scaler'>> {
  const { runtime, sweeper, hosting } = parts;
  const { log, logs, closers, data, stores, sockets } = scope;
  const { catalog } = stores;
  // Nothing is deployed before `resume`, so the control plane is there by then.
  const deployer = openDeployer(scope, parts, (record, signal) => promote(record, signal));
  const { listener, scale, scaler, promote } = await openControl(scope, parts, deployer);
  closers.add('deployments', () => deployer.close());
  const apps = catalog.applications.list().map(({ applicationId }) => applicationId);
  await Promise.all(apps.map((applicationId) => hosting.look(applicationId)));
  const stopWatching = catalog.watch((applicationId) => {
    if (catalog.applications.get(applicationId) === undefined) {
      logs.forget(applicationId);
      void scale.forget(applicationId);
    }
    void hosting.look(applicationId);
  });
  closers.add('watch of the catalog', async () => stopWatching());
  deployer.resume();
  sweeper.start();
  sockets.gateway.serve((request, response) => runtime.handleRequest(request, response));
  sockets.serveControl(listener);
  const forgetControl = await keepControlFile(
    {
      clock: systemClock,
      log,
      issueToken: () => stores.issuer.control({ subject: 'operator', tenants: '*', scopes: [...controlScopes] }),
    },
    { directory: data.path, endpoint: sockets.control.localUrl },
  );
  closers.add('control file', forgetControl);
  // The last one, so that it is the first thing that a stop does.
  closers.add('HTTP', async () => sockets.gateway.stopListening());
  return { scaler };
}

function openDeployer(
  { log, stores }: UpScope,
  { workers, launches, openPackage, versions, hosting }: UpParts,
  promote: DeployerDeps['promote'],
): Deployer {
  return new Deployer({
    ...stores,
    log,
    versions,
    hosting,
    cpus: availableParallelism(),
    openPackage,
    promote,
    index: async ({ version, tenantId, directory, values }) => {
      const { applicationId, codeVersion } = version;
      const definition = { applicationId, metadataVersion: 'indexing', codeVersion };
      const stack = launches.complete(version.stack);
      const { pods, assignmentFor } = await workers.prepare(tenantId);
      const assignment = await assignmentFor({ definition, tenantId, directory, stack, values });
      return indexOnPlaceholder(pods, launches.workerOf(stack), assignment);
    },
  });
}

type LocalParts = OpenedKinds & Pick<RuntimeDeps, 'supply' | 'listeners'>;

function openRuntime(scope: UpScope, local: LocalParts): Runtime {
  const { log, meter, closers, stores } = scope;
  const spans = openTelemetry(scope.options.environment, { log, meter });
  if (spans !== undefined) closers.add('telemetry', () => spans.close());
  const workerHttp = createWorkerHttp(scope.trust.workers);
  closers.add('HTTP connections to workers', async () => workerHttp.close());
  const verifier = createTokenVerifier({ clock: systemClock, keys: stores.keys }, { audience: audiences.runtime });
  const verifyWorker = createWorkerVerifier(verifier);
  const ports = { ...local, spans, workerHttp, verifyWorker, ...openVitals(closers) };
  // With tenants side by side no app answers for names that are not its own.
  const { busyPercent = upDefaults.busyPercent } = scope.options;
  const limits = { busyShare: busyPercent / 100 };
  const options = { cpus: availableParallelism(), exactHostNames: true, limits };
  const runtime = createRuntime({ clock: systemClock, random: systemRandom, log, meter, ...ports }, options);
  closers.add('Runtime', () => runtime.drain(upDefaults.drainMs));
  return runtime;
}

/** Storage emulators for apps that ask for development storage; undefined when none may be started. */
function openEmulators({ options, log, closers, data }: UpScope): EmulatorBox | undefined {
  if (!options.startsAzurite) return undefined;
  const environment = Object.entries(options.environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const emulators = openEmulatorBox(
    { clock: systemClock, log: log.child({ category: 'Host.Storage' }), processes: createNodeProcesses(), isListening },
    {
      applications: [],
      searchFolders: [process.cwd(), dirname(fileURLToPath(import.meta.url))],
      executable: process.execPath,
      environment: Object.fromEntries(environment),
      // What was deployed stays, so what it has stored stays too.
      dataFolder: data,
    },
  );
  closers.add('storage emulator', () => emulators.close(upDefaults.emulatorGraceMs));
  return emulators;
}

function toStorageUser({ definition, directory, settings, values }: DeployedVersion): StorageUser {
  return { applicationId: definition.applicationId, directory, settings, localNames: [...values.keys()] };
}

function toUp({ closers, sockets, log, options }: UpScope, scaler: string | undefined): Up {
  const url = `${sockets.scheme}://localhost:${sockets.gatewayPort}`;
  const controlUrl = sockets.control.url;
  const rpcUrl = sockets.rpc.url;
  if (options.output === 'json') {
    const where = { url, controlUrl, rpcUrl, data: options.dataDirectory, ...(scaler === undefined ? {} : { scaler }) };
    log.write('information', 'Up', { category: upCategory, ...where });
  } else options.console.write(welcome({ url, controlUrl, rpcUrl, scaler, data: options.dataDirectory }));
  return {
    url,
    controlUrl,
    rpcUrl,
    stop: async () => {
      // The port is closed first and at once, so who reads the line finds it closed.
      const closed = closers.close();
      if (options.output === 'json') log.write('information', 'Stopping', { category: upCategory });
      else options.console.write('Stopping: what is in flight may end. Press Ctrl-C again to stop at once.\n');
      await closed;
    },
  };
}

function welcome(at: {
  readonly url: string;
  readonly controlUrl: string;
  readonly rpcUrl: string;
  readonly scaler: string | undefined;
  readonly data: string;
}): string {
  return [
    'Switchyard is up. Press Ctrl-C to stop.',
    `\tApps         ${at.url.replace('//', '//<app>.')}`,
    `\tControl API  ${at.controlUrl}`,
    `\tWorkers      ${at.rpcUrl}`,
    ...(at.scaler === undefined ? [] : [`\tKEDA         ${at.scaler}`]),
    `\tData         ${at.data}`,
    '',
    'Deploy an app with: switchyard deploy <folder>',
    '',
  ].join('\n');
}
