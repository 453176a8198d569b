/**
 * Brings the apps of one `switchyard dev` up, and tells when each serves.
 *
 * Ownership: startDev owns it; it owns nothing but what it has told already.
 *
 * I1 An app that cannot run is told once with its reason, and keeps none of the others from running.
 * I2 The functions of an app are listed once, when it serves for the first time, be it at once or after its worker came
 *    up at last.
 * I3 With keys, every HTTP function has one before it is listed.
 */
import { hostname } from 'node:os';
import { messageOf } from '@switchyard/kernel';
import { createHostId } from '@switchyard/model';
import type { FunctionKeys, JobHostStatus, Runtime, RuntimeApplication } from '@switchyard/runtime';
import type { ResolvedWorker } from '@switchyard/sidecar';
import { createFunctionFiles } from '../application/function-files.ts';
import type { LoadedApplication } from '../application/load-application.ts';
import type { KeyFile } from '../keys/key-file.ts';
import type { DevOutput } from '../output/dev-output.ts';
import type { DevWorkers } from '../workers/dev-workers.ts';

export interface AppStarterDeps {
  readonly runtime: Pick<Runtime, 'addApplication' | 'watch' | 'status'>;
  readonly workers: Pick<DevWorkers, 'resolve'>;
  readonly output: DevOutput;
  /** Undefined lets every caller in. */
  readonly keyFile: KeyFile | undefined;
  readonly baseUrlOf: (applicationId: string) => string;
}

/** One machine, one user. */
const tenantId = 'local';

/** A development host has one version of each app. */
const devVersion = 'dev';

export class AppStarter {
  readonly #deps: AppStarterDeps;
  /** The listing of each app, begun or done. */
  readonly #listings = new Map<string, Promise<void>>();
  #firstError: Error | undefined;

  constructor(deps: AppStarterDeps) {
    this.#deps = deps;
    deps.runtime.watch((status) => this.#onStatus(status));
  }

  /** Why the first of the apps that failed did. */
  get firstError(): Error | undefined {
    return this.#firstError;
  }

  /**
   * Finds each app's worker and hands the app to the Runtime. Resolves with the starts that are under way as soon as
   * the Runtime knows of every app; what failed before has been told.
   */
  async begin(applications: readonly LoadedApplication[]): Promise<readonly Promise<void>[]> {
    const prepared = await Promise.all(applications.map((application) => this.#prepare(application)));
    return prepared.filter((application) => application !== undefined).map((application) => this.#start(application));
  }

  async #prepare(application: LoadedApplication): Promise<RuntimeApplication | undefined> {
    try {
      const worker = await this.#deps.workers.resolve(application);
      for (const note of [...application.notes, ...worker.notes])
        this.#deps.output.note(application.applicationId, note);
      const keys = await this.#deps.keyFile?.keysOf(application.applicationId);
      return toRuntimeApplication(application, worker, keys);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  async #start(runtimeApplication: RuntimeApplication): Promise<void> {
    try {
      await this.#list(await this.#deps.runtime.addApplication(runtimeApplication));
    } catch (error) {
      // An app that stays goes on trying, and the Runtime has said why; one that is turned away leaves nothing.
      const { applicationId } = runtimeApplication.definition;
      const stays = this.#deps.runtime.status().some((status) => status.applicationId === applicationId);
      if (!stays) this.#fail(error);
    }
  }

  #onStatus(status: JobHostStatus): void {
    if (status.state !== 'active' && status.state !== 'dormant') return;
    this.#list(status).catch((error: unknown) => this.#fail(error));
  }

  /** Resolves when the app has been listed, whoever asked first. */
  #list(status: JobHostStatus): Promise<void> {
    const begun = this.#listings.get(status.key) ?? this.#listOnce(status);
    this.#listings.set(status.key, begun);
    return begun;
  }

  async #listOnce(status: JobHostStatus): Promise<void> {
    const { keyFile, output, baseUrlOf } = this.#deps;
    const names = status.functions.filter(({ route }) => route !== undefined).map(({ name }) => name);
    await keyFile?.addFunctions(status.applicationId, names);
    output.serving(status, baseUrlOf(status.applicationId));
  }

  #fail(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
    this.#firstError ??= error;
    this.#deps.output.failed(error);
  }
}

/** An app in a folder as the Runtime wants it. */
export function toRuntimeApplication(
  application: LoadedApplication,
  worker: ResolvedWorker,
  keys: FunctionKeys | undefined,
): RuntimeApplication {
  const { applicationId, directory, settings } = application;
  return {
    definition: { applicationId, metadataVersion: devVersion, codeVersion: devVersion },
    tenantId,
    stack: { runtime: application.runtime, version: worker.runtimeVersion, architecture: process.arch },
    worker: {
      workerDirectory: worker.launch.environment.FUNCTIONS_WORKER_DIRECTORY ?? '',
      workerIndexing: worker.traits.workerIndexing,
      initializationTimeoutMs: worker.traits.initializationTimeoutMs,
    },
    scriptRoot: directory,
    hostJson: application.hostJson,
    settings: application.values,
    hostId: createHostId({
      configured: settings.get('AzureFunctionsWebHost__hostid'),
      machineName: hostname(),
      scriptPath: directory,
    }),
    functionFiles: createFunctionFiles(directory),
    hostNames: [],
    keys,
    development: true,
  };
}
