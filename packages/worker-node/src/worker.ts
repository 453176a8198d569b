/**
 * A Node.js app as its host sees it: what the session asks for, done with the app's code.
 *
 * Ownership: the worker owns its session, and the session the link; whoever made the worker ends the process when
 * `ended` resolves.
 *
 * I1 Functions load one after the other, in the order of their requests: evaluating a module is visible to the next
 *    one. A reload and an invocation wait for the loads that came before them.
 * I2 appTerminate hooks run when the host tells the worker to end, and what they throw is logged.
 * I3 Warming up happens when nothing else is to be done, and its failure harms nobody.
 */
import type { Clock, Random } from '@switchyard/kernel';
import {
  type FunctionEnvironmentReloadRequest,
  type FunctionEnvironmentReloadResponse,
  type FunctionLoadRequest,
  type FunctionLoadResponse,
  type FunctionMetadataResponse,
  type InvocationRequest,
  type InvocationResponse,
  type Link,
  type WorkerApp,
  type WorkerInitRequest,
  type WorkerInitResponse,
  WorkerSession,
  type WorkerSessionEnd,
} from '@switchyard/protocol';
import type { ModuleLoader } from './app/module-loader.ts';
import { ProgrammingModels } from './app/programming-models.ts';
import { type CoreModule, createCoreModule } from './core/core-module.ts';
import { describeThrown } from './data/failure.ts';
import { LongIntegers } from './data/long-integers.ts';
import type { Environment } from './environment.ts';
import { workerErrors } from './errors.ts';
import { runInvocation } from './invocation/invocation.ts';
import { InvocationScope } from './invocation/invocation-scope.ts';
import { Invocations } from './invocation/invocations.ts';
import { Lifecycle } from './lifecycle.ts';
import { workerLimits } from './limits.ts';
import type { DefaultModel } from './model/default-model.ts';
import { workerVersion } from './version.ts';
import type { Warmer } from './warm-up.ts';
import { createWorkerLog, type WorkerLog } from './worker-log.ts';

export interface WorkerDeps {
  readonly link: Link;
  readonly clock: Clock;
  readonly random: Pick<Random, 'uuid'>;
  readonly environment: Environment;
  readonly loader: ModuleLoader;
  readonly defaultModel: DefaultModel;
  readonly warmer: Warmer;
  /** Writes to the process's stderr. */
  readonly complain: (text: string) => void;
}

export interface WorkerOptions {
  readonly workerId: string;
  readonly requestId: string;
}

export class Worker implements WorkerApp {
  /** What apps get as `@azure/functions-core`. */
  readonly core: CoreModule;
  readonly log: WorkerLog;
  readonly scope = new InvocationScope();
  readonly #deps: WorkerDeps;
  readonly #session: WorkerSession;
  readonly #lifecycle: Lifecycle;
  readonly #models: ProgrammingModels;
  readonly #invocations: Invocations;
  readonly #longs = new LongIntegers();
  /** The loads that are under way; undefined while there is none. */
  #loads: Promise<void> | undefined;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
    const { link, clock, random, loader, environment, complain } = deps;
    this.#session = new WorkerSession({ link, clock }, this);
    this.log = createWorkerLog(
      (line) => this.#session.log(line),
      () => this.#lifecycle.app,
    );
    this.#models = new ProgrammingModels(deps.defaultModel);
    deps.defaultModel.bind(this.#models);
    this.#lifecycle = new Lifecycle({ loader, environment, random, complain, log: this.log, models: this.#models });
    this.#invocations = new Invocations(
      { scope: this.scope, onDropped: (error) => this.log.system('error', error.message) },
      workerLimits.invocationsInFlight,
    );
    this.core = createCoreModule({
      workerVersion,
      hostVersion: () => this.#lifecycle.hostVersion,
      app: () => this.#lifecycle.app,
      models: this.#models,
      log: this.log,
    });
  }

  /** Resolves with the reason when there is nothing more to do. */
  get ended(): Promise<WorkerSessionEnd> {
    return this.#session.ended;
  }

  /** Introduces the worker to the host and serves it. To be called once. */
  start({ workerId, requestId }: WorkerOptions): void {
    this.#session.start(workerId, requestId);
  }

  /** Ends the link when everything on its way has left, or after a while. */
  close(): Promise<void> {
    return this.#session.close();
  }

  async init(request: WorkerInitRequest): Promise<WorkerInitResponse> {
    const response = await this.#lifecycle.init(request);
    if (request.functionAppDirectory === '') this.#later(() => this.warmUp());
    return response;
  }

  async reload(request: FunctionEnvironmentReloadRequest): Promise<FunctionEnvironmentReloadResponse> {
    await this.#loads;
    return await this.#lifecycle.reload(request);
  }

  async index(): Promise<FunctionMetadataResponse> {
    const functions = this.#lifecycle.app.functions.list();
    const hasHttp = functions.some(({ metadata }) =>
      Object.values(metadata.bindings).some(({ type }) => String(type).toLowerCase() === 'httptrigger'),
    );
    // The host has routes to build next: time to load what the first request needs.
    if (hasHttp) this.#later(() => this.#deps.warmer.fetch());
    return this.#lifecycle.index();
  }

  load(request: FunctionLoadRequest): Promise<FunctionLoadResponse> {
    const mine = (this.#loads ?? Promise.resolve()).then(() => this.#lifecycle.load(request));
    const settled: Promise<void> = Promise.allSettled([mine]).then(() => {
      if (this.#loads !== settled) return;
      this.#loads = undefined;
      this.#warmModel();
    });
    this.#loads = settled;
    return mine;
  }

  invoke(request: InvocationRequest): Promise<InvocationResponse | undefined> {
    return this.#loads === undefined ? this.#invoke(request) : this.#loads.then(() => this.#invoke(request));
  }

  cancel(invocationId: string): void {
    this.#invocations.cancel(invocationId);
  }

  /** Everything that an app of either model will need. */
  async warmUp(): Promise<void> {
    await this.#deps.warmer.placeholder();
    await this.#deps.defaultModel.warm();
  }

  async terminate(): Promise<void> {
    try {
      await this.#lifecycle.app.terminate((text) => this.log.system('debug', text));
    } catch (thrown) {
      this.log.system('error', `An appTerminate hook threw: ${describeThrown(thrown).message}`);
    }
  }

  #invoke(request: InvocationRequest): Promise<InvocationResponse | undefined> {
    const { app } = this.#lifecycle;
    const { invocationId, functionId: id } = request;
    const called = app.functions.find(id);
    if (app.startError || !called) {
      const error = app.startError ?? workerErrors.create('FUNCTION_NOT_LOADED', { id });
      this.log.system('error', error.message);
      return Promise.resolve(this.#invocations.refuse(invocationId, error));
    }
    const { log } = this;
    return this.#invocations.start(request, called.metadata.name, (cancellation) =>
      runInvocation({ app, model: this.#models.current, longs: this.#longs, log, cancellation }, called, request),
    );
  }

  /** Functions of function.json run on the default model, unless the app has set one. */
  #warmModel(): void {
    const { defaultModel } = this.#deps;
    if (!this.#lifecycle.app.functions.indexedByWorker) this.#later(() => defaultModel.warm());
  }

  /** Runs when the messages at hand are served. Warming up is never worth an error. */
  #later(warm: () => Promise<void>): void {
    this.#deps.clock.schedule(0, () => void warm().catch(() => {}));
  }
}
