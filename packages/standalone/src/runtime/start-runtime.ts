/**
 * The composition root of `switchyard runtime`: gateway, Runtime and the port for workers in a process that starts no
 * worker and has no catalog. Apps are those that sidecars bring along; workers come by themselves, and come back.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import {
  audiences,
  createControlGuard,
  createTokenIssuer,
  createTokenVerifier,
  createWorkerVerifier,
  holdsKeys,
  type KeyRing,
  type KeySource,
  openKeyRing,
} from '@switchyard/identity';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import { jobHostKey } from '@switchyard/model';
import type { WorkerSupply } from '@switchyard/protocol';
import {
  type AnnouncedApplication,
  createRuntime,
  type Runtime,
  type VerifyWorker,
  type WorkerProfile,
} from '@switchyard/runtime';
import { createMemoryMeter } from '@switchyard/telemetry';
import type { AdmitSettlement } from '@switchyard/triggers';
import { createFunctionFiles } from '../application/function-files.ts';
import { Closers } from '../dev/closers.ts';
import { DataFolder } from '../dev/data-folder.ts';
import { openKinds, openStorage } from '../dev/open-kinds.ts';
import type { RequestHandler } from '../http/gateway-server.ts';
import { createWorkerHttp, type RemoteWorkers } from '../http/worker-http.ts';
import { parseWorkerNetworks } from '../http/worker-networks.ts';
import { openFileKeyVault } from '../keys/file-key-vault.ts';
import { AppKeyStores } from '../keys/key-store.ts';
import { createRenewalPage } from '../tokens/renewal-page.ts';
import { createAppLevels, openUpLog, upCategory } from '../up/up-log.ts';
import { readWorkerDeps } from '../workers/worker-resolution.ts';
import { AnnouncedApps } from './announced-apps.ts';
import { runtimeProcessErrors } from './errors.ts';
import { openKeySource } from './open-key-source.ts';
import { letEverybody, openRuntimeSockets, type RuntimeSockets } from './open-runtime-sockets.ts';
import { openVitals } from './open-vitals.ts';
import { readNamedFile } from './read-files.ts';
import { ReturningApps } from './returning-apps.ts';
import type { ControlGuard } from './runtime-control.ts';
import { type RuntimeProcessOptions, runtimeDefaults } from './runtime-options.ts';
import { admitByToken, admitEverybody, createRuntimeSettlements } from './runtime-settlements.ts';
import { createRuntimeViews } from './runtime-views.ts';

/** A running Runtime. */
export interface RuntimeProcess {
  /** Where the apps answer, without a slash at the end. */
  readonly url: string;
  /** Where sidecars and workers connect. */
  readonly rpcUrl: string;
  readonly controlUrl: string;
  /** Lets what is in flight end, for a bounded time, then closes everything. */
  stop(): Promise<void>;
}

/** Workers are started elsewhere, and come by themselves. */
const noSupply: WorkerSupply = { ensure: () => {}, release: () => {}, watch: () => () => {} };

interface Guards {
  readonly verifyWorker: VerifyWorker;
  /** Which app's messages a worker may settle. */
  readonly admitSettlement: AdmitSettlement;
  readonly control: ControlGuard;
  /** The keys that renew tokens, where this Runtime has them. */
  readonly signing: KeyRing | undefined;
}

