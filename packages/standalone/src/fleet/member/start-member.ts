/**
 * The composition root of `switchyard runtime --join`: a Runtime that an installation fills and drains. Its apps, their keys
 * and its workers come over one channel; callers reach it through the gateway of the installation alone.
 */
import { availableParallelism } from 'node:os';
import {
  audiences,
  createControlGuard,
  createTokenVerifier,
  createWorkerVerifier,
  type KeySource,
  parseKeySet,
  refuseClearTokens,
} from '@switchyard/identity';
import { type Log, type LogFields, systemClock, systemRandom } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import { createRpcChannel, fleetJoinPath, type Link, toBearerMetadata } from '@switchyard/protocol';
import {
  createRuntime,
  type KeyStore,
  type Runtime,
  type RuntimeApplication,
  type RuntimeOptions,
  type WorkerHttp,
} from '@switchyard/runtime';
import { createMemoryMeter } from '@switchyard/telemetry';
import { Closers } from '../../dev/closers.ts';
import { DataFolder } from '../../dev/data-folder.ts';
import { openKinds, openStorage } from '../../dev/open-kinds.ts';
import type { RequestHandler } from '../../http/gateway-server.ts';
import { isLoopbackHost, toUrlHost } from '../../http/listen.ts';
import { PinnedCertificates } from '../../http/pinned-certificates.ts';
import { createWorkerHttp } from '../../http/worker-http.ts';
import { memoryUtilization } from '../../runtime/memory-utilization.ts';
import { openRuntimeSockets, type RuntimeSockets } from '../../runtime/open-runtime-sockets.ts';
import { openVitals } from '../../runtime/open-vitals.ts';
import { readNamedFile } from '../../runtime/read-files.ts';
import { type RuntimeProcessOptions, runtimeDefaults } from '../../runtime/runtime-options.ts';
import { admitByToken, createRuntimeSettlements } from '../../runtime/runtime-settlements.ts';
import { createRuntimeViews } from '../../runtime/runtime-views.ts';
import { type RuntimeProcess, readRemoteWorkers } from '../../runtime/start-runtime.ts';
import { createAppLevels, openUpLog, upCategory } from '../../up/up-log.ts';
import { fleetErrors } from '../errors.ts';
import { isPartitioned } from '../listening-functions.ts';
import type { SentKey } from '../messages.ts';
import { createSentKeys } from '../sent-application.ts';
import { createGatewayDoor } from './gateway-door.ts';
import { InstallationLink } from './installation-link.ts';
import type { JoinOptions } from './join-options.ts';
import { LinkSupply } from './link-supply.ts';
import { MemberApps } from './member-apps.ts';
import { MemberViews } from './member-views.ts';

