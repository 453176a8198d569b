/**
 * The app behind a custom handler, as a language worker serves it: the handler is started when the host introduces the
 * app, functions are loaded when the handler takes requests, invocations become HTTP requests.
 *
 * Phases: Empty (no app, or one that cannot be served) -> Serving -> Empty (a reload) ... -> Closed; a handler that fails
 * leads from Serving to Failing, from where only a reload or the end leads on.
 * Ownership: one per session; it owns the handler and every invocation in flight. The handler lives on the state.
 *
 * I1 At most one handler runs, and a reload ends the old one before it starts the new one.
 * I2 A handler that ends by itself, or does not get ready, is reported through `onFailure`, once.
 * I3 A function is loaded when the handler is ready, and not before.
 * I4 Every invocation gets one answer, but for those that a dying handler took with it: they get none.
 * I5 A cancelled invocation ends its request to the handler.
 * I6 After `terminate` no handler runs.
 */
import { type Edges, type PlatformError, StateMachine, settlesWithin, TransientMap } from '@switchyard/kernel';
import {
  type FunctionEnvironmentReloadRequest,
  type FunctionEnvironmentReloadResponse,
  FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy,
  type FunctionLoadRequest,
  type FunctionLoadResponse,
  type FunctionMetadataResponse,
  type InvocationRequest,
  type InvocationResponse,
  type RpcLog,
  RpcLog_RpcLogCategory,
  type StatusResult,
  type WorkerApp,
  type WorkerInitRequest,
  type WorkerInitResponse,
} from '@switchyard/protocol';
import { type AppSettings, readAppSettings } from './app-settings.ts';
import { customWorkerErrors } from './errors.ts';
import { Handler, type HandlerDeps } from './handler/handler.ts';
import { toHandlerLaunch } from './handler/handler-launch.ts';
import { toRouteFunctions } from './http-routes.ts';
import { type InvocationDeps, type InvocationEnd, runInvocation } from './invocation.ts';
import { type LoadedFunction, toLoadedFunction } from './loaded-function.ts';
import { succeeded, toCancelled, toFailure } from './results.ts';
import { toWorkerMetadata, workerCapabilities } from './worker-description.ts';

export interface CustomAppDeps extends HandlerDeps, InvocationDeps {
  readonly files: {
    readonly readText: (path: string) => Promise<string | undefined>;
    readonly hasFile: (path: string) => boolean;
  };
  /** Sends a log line to the host. */
  readonly log: (line: Partial<RpcLog> & { readonly message: string }) => void;
  /** Called when the worker is of no more use. */
  readonly onFailure: (error: PlatformError) => void;
}

export interface CustomAppOptions {
  readonly workerId: string;
  /** Where the host is, with a slash at the end. */
  readonly hostUri: string;
  /** The environment that the process was started with. */
  readonly environment: Readonly<Record<string, string>>;
}

type State =
  | { readonly kind: 'Empty' }
  | {
      readonly kind: 'Serving';
      readonly handler: Handler;
      readonly settings: AppSettings;
      readonly functions: Map<string, LoadedFunction>;
    }
  | { readonly kind: 'Failing'; readonly handler: Handler }
  | { readonly kind: 'Closed'; readonly done: Promise<void> };

const edges: Edges<State['kind']> = {
  Empty: ['Serving', 'Closed'],
  Serving: ['Empty', 'Failing', 'Closed'],
  Failing: ['Empty', 'Closed'],
  Closed: [],
};

export class CustomApp implements WorkerApp {
  readonly #deps: CustomAppDeps;
  readonly #workerId: string;
  readonly #hostUri: string;
  readonly #machine = new StateMachine<State>({ kind: 'Empty' }, edges);
  readonly #inFlight = new TransientMap<string, AbortController>();
  #environment: Readonly<Record<string, string>>;
  #hostVersion = '';

  constructor(deps: CustomAppDeps, { workerId, hostUri, environment }: CustomAppOptions) {
    this.#deps = deps;
    this.#workerId = workerId;
    this.#hostUri = hostUri;
    this.#environment = environment;
  }

  async init(request: WorkerInitRequest): Promise<WorkerInitResponse> {
    this.#hostVersion = request.hostVersion;
    const isPlaceholder = this.#environment.WEBSITE_PLACEHOLDER_MODE === '1' || request.functionAppDirectory === '';
    const result = isPlaceholder ? succeeded : await this.#open(request.functionAppDirectory);
    return { workerVersion: '', capabilities: workerCapabilities(), result, workerMetadata: toWorkerMetadata() };
  }

  async reload(request: FunctionEnvironmentReloadRequest): Promise<FunctionEnvironmentReloadResponse> {
    this.#environment = Object.fromEntries(request.environmentVariables);
    const result = await this.#open(request.functionAppDirectory);
    return {
      workerMetadata: toWorkerMetadata(),
      capabilities: workerCapabilities(),
      result,
      capabilitiesUpdateStrategy: FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy.replace,
    };
  }

  /** Functions come from function.json files, unless host.json describes routes. */
  async index(): Promise<FunctionMetadataResponse> {
    const { state } = this.#machine;
    const { routes = [], scriptRoot = '' } = state.kind === 'Serving' ? state.settings : {};
    return {
      functionMetadataResults: toRouteFunctions(routes, scriptRoot),
      result: succeeded,
      useDefaultMetadataIndexing: routes.length === 0,
    };
  }

