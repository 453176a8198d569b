/**
 * What the host does with an app: init, reload, index, load. One request at a time; the worker keeps the order.
 *
 * Ownership: one per worker; it owns the app that is loaded now.
 *
 * I1 A reload replaces environment, folder, functions, hooks and model; nothing of the app before is left to call.
 * I2 What an app gets wrong is an answer (Failure), never a rejection.
 * I3 Functions can be registered until the host first asks for them.
 * I4 A reload without a folder leaves functions, hooks, modules and what the app has put into its environment as they are, and
 *    the answer says what the environment is by then.
 */
import { messageOf, type Random } from '@switchyard/kernel';
import {
  digestEnvironment,
  environmentDigestProperty,
  type FunctionEnvironmentReloadRequest,
  type FunctionEnvironmentReloadResponse,
  FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy,
  type FunctionLoadRequest,
  type FunctionLoadResponse,
  type FunctionMetadataResponse,
  type StatusResult,
  type WorkerInitRequest,
  type WorkerInitResponse,
  type WorkerMetadata,
} from '@switchyard/protocol';
import { App } from './app/app.ts';
import { type AppStarterDeps, startApp } from './app/app-starter.ts';
import type { ProgrammingModels } from './app/programming-models.ts';
import { loadScriptFunction } from './app/script-function.ts';
import { collectCapabilities } from './capabilities.ts';
import { describeThrown, success, toFailure } from './data/failure.ts';
import { toCoreFunctionMetadata } from './data/function-metadata.ts';
import type { Environment } from './environment.ts';
import { workerErrors } from './errors.ts';
import { workerVersion } from './version.ts';

export interface LifecycleDeps extends AppStarterDeps {
  readonly environment: Environment;
  readonly random: Pick<Random, 'uuid'>;
  readonly models: ProgrammingModels;
}

/** What a start came to. */
type Started =
  | { readonly kind: 'started'; readonly capabilities: Map<string, string> }
  | { readonly kind: 'failed'; readonly result: StatusResult };

export class Lifecycle {
  readonly #deps: LifecycleDeps;
  #app = new App('');
  /** The variables that the host gave last; undefined as long as it gave none. */
  #given: ReadonlyMap<string, string> | undefined;
  #hostVersion: string | undefined;

  constructor(deps: LifecycleDeps) {
    this.#deps = deps;
  }

  get app(): App {
    return this.#app;
  }

  /** The host's version, from its first message on. */
  get hostVersion(): string | undefined {
    return this.#hostVersion;
  }

  async init(request: WorkerInitRequest): Promise<WorkerInitResponse> {
    this.#hostVersion = request.hostVersion;
    const started = await this.#open(request.functionAppDirectory);
    return {
      workerVersion: '',
      capabilities: started.kind === 'started' ? started.capabilities : new Map(),
      result: started.kind === 'started' ? success : started.result,
      workerMetadata: this.#metadata(),
    };
  }

  async reload(request: FunctionEnvironmentReloadRequest): Promise<FunctionEnvironmentReloadResponse> {
    const started = await this.#specialize(request);
    return {
      workerMetadata: this.#metadata(request.functionAppDirectory === '' ? [this.#readBack(request)] : []),
      capabilities: started.kind === 'started' ? started.capabilities : new Map(),
      result: started.kind === 'started' ? success : started.result,
      capabilitiesUpdateStrategy: FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy.replace,
    };
  }

  /** The app's functions; or that the host finds them in function.json files; or why there are none. */
  index(): FunctionMetadataResponse {
    const { functions, startError } = this.#app;
    functions.lock();
    const registered = functions.list().flatMap(({ rpc }) => (rpc ? [rpc] : []));
    return {
      functionMetadataResults: startError ? [] : registered,
      result: startError ? toFailure(startError) : success,
      useDefaultMetadataIndexing: !startError && !functions.indexedByWorker,
    };
  }

  async load(request: FunctionLoadRequest): Promise<FunctionLoadResponse> {
    this.#app.functions.lock();
    let result = success;
    try {
      await this.#load(request);
    } catch (thrown) {
      this.#deps.log.system('error', describeThrown(thrown).message);
      result = toFailure(thrown);
    }
    return { functionId: request.functionId, result, isDependencyDownloaded: false };
  }

  async #specialize(request: FunctionEnvironmentReloadRequest): Promise<Started> {
    const { environment, loader, log, models } = this.#deps;
    const { environmentVariables, functionAppDirectory: path } = request;
    log.system(
      'information',
      `Reloading environment variables. Found ${environmentVariables.size} variables to reload.`,
    );
    if (path === '' && this.#given !== undefined) environment.update(this.#given, environmentVariables);
    else environment.replace(environmentVariables);
    this.#given = environmentVariables;
    if (path === '') return await this.#describe();
    log.system('information', `Changing current working directory to ${path}`);
    try {
      environment.changeDirectory(path);
    } catch (thrown) {
      const error = workerErrors.create('WORKING_DIRECTORY_FAILED', { path, reason: messageOf(thrown) }, thrown);
      return { kind: 'failed', result: toFailure(error) };
    }
    loader.forget(path);
    models.reset();
    return await this.#open(path);
  }

  async #open(directory: string): Promise<Started> {
    this.#app = new App(directory);
    if (directory === '') return await this.#describe();
    try {
      await startApp(this.#deps, this.#app);
    } catch (thrown) {
      this.#deps.log.system('error', `An appStart hook threw: ${describeThrown(thrown).message}`);
      return { kind: 'failed', result: toFailure(thrown) };
    }
    return await this.#describe();
  }

  async #describe(): Promise<Started> {
    try {
      return { kind: 'started', capabilities: await collectCapabilities(this.#deps.models.current) };
    } catch (thrown) {
      return { kind: 'failed', result: toFailure(thrown) };
    }
  }

  async #load({ functionId, metadata }: FunctionLoadRequest): Promise<void> {
    const { functions, startError } = this.#app;
    if (startError) throw startError;
    if (functions.indexedByWorker) {
      if (functions.find(functionId)) return;
      const known = functions.list().map((one) => one.metadata.functionId);
      throw workerErrors.create('FUNCTION_NOT_REGISTERED', { id: functionId, known: known.join(', ') || 'none' });
    }
    if (!metadata) throw workerErrors.create('SCRIPT_MISSING', { name: functionId });
    if (metadata.isProxy) return;
    const core = toCoreFunctionMetadata(functionId, metadata);
    functions.put(functionId, await loadScriptFunction(this.#deps.loader, core));
  }

  /** What the environment is by now. */
  #readBack({ environmentVariables }: FunctionEnvironmentReloadRequest): readonly [string, string] {
    const { environment, random } = this.#deps;
    const read = environment.read(environmentVariables.keys());
    return [environmentDigestProperty, digestEnvironment(random.uuid(), read)];
  }

  #metadata(more: readonly (readonly [string, string])[] = []): WorkerMetadata {
    const { environment, models } = this.#deps;
    const { name, version } = models.current;
    return {
      runtimeName: 'node',
      runtimeVersion: environment.runtimeVersion,
      workerVersion,
      workerBitness: environment.bitness,
      customProperties: new Map([['modelName', name], ['modelVersion', version], ...more]),
    };
  }
}