/** Opens everything. Rejects with a PlatformError when a port, a key or the data folder cannot be had. */
export async function startRuntime(options: RuntimeProcessOptions): Promise<RuntimeProcess> {
  const isWanted = createAppLevels({ verbose: options.verbose, hostOf: () => undefined });
  const log = await openUpLog(systemClock, { ...options, isWanted });
  const closers = new Closers(log);
  try {
    const guards = await openGuards(options, log);
    const data = new DataFolder(options.dataDirectory);
    await data.prepare();
    const { settlements, methods: services } = createRuntimeSettlements(guards.admitSettlement);
    const sockets = await openRuntimeSockets({ options, log, closers, services });
    const { apps, keys } = await openApps(options, log);
    const workerHttp = createWorkerHttp(await readRemoteWorkers(options));
    closers.add('HTTP connections to workers', async () => workerHttp.close());
    const runtime = createRuntime(
      {
        clock: systemClock,
        random: systemRandom,
        log,
        meter: createMemoryMeter(),
        supply: noSupply,
        ...openKinds({ log, data, settingsOf: (id) => apps.settingsOf(id), settlements }, openStorage),
        workerHttp,
        verifyWorker: guards.verifyWorker,
        announcedApplications: (announced) => apps.make(announced),
        ...openVitals(closers),
      },
      {
        cpus: availableParallelism(),
        exactHostNames: true,
        limits: { busyShare: (options.busyPercent ?? runtimeDefaults.busyPercent) / 100 },
      },
    );
    closers.add('Runtime', () => runtime.drain(runtimeDefaults.drainMs));
    const handle: RequestHandler = (request, response) => runtime.handleRequest(request, response);
    const returning = await openReturning(options, log, handle);
    closers.add('apps that come back', async () => returning.close());
    follow(runtime, { apps, keys, returning }, closers);
    serve(runtime, apps, sockets, guards);
    sockets.gateway.serve((request, response) => returning.serve(request, response));
    closers.add('HTTP', async () => sockets.gateway.stopListening());
    return toRuntimeProcess(options, { sockets, log, closers });
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function openGuards(options: RuntimeProcessOptions, log: Log): Promise<Guards> {
  if (!options.checksTokens) {
    log.write('warning', 'No tokens are checked: whoever reaches the port for workers may serve any app.', {
      category: upCategory,
    });
    const verifyWorker = () => ({ kind: 'accepted' }) as const;
    return { verifyWorker, admitSettlement: admitEverybody, control: letEverybody, signing: undefined };
  }
  const signing = await openSigningKeys(options, log);
  const keys = signing ?? (await openPublicKeys(options, log));
  const verifierFor = (audience: 'functions-runtime' | 'switchyard-control') =>
    createTokenVerifier({ clock: systemClock, keys }, { audience });
  const ofWorkers = verifierFor(audiences.runtime);
  return {
    verifyWorker: createWorkerVerifier(ofWorkers, { certificate: options.clientCertificate }),
    admitSettlement: admitByToken(ofWorkers, { certificate: options.clientCertificate }),
    control: createControlGuard(verifierFor(audiences.control)),
    signing,
  };
}

/** Only keys that are there: a new one would verify no token of the installation. */
async function openSigningKeys({ signingKeys, keys }: RuntimeProcessOptions, log: Log): Promise<KeyRing | undefined> {
  if (signingKeys === undefined) return undefined;
  if (keys !== undefined) throw runtimeProcessErrors.create('RUNTIME_KEYS_TWICE');
  if (!(await holdsKeys(signingKeys))) throw runtimeProcessErrors.create('RUNTIME_SIGNING_KEYS', { path: signingKeys });
  return await openKeyRing({ clock: systemClock, log }, { directory: signingKeys });
}

async function openPublicKeys(options: RuntimeProcessOptions, log: Log): Promise<KeySource> {
  if (options.keys === undefined) throw runtimeProcessErrors.create('RUNTIME_KEYS_MISSING');
  return await openKeySource(log, { from: options.keys, allowClear: options.allowClearTokens });
}

/** Sidecars of other machines whose workers take HTTP themselves. */
export async function readRemoteWorkers(options: RuntimeProcessOptions): Promise<RemoteWorkers> {
  const reading = parseWorkerNetworks(options.workerNetworks);
  if (reading.kind === 'invalid') throw runtimeProcessErrors.create('RUNTIME_WORKER_NETWORK', { text: reading.text });
  const { workerAuthority: path, workerTlsName: serverName, allowClearTokens: allowClear } = options;
  const authority = path === undefined ? undefined : await readNamedFile(path, '--worker-ca');
  return { networks: reading.networks, authority, serverName, allowClear };
}

async function openApps(options: RuntimeProcessOptions, log: Log) {
  const keys = options.usesFunctionKeys
    ? new AppKeyStores(
        await openFileKeyVault(
          { path: join(options.dataDirectory, 'function-keys.json'), isSealed: false },
          systemRandom,
        ),
        systemRandom,
      )
    : undefined;
  const { catalogue } = await readWorkerDeps();
  const profileOf = (language: string): WorkerProfile => {
    const known = catalogue.workers.get(language.toLowerCase());
    return {
      workerDirectory: '',
      // Whoever is not in the catalogue is taken for a worker of today: those list their functions.
      workerIndexing: known?.description.workerIndexing ?? true,
      initializationTimeoutMs: known?.processOptions.initializationTimeoutMs ?? defaultInitializationMs,
      stderrIsError: known?.description.useStdErrorStreamForErrorsOnly ?? false,
      ignoresTermination: false,
    };
  };
  const apps = new AnnouncedApps(
    {
      log,
      profileOf,
      keysOf: async (applicationId) => await keys?.keysOf(applicationId),
      keyStoreOf: (applicationId) => keys?.storeOf(applicationId),
      functionFilesOf: (scriptRoot) => (options.readsFolders ? createFunctionFiles(scriptRoot) : noFiles),
    },
    {
      hostNames: options.hostNames,
      machineName: hostname(),
      limit: runtimeDefaults.announcedApplications,
      oldVersionMs: runtimeDefaults.oldVersionMs,
    },
  );
  return { apps, keys };
}

const defaultInitializationMs = 120_000;
const noFiles = { list: async () => [] };

/** Keeps versions and keys of the apps in step with what the Runtime hosts. */
function follow(
  runtime: Runtime,
  { apps, keys, returning }: { apps: AnnouncedApps; keys: AppKeyStores | undefined; returning: ReturningApps },
  closers: Closers,
): void {
  runtime.watch(({ applicationId, functions, state }) => {
    if (state !== 'stopped' && state !== 'draining') returning.hosted(applicationId);
    apps.look(runtime, applicationId);
    const names = functions.map(({ name }) => name);
    void keys?.addFunctions(applicationId, names).catch(() => {});
  });
  const look = (): void => {
    apps.lookAtAll(runtime);
    timer = systemClock.schedule(runtimeDefaults.versionsMs, look);
  };
  let timer = systemClock.schedule(runtimeDefaults.versionsMs, look);
  closers.add('versions', async () => timer.cancel());
}

function serve(runtime: Runtime, apps: AnnouncedApps, sockets: RuntimeSockets, { control, signing }: Guards): void {
  const issuer = signing && createTokenIssuer({ clock: systemClock, random: systemRandom, keys: signing });
  sockets.serveControl(
    {
      ...createRuntimeViews(runtime),
      host: (app) => hostApp(runtime, apps, app),
      unhost: (applicationId) => unhostApp(runtime, apps, applicationId),
    },
    control,
    signing && issuer && ((next) => createRenewalPage({ keys: signing, issuer, runtime, next })),
  );
  sockets.serveWorkers((link) => runtime.acceptWorker(link));
}

/** Resolves when the app is hosted; its workers come later. */
async function hostApp(runtime: Runtime, apps: AnnouncedApps, app: AnnouncedApplication): Promise<void> {
  const application = await apps.make(app);
  const starting = runtime.addApplication(application);
  const key = jobHostKey(app.definition);
  // What goes wrong from here on is seen in the status: the app stays, and heals with its next worker.
  if (runtime.status().some((status) => status.key === key)) starting.catch(() => {});
  else await starting;
}

async function unhostApp(runtime: Runtime, apps: AnnouncedApps, applicationId: string): Promise<void> {
  apps.forget(applicationId);
  const theirs = runtime.status(applicationId);
  await Promise.all(theirs.map(({ key }) => runtime.removeApplication(key, runtimeDefaults.drainMs)));
}

/** Remembers the names of the apps in the data folder. */
async function openReturning(
  { dataDirectory, hostNames }: RuntimeProcessOptions,
  log: Log,
  handle: RequestHandler,
): Promise<ReturningApps> {
  const path = join(dataDirectory, 'apps.json');
  const memory = {
    read: () =>
      readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }),
    write(text: string) {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    },
  };
  const { returnMs: graceMs, maxReturning: maxHeld } = runtimeDefaults;
  return await ReturningApps.open({ clock: systemClock, log, memory, hostNames }, { graceMs, maxHeld }, handle);
}

function toRuntimeProcess(
  options: RuntimeProcessOptions,
  parts: { readonly sockets: RuntimeSockets; readonly log: Log; readonly closers: Closers },
): RuntimeProcess {
  const { sockets, log, closers } = parts;
  const { host, port, isSecure } = sockets.rpc;
  const url = `http://localhost:${sockets.gatewayPort}`;
  const rpcUrl = `${isSecure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const controlUrl = `http://127.0.0.1:${sockets.controlPort}`;
  const isJson = options.output === 'json';
  if (isJson) log.write('information', 'Runtime is up', { category: upCategory, url, rpcUrl, controlUrl });
  else {
    const lines = ['The Runtime is up. Press Ctrl-C to stop.', `\tApps     ${url.replace('//', '//<app>.')}`];
    options.console.write([...lines, `\tWorkers  ${rpcUrl}`, `\tControl  ${controlUrl}`, ''].join('\n'));
  }
  return {
    url,
    rpcUrl,
    controlUrl,
    async stop() {
      const closed = closers.close();
      if (isJson) log.write('information', 'Stopping', { category: upCategory });
      else options.console.write('Stopping: what is in flight may end. Press Ctrl-C again to stop at once.\n');
      await closed;
    },
  };
}
