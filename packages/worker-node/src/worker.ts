/**
 * One connection to a host, from StartStream to the end. Messages that change the app (init, reload, index, load) run
 * one after the other, in the order in which they came; invocations run side by side, each after the changes that came
 * before it; everything else is answered at once.
 *
 * Phases: connected -> initialized -> ending -> ended.
 * Ownership: the worker owns the link; whoever made the worker ends the process when `ended` resolves.
 *
 * I1 StartStream is the first frame, and answers carry the id of their request.
 * I2 No message of the host, however malformed, ends the worker: it is logged, and the next one is served.
 * I3 `ended` resolves exactly once: after WorkerTerminate, the end of the host's stream, or the loss of the connection.
 * I4 appTerminate hooks run on WorkerTerminate and never longer than its grace period.
 */
import {
  type Clock,
  createDeferred,
  type Edges,
  messageOf,
  StateMachine,
  settlesWithin,
  sleep,
} from '@switchyard/kernel';
import {
  type FunctionLoadResponse,
  grpcStatus,
  type InvocationRequest,
  type Link,
  type LinkEnd,
  type MessageContent,
  Outbox,
  StreamingMessage,
} from '@switchyard/protocol';
import type { ModuleLoader } from './app/module-loader.ts';
import { ProgrammingModels } from './app/programming-models.ts';
import { type CoreModule, createCoreModule } from './core/core-module.ts';
import { describeThrown, success, toFailure } from './data/failure.ts';
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

/** Why a worker ended. */
export type WorkerEnd =
  | { readonly kind: 'terminated' | 'host-ended' }
  | { readonly kind: 'connection-lost'; readonly error: Error };

type State =
  | { readonly kind: 'connected' | 'initialized' | 'ending' }
  | { readonly kind: 'ended'; readonly end: WorkerEnd };

const edges: Edges<State['kind']> = {
  connected: ['initialized', 'ending', 'ended'],
  initialized: ['ending', 'ended'],
  ending: ['ended'],
  ended: [],
};

type Case = MessageContent['$case'];
type Handler<Body> = (requestId: string, body: Body) => void;
type Handlers = { readonly [Kind in Case]?: Handler<Extract<MessageContent, { $case: Kind }>['value']> };

/** Messages that a host may send and nobody here has a use for. */
const ignored: ReadonlySet<Case> = new Set<Case>([
  'workerHeartbeat',
  'fileChangeEventRequest',
  'closeSharedMemoryResourcesRequest',
]);

export class Worker {
  /** What apps get as `@azure/functions-core`. */
  readonly core: CoreModule;
  readonly log: WorkerLog;
  readonly scope = new InvocationScope();
  readonly #deps: WorkerDeps;
  readonly #outbox: Outbox;
  readonly #lifecycle: Lifecycle;
  readonly #models: ProgrammingModels;
  readonly #invocations: Invocations;
  readonly #handlers: Handlers;
  readonly #longs = new LongIntegers();
  readonly #ended = createDeferred<WorkerEnd>();
  readonly #state = new StateMachine<State>({ kind: 'connected' }, edges);
  /** The changes that are under way; undefined while there is none. */
  #changes: Promise<void> | undefined;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
    const { link, loader, environment, complain } = deps;
    this.#outbox = new Outbox(link, workerLimits.waitingLogs);
    this.log = createWorkerLog(this.#outbox, () => this.#lifecycle.app);
    this.#models = new ProgrammingModels(deps.defaultModel);
    deps.defaultModel.bind(this.#models);
    this.#lifecycle = new Lifecycle({ loader, environment, complain, log: this.log, models: this.#models });
    this.#invocations = new Invocations(
      {
        scope: this.scope,
        answer: (requestId, value) => this.#outbox.send(requestId, { $case: 'invocationResponse', value }),
        onDropped: (error) => this.log.system('error', error.message),
      },
      workerLimits.invocationsInFlight,
    );
    this.#handlers = this.#createHandlers();
    this.core = createCoreModule({
      workerVersion,
      hostVersion: () => this.#lifecycle.hostVersion,
      app: () => this.#lifecycle.app,
      models: this.#models,
      log: this.log,
    });
  }

