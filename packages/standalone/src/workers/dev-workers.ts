import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { ApplicationDefinition } from '@switchyard/model';
import {
  describeMachine,
  type LaunchSource,
  nodeCatalogueFiles,
  type ResolvedWorker,
  type ResolveWorkerDeps,
  readWorkerCatalogue,
  resolveWorker,
  type WorkerLaunch,
} from '@switchyard/sidecar';
import type { LoadedApplication } from '../application/load-application.ts';
import { workerEnvironment } from './worker-environment.ts';

/** The Functions host version that workers are told we stand for. */
const hostVersion = '4.1052.0';

export interface DevWorkersOptions {
  /** Where the gateway listens, as workers know it. */
  readonly hostName: string;
  /** The debugger's port of the first app; the others get the next ones. */
  readonly inspectPort: number | undefined;
}

/** The workers of the apps of one `switchyard dev`, and how they are started. */
export interface DevWorkers extends LaunchSource {
  /** Finds the worker of an app. Rejects with a PlatformError that names the file or setting at fault. */
  resolve(application: LoadedApplication): Promise<ResolvedWorker>;
}

/** Looks through the language workers that came with us. */
export async function openDevWorkers(options: DevWorkersOptions): Promise<DevWorkers> {
  const deps = await readDeps();
  const launches = new Map<string, WorkerLaunch>();
  let resolved = 0;
  return {
    async resolve(application) {
      const position = resolved;
      resolved += 1;
      const worker = await resolveWorker(deps, {
        language: application.runtime,
        scriptRoot: application.directory,
        environment: workerEnvironment(application, options.hostName),
      });
      const inspect = inspectArguments(application.runtime, options.inspectPort, position);
      const launch = { ...worker.launch, arguments: [...inspect, ...worker.launch.arguments] };
      launches.set(application.applicationId, launch);
      return { ...worker, launch };
    },
    launchOf({ applicationId }: ApplicationDefinition) {
      const launch = launches.get(applicationId);
      return launch === undefined
        ? Promise.reject(new Error(`no app '${applicationId}' was started here`))
        : Promise.resolve(launch);
    },
  };
}

async function readDeps(): Promise<ResolveWorkerDeps> {
  // Each worker is a package beside the others, with its worker.config.json at the top.
  const ownWorker = dirname(dirname(createRequire(import.meta.url).resolve('@switchyard/worker-node')));
  const directories = [{ path: dirname(ownWorker), source: 'the workers of Switchyard itself' }];
  return {
    files: nodeCatalogueFiles,
    catalogue: await readWorkerCatalogue(nodeCatalogueFiles, directories),
    machine: describeMachine({
      platform: process.platform,
      architecture: process.arch,
      hostVersion,
      processors: availableParallelism(),
    }),
    interpreters: new Map([['node', [{ path: process.execPath, version: process.versions.node }]]]),
  };
}

function inspectArguments(runtime: string, port: number | undefined, position: number): readonly string[] {
  return port === undefined || runtime !== 'node' ? [] : [`--inspect=127.0.0.1:${port + position}`];
}