  async load({ functionId, metadata }: FunctionLoadRequest): Promise<FunctionLoadResponse> {
    const answer = (result: StatusResult): FunctionLoadResponse => ({
      functionId,
      result,
      isDependencyDownloaded: false,
    });
    const { state } = this.#machine;
    if (state.kind !== 'Serving' || metadata === undefined) {
      return answer(toFailure(customWorkerErrors.create('CUSTOM_WORKER_WITHOUT_APP')));
    }
    state.functions.set(functionId, toLoadedFunction(metadata));
    return state.handler.ready.then(
      () => answer(succeeded),
      (thrown) => answer(toFailure(thrown)),
    );
  }

  async invoke(request: InvocationRequest): Promise<InvocationResponse | undefined> {
    const { invocationId } = request;
    const answer = (result: StatusResult, end?: Extract<InvocationEnd, { kind: 'succeeded' }>): InvocationResponse => ({
      invocationId,
      outputData: end?.outputData ?? [],
      returnValue: end?.returnValue,
      result,
      traceContextAttributes: new Map(),
    });
    try {
      const end = await this.#run(request);
      switch (end.kind) {
        case 'succeeded':
          return answer(succeeded, end);
        case 'failed':
          return answer(toFailure(end.error));
        case 'cancelled':
          return answer(toCancelled(end.error));
        case 'broken':
          return (await this.#isDying()) ? undefined : answer(toFailure(end.error));
      }
    } catch (thrown) {
      return answer(toFailure(thrown));
    }
  }

  cancel(invocationId: string): void {
    this.#inFlight.get(invocationId)?.abort();
  }

  async warmUp(): Promise<void> {}

  async terminate(graceMs: number): Promise<void> {
    const { state } = this.#machine;
    if (state.kind === 'Closed') return state.done;
    const done = 'handler' in state ? state.handler.stop(graceMs) : Promise.resolve();
    this.#machine.transition({ kind: 'Closed', done });
    await done;
    this.#deps.client.close();
  }

  /** Starts the handler of an app; what is wrong with the app is a failed result. */
  async #open(scriptRoot: string): Promise<StatusResult> {
    const { files, network, limits } = this.#deps;
    await this.#leave();
    try {
      const settings = await readAppSettings({ scriptRoot, environment: this.#environment, readText: files.readText });
      const port = settings.handler.port ?? (await network.freePort());
      const ids = { workerId: this.#workerId, hostUri: this.#hostUri };
      const place = { scriptRoot, ...ids, port, environment: this.#environment };
      if (!this.#machine.allows('Serving')) return toFailure(customWorkerErrors.create('CUSTOM_WORKER_WITHOUT_APP'));
      const handler = new Handler(this.#deps, {
        launch: toHandlerLaunch(settings.handler, { ...place, hasFile: files.hasFile }),
        port,
        initializationTimeoutMs: settings.handler.initializationTimeoutMs,
        readyPollMs: limits.readyPollMs,
        terminationGraceMs: limits.terminationGraceMs,
      });
      this.#machine.transition({ kind: 'Serving', handler, settings, functions: new Map() });
      this.#watch(handler);
      return succeeded;
    } catch (thrown) {
      return toFailure(thrown);
    }
  }

  async #leave(): Promise<void> {
    const { state } = this.#machine;
    if (!('handler' in state)) return;
    this.#machine.transition({ kind: 'Empty' });
    await state.handler.stop();
  }

  /** A handler that is not wanted any more may fail as it likes. */
  #watch(handler: Handler): void {
    const report = (error: PlatformError): void => {
      const { state } = this.#machine;
      if (state.kind !== 'Serving' || state.handler !== handler) return;
      this.#machine.transition({ kind: 'Failing', handler });
      this.#deps.onFailure(error);
    };
    handler.ready.catch(report);
    void handler.ended.then(({ error }) => report(error));
  }

  async #run(request: InvocationRequest): Promise<InvocationEnd> {
    const { invocationId, functionId } = request;
    const { state } = this.#machine;
    const called = state.kind === 'Serving' ? state.functions.get(functionId) : undefined;
    if (state.kind !== 'Serving' || called === undefined) {
      return { kind: 'failed', error: customWorkerErrors.create('CUSTOM_FUNCTION_UNKNOWN', { functionId }) };
    }
    const limit = this.#deps.limits.invocationsInFlight;
    if (this.#inFlight.size >= limit) {
      return { kind: 'failed', error: customWorkerErrors.create('CUSTOM_INVOCATIONS_EXHAUSTED', { limit }) };
    }
    const { handler, settings } = state;
    const controller = new AbortController();
    this.#inFlight.set(invocationId, controller);
    try {
      const plan = {
        called,
        port: handler.port,
        hostVersion: this.#hostVersion,
        forwards: settings.handler.enableForwardingHttpRequest,
        functionTimeoutMs: settings.functionTimeoutMs,
        signal: controller.signal,
      };
      const end = await runInvocation(this.#deps, plan, request);
      if (end.kind === 'succeeded') this.#relayLogs(end.logs, called, invocationId);
      return end;
    } finally {
      this.#inFlight.delete(invocationId);
    }
  }

  /** True when the handler is gone, or goes within a moment: a reset connection is often the first one hears of it. */
  async #isDying(): Promise<boolean> {
    const { state } = this.#machine;
    if (state.kind !== 'Serving') return true;
    return settlesWithin(this.#deps.clock, this.#deps.limits.deathNoticeMs, state.handler.ended);
  }

  #relayLogs(logs: readonly string[], { name }: LoadedFunction, invocationId: string): void {
    for (const message of logs) {
      this.#deps.log({
        message,
        invocationId,
        category: `Function.${name}.User`,
        logCategory: RpcLog_RpcLogCategory.User,
      });
    }
  }
}
