/**
 * The composition root of `switchyard sidecar`: one sidecar in a process of its own, with the worker that it starts or that
 * a wrapper runs. It is configured by the variables of its pod; see docs/custom-workers.md.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { audiences, createAssignGuard, createTokenVerifier } from '@switchyard/identity';
import { type Log, messageOf, type PlatformError, systemClock, systemRandom } from '@switchyard/kernel';
import {
  createRpcServer,
  eventStreamPath,
  grpcStatus,
  type Link,
  relayCalls,
  settlementCalls,
  settlementPath,
  type UnaryReply,
} from '@switchyard/protocol';
import {
  type AuthorizeAssign,
  createPackageFolders,
  createSidecarListener,
  readSidecarEnvironment,
  type SidecarEnvironment,
  toSidecarServerOptions,
} from '@switchyard/sidecar';
import { Closers } from '../dev/closers.ts';
import { DataFolder } from '../dev/data-folder.ts';
import { standaloneErrors } from '../errors.ts';
import { listen } from '../http/listen.ts';
import { trustAuthority } from '../http/trust-authority.ts';
import { openKeySource } from '../runtime/open-key-source.ts';
import { readNamedFile } from '../runtime/read-files.ts';
import { createAppLevels, openUpLog, upCategory } from '../up/up-log.ts';
import { sidecarProcessErrors } from './errors.ts';
import { makeCertificates } from './made-certificates.ts';
import { openDialer } from './open-dialer.ts';
import { openHttpProxy } from './open-http-proxy.ts';
import { type OpenPod, openPod } from './open-pod.ts';
import { readOwnTls } from './read-own-tls.ts';
import { type SidecarProcessOptions, sidecarDefaults } from './sidecar-options.ts';

/** A running sidecar. */
export interface SidecarProcess {
  readonly workerId: string;
  /** Where it answers for health, metrics and assignments. */
  readonly url: string;
  /** Where its worker dials. */
  readonly workerUrl: string;
  /** Resolves when the worker has ended, after everything is closed; with why, when that was a failure. */
  readonly ended: Promise<PlatformError | undefined>;
  /** Asks the worker to end. */
  stop(): void;
}

const loopback = '127.0.0.1';
const startingUp = { code: grpcStatus.unavailable, message: 'starting up' } as const;

/** Streams that may wait for the sidecar. */
const maxEarly = 4;

