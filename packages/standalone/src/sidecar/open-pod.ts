/** The pod of a sidecar process: the worker that it starts itself, or the one that a wrapper runs. */

import { mkdir } from 'node:fs/promises';
import { availableParallelism, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { type Log, type PlatformError, sleep, systemClock, systemRandom } from '@switchyard/kernel';
import type { Link, WorkerUsage } from '@switchyard/protocol';
import {
  createNodeProcesses,
  createPodUsage,
  createRestartableSidecar,
  createSidecar,
  createWrapperClient,
  type LaunchConfiguration,
  OrphanSweep,
  openProcessTable,
  openUsageFiles,
  type ResolvedWorker,
  type RestartableSidecar,
  type RuntimeAttachment,
  resolveWorker,
  type Sidecar,
  type SidecarDeps,
  type SidecarEnvironment,
  type SidecarTraits,
  startSinglePod,
  usableProcessors,
} from '@switchyard/sidecar';
import type { Closers } from '../dev/closers.ts';
import { machineEnvironment } from '../up/versions/worker-environment.ts';
import { hostVersion, readWorkerDeps } from '../workers/worker-resolution.ts';
import { createUnixTransport } from '../wrapper/unix-transport.ts';
import { sidecarProcessErrors } from './errors.ts';
import { type SidecarProcessOptions, sidecarDefaults } from './sidecar-options.ts';

export interface PodScope {
  readonly options: SidecarProcessOptions;
  readonly environment: SidecarEnvironment;
  readonly workerId: string;
  /** Where the worker dials. */
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly parts: Pick<SidecarDeps, 'dial' | 'callRuntime' | 'freshest' | 'httpProxy' | 'openPackage' | 'readHostJson'>;
  readonly log: Log;
  readonly closers: Closers;
}

/** A pod, whoever runs its worker. */
export interface OpenPod {
  readonly sidecar: Pick<Sidecar, 'assign' | 'callRuntime' | 'status'>;
  acceptWorker(link: Link): void;
  /** Resolves when nothing is left of it, with what went wrong. */
  readonly ended: Promise<PlatformError | undefined>;
  /** What its worker uses, where that can be told. Never rejects. */
  usage(): Promise<WorkerUsage | undefined>;
  stop(graceMs: number): void;
}

const base = { clock: systemClock, random: systemRandom };

/**
 * A later process of the same worker id counts on from a later time: a Runtime takes no stream of an earlier count. In
 * milliseconds, as streams are opened less often than that, and processes may follow one another within a second.
 */
const epochBase = (): number => systemClock.now();

/** Rejects with the catalogue's errors, and with SIDECAR_WRAPPER_SILENT. */
export async function openPod(scope: PodScope): Promise<OpenPod> {
  const { wrapperSocket } = scope.options;
  return wrapperSocket === undefined ? await openOwn(scope) : await openWrapped(scope, wrapperSocket);
}

/** The Runtime to hang on, and the app that the pod is for, if any. */
function attachmentOf(
  { environment }: PodScope,
  overrides: ReadonlyMap<string, string> = new Map(),
): RuntimeAttachment | undefined {
  const { runtimeEndpoint: endpoint, token, application: given } = environment;
  if (endpoint === undefined) return undefined;
  if (given === undefined) return { endpoint, token };
  const application = { ...given, environment: new Map([...given.environment, ...overrides]) };
  return { endpoint, token, application };
}

const instanceOf = ({ environment }: PodScope): string => environment.instanceId ?? hostname();

/** Starts the worker here. */
async function openOwn(scope: PodScope): Promise<OpenPod> {
  const { options, environment, workerId, endpoint, parts, log, closers } = scope;
  const emptyFolder = join(options.dataDirectory, 'empty');
  await mkdir(emptyFolder, { recursive: true });
  const worker = await findWorker(scope, emptyFolder);
  const sweep = new OrphanSweep({ clock: systemClock, log, table: openProcessTable() });
  sweep.start();
  closers.add('search for orphans', async () => sweep.close());
  const stack = { runtime: environment.runtime, version: worker.runtimeVersion, architecture: process.arch };
  const { launch, traits } = worker;
  const usageOf = createPodUsage(
    { clock: systemClock, files: openUsageFiles() },
    { pid: process.pid, runtime: environment.runtime, cpus: availableParallelism() },
  );
  const workerDirectory = launch.environment.FUNCTIONS_WORKER_DIRECTORY ?? '';
  const { pod, acceptWorker } = startSinglePod(
    { ...base, ...parts, log, processes: createNodeProcesses() },
    {
      workerId,
      stack,
      launch: { launch, traits, workerDirectory },
      endpoint,
      instanceId: instanceOf(scope),
      hostVersion,
      epochBase: epochBase(),
      attachTo: (_workerId, overrides) => attachmentOf(scope, overrides),
    },
  );
  const ended = pod.ended.then(({ exitCode, signal, stderrTail, error }) => {
    if (error !== undefined) return error as PlatformError;
    if (exitCode === 0 || signal === 'SIGTERM' || isStopping) return undefined;
    const how = exitCode === null ? `by ${signal}` : `with code ${exitCode}`;
    return sidecarProcessErrors.create('SIDECAR_WORKER_FAILED', { workerId, how, output: stderrTail.join('\n') });
  });
  let isStopping = false;
  return {
    sidecar: pod.sidecar,
    acceptWorker,
    ended,
    usage: async () => usageOf(pod.pid),
    stop(graceMs) {
      isStopping = true;
      pod.stop(graceMs);
    },
  };
}

async function findWorker({ environment, options }: PodScope, emptyFolder: string): Promise<ResolvedWorker> {
  const { runtime, languageVersion } = environment;
  const version = languageVersion === '' ? {} : { FUNCTIONS_WORKER_RUNTIME_VERSION: languageVersion };
  return await resolveWorker(await readWorkerDeps(), {
    language: runtime,
    scriptRoot: emptyFolder,
    environment: { ...machineEnvironment(options.variables), FUNCTIONS_WORKER_RUNTIME: runtime, ...version },
  });
}

/** The worker is the wrapper's; the sidecar only asks for restarts, and takes whoever dials. */
async function openWrapped(scope: PodScope, path: string): Promise<OpenPod> {
  const { environment, workerId, parts, log } = scope;
  const client = createWrapperClient({ clock: systemClock, transport: createUnixTransport(path) });
  const launch = await awaitWrapper(async () => (await client.status())?.launch, path);
  const workerDirectory = launch.workerPath === '' ? '' : dirname(launch.workerPath);
  const { runtime, languageVersion: version } = environment;
  const traits = await traitsOf(runtime);
  const countsFrom = epochBase();
  const sidecar: RestartableSidecar = createRestartableSidecar(
    {
      log,
      control: client,
      expectWorker: () => {},
      createLife({ firstEpoch, onRestartRequest, environmentOverrides }) {
        const attachment = attachmentOf(scope, environmentOverrides);
        return createSidecar(
          { ...base, ...parts, log, onRestartRequest },
          {
            workerId,
            firstEpoch,
            epochBase: countsFrom,
            stack: { runtime, version, architecture: process.arch },
            instanceId: instanceOf(scope),
            hostVersion,
            traits,
            workerDirectory,
            // The wrapper shows it.
            hasConsole: false,
            ...(attachment === undefined ? {} : { attachTo: attachment }),
          },
        );
      },
    },
    {
      captured: { ...launch, language: runtime, runtimeVersion: version, workerDirectory },
      awaitsReturn: true,
      graceMs: sidecarDefaults.drainMs,
    },
  );
  return {
    sidecar,
    acceptWorker: (link) => sidecar.acceptWorker(link),
    usage: async () => toUsable((await client.status())?.usage, runtime),
    ended: sidecar.ended.then((end) => (end.kind === 'failed' ? end.error : undefined)),
    stop: (graceMs) => void sidecar.drain(graceMs),
  };
}

/** The wrapper knows its container, and not what runs in it. */
function toUsable(usage: WorkerUsage | undefined, runtime: string): WorkerUsage | undefined {
  return usage && { ...usage, cpuLimit: usableProcessors(runtime, usage.cpuLimit) };
}

const pollMs = 100;

async function awaitWrapper(
  ask: () => Promise<LaunchConfiguration | undefined>,
  path: string,
): Promise<LaunchConfiguration> {
  const { wrapperMs: timeoutMs } = sidecarDefaults;
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += pollMs) {
    const launch = await ask();
    if (launch !== undefined) return launch;
    await sleep(systemClock, pollMs);
  }
  throw sidecarProcessErrors.create('SIDECAR_WRAPPER_SILENT', { path, timeoutMs });
}

/** What the catalogue says of a language; a worker that is not in it lists its functions. */
async function traitsOf(language: string): Promise<SidecarTraits> {
  const { catalogue } = await readWorkerDeps();
  const config = catalogue.workers.get(language.toLowerCase());
  return {
    workerIndexing: config?.description.workerIndexing ?? true,
    initializationTimeoutMs: config?.processOptions.initializationTimeoutMs ?? defaultTimeoutMs,
    environmentReloadTimeoutMs: config?.processOptions.environmentReloadTimeoutMs ?? defaultTimeoutMs,
  };
}

const defaultTimeoutMs = 30_000;
