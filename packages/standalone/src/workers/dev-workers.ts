import { join } from 'node:path';
import type { ApplicationDefinition } from '@switchyard/model';
import { type LaunchSource, type ResolvedWorker, resolveWorker, type WorkerLaunch } from '@switchyard/sidecar';
import { exists } from '../application/app-folder.ts';
import type { LoadedApplication } from '../application/load-application.ts';
import { defaultInspect, type InspectRequest, takeInspectArguments } from '../debugger/inspect-arguments.ts';
import { workerEnvironment } from './worker-environment.ts';
import { readWorkerDeps } from './worker-resolution.ts';

export interface DevWorkersOptions {
  /** Where the gateway listens, as workers know it. */
  readonly hostName: string;
  /** The debugger's port of the first app; the others get the next ones. */
  readonly inspectPort: number | undefined;
  /** Opens the port to which the app's debuggers connect. */
  readonly openDebugger: (applicationId: string, request: InspectRequest) => void;
  /**
   * A folder of the app's own for what Node.js has compiled, which saves a sixth of a start; undefined when there is
   * none. What is in it is executed: no other app may write there.
   */
  readonly compileCacheOf: (applicationId: string) => Promise<string | undefined>;
}

/** The workers of the apps of one `switchyard dev`, and how they are started. */
export interface DevWorkers extends LaunchSource {
  /**
   * Finds the worker of a version of an app; from now on it can be started. Rejects with a PlatformError that names the
   * file or setting at fault.
   */
  resolve(application: LoadedApplication, definition: ApplicationDefinition): Promise<ResolvedWorker>;
  /** The version is over. */
  forget(definition: ApplicationDefinition): void;
}

/** Looks through the language workers that came with us. */
export async function openDevWorkers(options: DevWorkersOptions): Promise<DevWorkers> {
  const deps = await readWorkerDeps();
  const launches = new Map<string, WorkerLaunch>();
  const positions = new Map<string, number>();
  return {
    async resolve(application, definition) {
      const { applicationId } = application;
      const position = positions.get(applicationId) ?? positions.size;
      positions.set(applicationId, position);
      const worker = await resolveWorker(deps, {
        language: application.runtime,
        scriptRoot: application.directory,
        environment: workerEnvironment(application, options.hostName),
      });
      const mapped = await withSourceMaps(worker, application.directory);
      const cached = await withCompileCache(mapped, options, applicationId);
      const launch = withDebugger(cached, options, applicationId, position);
      launches.set(versionKey(definition), launch);
      return { ...worker, launch };
    },
    launchOf(definition) {
      const launch = launches.get(versionKey(definition));
      return launch === undefined
        ? Promise.reject(new Error(`no app '${definition.applicationId}' was started here`))
        : Promise.resolve(launch);
    },
    forget(definition) {
      launches.delete(versionKey(definition));
    },
  };
}

function versionKey({ applicationId, codeVersion }: ApplicationDefinition): string {
  return `${applicationId}:${codeVersion}`;
}

/**
 * The worker of a TypeScript app with traces that name the sources, where the compiler or a bundler has written maps. An app
 * that says itself what Node.js does about them is left to that.
 */
async function withSourceMaps(worker: ResolvedWorker, directory: string): Promise<ResolvedWorker> {
  const { language, launch } = worker;
  const saysItself = /source-maps/.test([...launch.arguments, launch.environment.NODE_OPTIONS ?? ''].join(' '));
  if (language !== 'node' || saysItself || !(await exists(join(directory, 'tsconfig.json')))) return worker;
  return { ...worker, launch: { ...launch, arguments: ['--enable-source-maps', ...launch.arguments] } };
}

/** The worker with a compile cache, unless the app's settings have one. */
async function withCompileCache(
  worker: ResolvedWorker,
  { compileCacheOf }: DevWorkersOptions,
  applicationId: string,
): Promise<ResolvedWorker> {
  const { language, launch } = worker;
  if (language !== 'node' || launch.environment[compileCacheVariable] !== undefined) return worker;
  const folder = await compileCacheOf(applicationId);
  if (folder === undefined) return worker;
  return { ...worker, launch: { ...launch, environment: { ...launch.environment, [compileCacheVariable]: folder } } };
}

/** Node.js 22.1 and later read it. */
const compileCacheVariable = 'NODE_COMPILE_CACHE';

/**
 * The launch with an inspector on any free port, when one is asked for by flag or by the app's settings; the port that
 * was asked for leads to it. So the worker of a new version can start while the old one holds on to its own.
 */
function withDebugger(
  { language, launch }: ResolvedWorker,
  { inspectPort, openDebugger }: DevWorkersOptions,
  applicationId: string,
  position: number,
): WorkerLaunch {
  if (language !== 'node') return launch;
  const { request, others } = takeInspectArguments(launch.arguments);
  const asked = inspectPort === undefined ? request : { ...defaultInspect, port: inspectPort + position };
  if (asked === undefined) return launch;
  openDebugger(applicationId, asked);
  return { ...launch, arguments: [`${asked.flag}=127.0.0.1:0`, ...others] };
}