/** Opens everything. Rejects with a PlatformError when a variable, a port or the worker's program is wrong. */
export async function startSidecar(given: SidecarProcessOptions): Promise<SidecarProcess> {
  const environment = readSidecarEnvironment(given.variables);
  const workerId = workerIdOf(environment);
  const log = await openUpLog(systemClock, {
    ...given,
    environment: given.variables,
    isWanted: createAppLevels({ verbose: given.verbose, hostOf: () => undefined }),
  });
  const closers = new Closers(log);
  try {
    const data = new DataFolder(given.dataDirectory);
    await data.prepare();
    const { options, certificate } = await makeCertificates(given);
    const { authority } = options.runtimeTls;
    // Packages, public keys and new tokens come from the installation, too.
    if (authority !== undefined) trustAuthority(await readNamedFile(authority, '--runtime-ca'));
    const way = await openDialer(options, log, closers);
    const port = await openWorkerPort(environment.workerPort, log, closers);
    const httpProxy = await openHttpProxy(options, closers);
    const folders = createPackageFolders(
      { clock: systemClock, random: systemRandom, log, fetch },
      { directory: join(data.path, 'apps') },
    );
    const parts = { ...way, httpProxy, readHostJson, openPackage: folders.open.bind(folders) };
    const pod = await openPod({ options, environment, workerId, endpoint: port.endpoint, parts, log, closers });
    port.serve(pod);
    const url = await openFace(pod, { options, workerId, log, closers });
    const workerUrl = `http://${port.endpoint.host}:${port.endpoint.port}`;
    tell(options, log, { workerId, url, workerUrl, httpUrl: httpProxy.uri, certificate });
    const ended = pod.ended.finally(() => closers.close());
    return { workerId, url, workerUrl, ended, stop: () => pod.stop(sidecarDefaults.drainMs) };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function workerIdOf({ workerId, token }: SidecarEnvironment): string {
  if (workerId === undefined && token !== undefined) throw sidecarProcessErrors.create('SIDECAR_WORKER_ID_MISSING');
  return workerId ?? systemRandom.uuid();
}

/** Where the worker finds its sidecar. */
async function openWorkerPort(port: number, log: Log, closers: Closers) {
  const early: Link[] = [];
  let accept = (link: Link): void => {
    // The worker of a wrapper may be there before its sidecar is; nobody else dials this port.
    if (early.length < maxEarly) early.push(link);
    else link.cancel(startingUp);
  };
  let callRuntime: OpenPod['sidecar']['callRuntime'] = async (): Promise<UnaryReply> => startingUp;
  const calls = relayCalls(settlementCalls.map(settlementPath), (call) => callRuntime(call));
  // A worker that is busy with synchronous user code, which is legal, answers no ping.
  const rpc = createRpcServer(
    { clock: systemClock, log },
    {
      methods: { ...calls, [eventStreamPath]: { kind: 'stream', open: (link: Link) => accept(link) } },
      keepAlive: 'off',
    },
  );
  const endpoint = await rpc.listen({ host: loopback, port });
  closers.add('port for the worker', () => rpc.close(0));
  return {
    endpoint,
    serve(pod: OpenPod): void {
      accept = (link) => pod.acceptWorker(link);
      callRuntime = (call) => pod.sidecar.callRuntime(call);
      for (const link of early.splice(0)) accept(link);
    },
  };
}

/** The text of an app's host.json; the Runtime may not see the folder. */
async function readHostJson(scriptRoot: string): Promise<string | undefined> {
  const file = join(scriptRoot, 'host.json');
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw standaloneErrors.create('APP_FILE_INVALID', { file, reason: messageOf(thrown) }, thrown);
  }
}

interface FaceScope {
  readonly options: SidecarProcessOptions;
  readonly workerId: string;
  readonly log: Log;
  readonly closers: Closers;
}

/** Health, metrics and assignments. */
async function openFace(pod: OpenPod, { options, workerId, log, closers }: FaceScope): Promise<string> {
  const tls = await readOwnTls(options);
  const authorize = await openGuard(options, workerId, log);
  const usage = (): ReturnType<OpenPod['usage']> => pod.usage();
  const http = { sidecar: pod.sidecar, usage, clock: systemClock, ...(authorize === undefined ? {} : { authorize }) };
  const listener = createSidecarListener(http);
  const settings = toSidecarServerOptions(tls);
  const server: Server = tls === undefined ? createServer(settings, listener) : createSecureServer(settings, listener);
  const host = options.host ?? sidecarDefaults.host;
  const port = await listen(server, { host, port: options.port ?? 0 });
  closers.add('health', async () => {
    server.close();
    server.closeAllConnections();
  });
  return `${tls === undefined ? 'http' : 'https'}://${host}:${port}`;
}

/** Only tokens for this worker's pod count, each once. */
async function openGuard(
  { keys: from, allowClearTokens: allowClear }: SidecarProcessOptions,
  podId: string,
  log: Log,
): Promise<AuthorizeAssign | undefined> {
  if (from === undefined) return undefined;
  const keys = await openKeySource(log, { from, allowClear });
  const verifier = createTokenVerifier({ clock: systemClock, keys }, { audience: audiences.sidecar });
  return createAssignGuard({ clock: systemClock, verifier }, { podId });
}

function tell(
  { output, console }: SidecarProcessOptions,
  log: Log,
  at: {
    readonly workerId: string;
    readonly url: string;
    readonly workerUrl: string;
    readonly httpUrl: string;
    readonly certificate: string | undefined;
  },
): void {
  if (output === 'json') {
    log.write('information', 'Sidecar is up', { category: upCategory, ...at });
    return;
  }
  const lines = [`The sidecar of worker ${at.workerId} is up. Press Ctrl-C to stop.`, `\tHealth  ${at.url}/health`];
  console.write([...lines, `\tWorker  ${at.workerUrl}`, ''].join('\n'));
}