  /** Resolves with the reason when there is nothing more to do. */
  get ended(): Promise<WorkerEnd> {
    return this.#ended.promise;
  }

  /** Introduces the worker to the host and serves it. To be called once. */
  start({ workerId, requestId }: WorkerOptions): void {
    const { link } = this.#deps;
    this.#outbox.send(requestId, { $case: 'startStream', value: { workerId, properties: new Map() } });
    // The end of the host's direction brings its status with it: `closed` knows it.
    link.receive({ frame: (bytes) => this.#receive(bytes), end: () => link.end() });
    void link.closed.then((end) => this.#onClosed(end));
  }

  /** Ends the link when everything on its way has left, after at most `workerLimits.farewellMs`. */
  async close(): Promise<void> {
    const { link, clock } = this.#deps;
    link.end();
    await settlesWithin(clock, workerLimits.farewellMs, Promise.race([link.closed, this.#emptied()]));
  }

  /** A host that does not end its direction is not waited for. */
  async #emptied(): Promise<void> {
    const { link, clock } = this.#deps;
    do await sleep(clock, workerLimits.farewellStepMs);
    while (link.bufferedBytes > 0);
  }

  #receive(bytes: Uint8Array): void {
    let message: StreamingMessage;
    try {
      message = StreamingMessage.decode(bytes);
    } catch (thrown) {
      const details = { sizeBytes: bytes.length, reason: messageOf(thrown) };
      this.log.system('error', workerErrors.create('MESSAGE_UNREADABLE', details).message);
      return;
    }
    const { requestId, content } = message;
    if (content) this.#dispatch(requestId, content);
    else this.log.system('warning', 'The host sent a message of a kind that this worker does not know.');
  }

  #dispatch(requestId: string, content: MessageContent): void {
    const handler = this.#handlers[content.$case] as Handler<unknown> | undefined;
    if (handler) handler(requestId, content.value);
    else if (!ignored.has(content.$case))
      this.log.system('warning', `The host sent ${content.$case}, which is not for a worker; it was ignored.`);
  }

  /** What is done with each kind of message. */
  #createHandlers(): Handlers {
    const send = (requestId: string, content: MessageContent): void => this.#outbox.send(requestId, content);
    const lifecycle = this.#lifecycle;
    return {
      invocationRequest: (id, request) => this.#whenReady('invocationRequest', () => this.#invoke(id, request)),
      invocationCancel: (_id, { invocationId }) => this.#invocations.cancel(invocationId),
      workerStatusRequest: (id) => send(id, { $case: 'workerStatusResponse', value: {} }),
      workerInitRequest: (id, request) => {
        if (this.#state.allows('initialized')) this.#state.transition({ kind: 'initialized' });
        this.#change(async () => {
          send(id, await lifecycle.init(request));
          if (request.functionAppDirectory === '') this.#later(() => this.#warmUp());
        });
      },
      functionEnvironmentReloadRequest: (id, request) =>
        this.#changeWhenReady('functionEnvironmentReloadRequest', async () =>
          send(id, await lifecycle.reload(request)),
        ),
      functionsMetadataRequest: (id) => this.#changeWhenReady('functionsMetadataRequest', async () => this.#index(id)),
      functionLoadRequest: (id, request) =>
        this.#changeWhenReady('functionLoadRequest', async () => {
          send(id, { $case: 'functionLoadResponse', value: await lifecycle.load(request) });
          this.#warmModel();
        }),
      functionLoadRequestCollection: (id, { functionLoadRequests }) =>
        this.#changeWhenReady('functionLoadRequestCollection', async () => {
          const functionLoadResponses: FunctionLoadResponse[] = [];
          for (const request of functionLoadRequests) functionLoadResponses.push(await lifecycle.load(request));
          send(id, { $case: 'functionLoadResponseCollection', value: { functionLoadResponses } });
          this.#warmModel();
        }),
      workerWarmupRequest: (id) =>
        this.#change(async () => {
          const result = await this.#warmUp().then(() => success, toFailure);
          send(id, { $case: 'workerWarmupResponse', value: { result } });
        }),
      workerTerminate: (_id, { gracePeriod }) => this.#terminate(Number(gracePeriod?.seconds ?? 0n) * 1000),
    };
  }

  #index(requestId: string): void {
    this.#outbox.send(requestId, this.#lifecycle.index());
    const functions = this.#lifecycle.app.functions.list();
    const http = functions.some(({ metadata }) =>
      Object.values(metadata.bindings).some(({ type }) => String(type).toLowerCase() === 'httptrigger'),
    );
    // The host has routes to build now: time to load what the first request needs.
    if (http) this.#later(() => this.#deps.warmer.fetch());
  }

  #invoke(requestId: string, request: InvocationRequest): void {
    const { app } = this.#lifecycle;
    const { invocationId, functionId: id } = request;
    const called = app.functions.find(id);
    if (app.startError || !called) {
      const error = app.startError ?? workerErrors.create('FUNCTION_NOT_LOADED', { id });
      this.log.system('error', error.message);
      this.#invocations.refuse(requestId, invocationId, error);
      return;
    }
    const { log } = this;
    this.#invocations.start(requestId, request, called.metadata.name, (cancellation) =>
      runInvocation({ app, model: this.#models.current, longs: this.#longs, log, cancellation }, called, request),
    );
  }

  /** Runs at once, or after the changes that came before. */
  #whenReady(kind: Case, body: () => void): void {
    if (this.#state.kind === 'connected')
      this.log.system('error', workerErrors.create('MESSAGE_UNEXPECTED', { kind }).message);
    else if (this.#changes) void this.#changes.then(body);
    else body();
  }

  #changeWhenReady(kind: Case, body: () => Promise<void>): void {
    if (this.#state.kind === 'connected')
      this.log.system('error', workerErrors.create('MESSAGE_UNEXPECTED', { kind }).message);
    else this.#change(body);
  }

  #change(body: () => Promise<void>): void {
    const mine = (this.#changes ?? Promise.resolve()).then(body).catch((thrown) => {
      this.log.system('critical', `The worker failed: ${describeThrown(thrown).stackTrace}`);
    });
    this.#changes = mine;
    void mine.then(() => {
      if (this.#changes === mine) this.#changes = undefined;
    });
  }

  /** Everything that an app of either model will need. */
  async #warmUp(): Promise<void> {
    await this.#deps.warmer.placeholder();
    await this.#deps.defaultModel.warm();
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

  #terminate(gracePeriodMs: number): void {
    if (!this.#state.allows('ending')) return;
    this.#state.transition({ kind: 'ending' });
    const hooks = this.#lifecycle.app.terminate().catch((thrown) => {
      this.log.system('error', `An appTerminate hook threw: ${describeThrown(thrown).message}`);
    });
    const graceMs = gracePeriodMs > 0 ? gracePeriodMs : workerLimits.terminateGraceMs;
    void settlesWithin(this.#deps.clock, graceMs, hooks).then(() => this.#end({ kind: 'terminated' }));
  }

  #onClosed({ code, message }: LinkEnd): void {
    if (code === grpcStatus.ok) {
      this.#end({ kind: 'host-ended' });
      return;
    }
    const details = { peer: this.#deps.link.peer, reason: message, status: code };
    this.#end({ kind: 'connection-lost', error: workerErrors.create('WORKER_CONNECTION_LOST', details) });
  }

  #end(end: WorkerEnd): void {
    if (!this.#state.allows('ended')) return;
    this.#state.transition({ kind: 'ended', end });
    this.#ended.resolve(end);
  }
}