/** Opens everything and joins. Rejects with a PlatformError when a port cannot be had, or the installation refuses. */
export async function startMember(options: RuntimeProcessOptions, join: JoinOptions): Promise<RuntimeProcess> {
  const isWanted = createAppLevels({ verbose: options.verbose, hostOf: () => undefined });
  const own = await openUpLog(systemClock, { ...options, isWanted });
  const closers = new Closers(own);
  try {
    const refusal = refuseClearTokens(join.url, { allow: options.allowClearTokens });
    if (refusal !== undefined) throw refusal;
    const data = new DataFolder(options.dataDirectory);
    await data.prepare();
    const { verifyWorker, settlements, services, guard } = createGuards(options, () => link.call('publicKeys', null));
    const sockets = await openRuntimeSockets({ options, log: own, closers, services, hidesGateway: true });
    const log = createSentLog(own, (level, message, fields = {}) => link.line({ level, message, fields }));
    const supply = new LinkSupply((method, body) => link.note(method, body));
    const meter = createMemoryMeter();
    const views = new MemberViews({ clock: systemClock, log: own, meter, send: (frame) => link.frame(frame) });
    const pinned = new PinnedCertificates();
    const apps: MemberApps = new MemberApps({
      runtime: () => runtime,
      ...{ supply, views, pinned },
      keyStoreOf: (applicationId) => toKeyStore(link, applicationId),
      keysOf: (sent: () => readonly SentKey[]) => createSentKeys(sent),
      hurry: () => void link.report(),
    });
    const workerHttp = await openWorkerHttp(options, join, pinned, closers);
    const door = createGatewayDoor((request, response) => runtime.handleRequest(request, response));
    const dial = await openDial(join, own, closers);
    const link: InstallationLink = new InstallationLink({
      ...{ clock: systemClock, log: own, url: join.url, dial },
      request: toRequest(options, join, sockets),
      report: () => reportOf(runtime),
      call: (method, body) => apps.call(method, body),
      note: (method, body) => apps.note(method, body),
      onJoined: ({ gatewayKey }) => door.open(gatewayKey),
      onLeft: async () => {
        door.close();
        await apps.leave(runtimeDefaults.drainMs);
      },
    });
    const runtime: Runtime = createRuntime(
      {
        ...{ clock: systemClock, random: systemRandom, log, meter, supply, workerHttp },
        ...openKinds({ log, data, settingsOf: (id) => settingsOf(apps.latestOf(id)), settlements }, openStorage),
        verifyWorker,
        ...openVitals(closers),
        listeners: {
          mayListen: (applicationId, functionName, triggerType) =>
            isPartitioned(triggerType) || link.listeners.mayListen(applicationId, functionName),
          watch: (observer) => link.listeners.watch(observer),
        },
      },
      toRuntimeOptions(options),
    );
    // What runs may end before its workers are given back.
    closers.add('membership', async () => link.close());
    closers.add('Runtime', () => runtime.drain(runtimeDefaults.drainMs));
    runtime.watch((status) => link.note('status', status));
    runtime.watchWakes((definition) => link.note('wake', definition));
    serve(sockets, { runtime, views, handle: door.handle, guard });
    await link.open();
    closers.add('HTTP', async () => sockets.gateway.stopListening());
    return toProcess(options, join, { sockets, log: own, closers, link });
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** Who is let in: by the public keys of the installation, which the channel brings. */
function createGuards({ clientCertificate: certificate }: RuntimeProcessOptions, askKeys: () => Promise<unknown>) {
  const keys = createLinkKeys(askKeys);
  const verifierFor = (audience: (typeof audiences)['runtime' | 'control']) =>
    createTokenVerifier({ clock: systemClock, keys }, { audience });
  const ofWorkers = [verifierFor(audiences.runtime), { certificate }] as const;
  const { settlements, methods: services } = createRuntimeSettlements(admitByToken(...ofWorkers));
  return {
    ...{ settlements, services },
    verifyWorker: createWorkerVerifier(...ofWorkers),
    guard: createControlGuard(verifierFor(audiences.control)),
  };
}

/** The workers of the installation itself are where it is, and show its certificate; of others it tells the certificates. */
async function openWorkerHttp(
  options: RuntimeProcessOptions,
  { url, authority }: JoinOptions,
  pinned: PinnedCertificates,
  closers: Closers,
): Promise<WorkerHttp> {
  const { hostname, protocol } = new URL(url);
  const installation = protocol === 'https:' ? [hostname.replace(/^\[|\]$/g, '')] : [];
  const workerAuthority = options.workerAuthority ?? authority;
  const workerNetworks = [...options.workerNetworks, ...installation];
  const remote = await readRemoteWorkers({ ...options, workerAuthority, workerNetworks });
  const workerHttp = createWorkerHttp({ ...remote, certificateAt: pinned.at });
  closers.add('HTTP connections to workers', async () => workerHttp.close());
  return workerHttp;
}

function toRuntimeOptions({ busyPercent = runtimeDefaults.busyPercent }: RuntimeProcessOptions): RuntimeOptions {
  return { cpus: availableParallelism(), exactHostNames: true, limits: { busyShare: busyPercent / 100 } };
}

async function openDial({ url, token, authority }: JoinOptions, log: Log, closers: Closers): Promise<() => Link> {
  const ca = authority === undefined ? undefined : await readNamedFile(authority, '--join-ca');
  const channel = createRpcChannel(
    { clock: systemClock, log },
    { endpoint: url, ...(ca === undefined ? {} : { tls: { ca } }) },
  );
  closers.add('channel to the installation', () => channel.close(runtimeDefaults.streamGraceMs));
  return () => channel.eventStream({ path: fleetJoinPath, metadata: toBearerMetadata(token) });
}

function toRequest({ rpcHost, host }: RuntimeProcessOptions, join: JoinOptions, sockets: RuntimeSockets) {
  const { name, instanceId, region, maxWorkers, maxApplications, advertisedHost } = join;
  // Whoever joins over loopback is reached over loopback where it listens there alone.
  const isHere = isLoopbackHost(new URL(join.url).hostname);
  const at = (bound = '127.0.0.1'): string => {
    const found = isHere && isLoopbackHost(bound) ? bound : (advertisedHost ?? bound);
    return toUrlHost(found);
  };
  const schemeOf = (isSecure: boolean): string => (isSecure ? 'https' : 'http');
  return {
    ...{ name, instanceId, maxWorkers, maxApplications },
    ...(region === undefined ? {} : { region }),
    gatewayUrl: `${schemeOf(sockets.isGatewaySecure)}://${at(host)}:${sockets.gatewayPort}`,
    rpcUrl: `${schemeOf(sockets.rpc.isSecure)}://${at(rpcHost)}:${sockets.rpc.port}`,
  };
}

/** Apps whose loads are told also while they sleep. */
const maxToldApps = 200;

function reportOf(runtime: Runtime) {
  const jobHosts = runtime.status();
  const ids = [...new Set(jobHosts.map(({ applicationId }) => applicationId))];
  const loads = ids.length > maxToldApps ? runtime.load() : ids.flatMap((id) => runtime.load(id));
  return { jobHosts, loads, listeningApps: runtime.listeningApps(), memoryUtilization: memoryUtilization() };
}

/** Lines of apps belong to the installation's log; they are not written here as well. */
function createSentLog(own: Log, send: (...line: Parameters<Log['write']>) => void, bound: LogFields = {}): Log {
  return {
    write(level, message, fields) {
      const all = { ...bound, ...fields };
      if (typeof all.applicationId === 'string') send(level, message, all);
      else own.write(level, message, all);
    },
    child: (fields) => createSentLog(own, send, { ...bound, ...fields }),
  };
}

/** Public keys by way of the channel: kept, and asked for again when a token names one that is not known. */
function createLinkKeys(ask: () => Promise<unknown>): KeySource {
  let kept: ReadonlyMap<string, Extract<Awaited<ReturnType<KeySource['find']>>, { kind: 'found' }>['key']> = new Map();
  return {
    async find(keyId) {
      const known = kept.get(keyId);
      if (known !== undefined) return { kind: 'found', key: known };
      const reading = parseKeySet(await ask());
      if (reading.kind !== 'invalid') kept = new Map(reading.keySet.keys.map((key) => [key.kid, key]));
      const key = kept.get(keyId);
      return key === undefined ? { kind: 'unknown' } : { kind: 'found', key };
    },
  };
}

function toKeyStore(link: InstallationLink, applicationId: string): KeyStore {
  return {
    list: (scope) => link.call('keyList', { applicationId, scope }),
    set: (scope, name, value) => link.call('keySet', { applicationId, scope, name, value }),
    ensure: (scope, name) => link.call('keyEnsure', { applicationId, scope, name }),
    remove: (scope, name) => link.call('keyRemove', { applicationId, scope, name }),
  };
}

const settingsOf = (application: RuntimeApplication | undefined) =>
  application && createSettingsView(application.settings);

interface Served {
  readonly runtime: Runtime;
  readonly views: MemberViews;
  readonly handle: RequestHandler;
  readonly guard: Parameters<RuntimeSockets['serveControl']>[1];
}

function serve(sockets: RuntimeSockets, { runtime, views, handle, guard }: Served): void {
  const refuse = async (): Promise<never> => {
    throw fleetErrors.create('FLEET_METHOD_UNKNOWN', { method: 'apps of a Runtime that has joined an installation' });
  };
  sockets.serveControl(
    {
      ...createRuntimeViews(runtime),
      host: refuse,
      unhost: refuse,
    },
    guard,
  );
  sockets.serveWorkers((stream) => runtime.acceptWorker(views.tap(stream)));
  sockets.gateway.serve(handle);
}

function toProcess(
  options: RuntimeProcessOptions,
  { url: joined, name }: JoinOptions,
  parts: {
    readonly sockets: RuntimeSockets;
    readonly log: Log;
    readonly closers: Closers;
    readonly link: InstallationLink;
  },
): RuntimeProcess {
  const { sockets, log, closers, link } = parts;
  const { host, port, isSecure } = sockets.rpc;
  const url = `http://localhost:${sockets.gatewayPort}`;
  const rpcUrl = `${isSecure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const controlUrl = `http://127.0.0.1:${sockets.controlPort}`;
  if (options.output === 'json') {
    log.write('information', 'Runtime has joined', { category: upCategory, joined, name, rpcUrl, controlUrl });
  } else {
    options.console.write(
      [
        `The Runtime '${name}' has joined ${joined}. Press Ctrl-C to stop.`,
        `\tWorkers  ${rpcUrl}`,
        `\tHealth   ${controlUrl}/health`,
        '',
      ].join('\n'),
    );
  }
  return {
    ...{ url, rpcUrl, controlUrl },
    async stop() {
      await link.leave();
      await closers.close();
    },
  };
}
