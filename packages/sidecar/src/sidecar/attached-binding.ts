/**
 * Attached binding: the placeholder hangs on a Runtime from its start. The Runtime is the worker's host; the sidecar answers
 * what it knows already, has the worker reloaded, and announces it as the worker of an app by WorkerSpecialized.
 *
 * Ownership: the sidecar owns the binding; the binding owns the stream to the Runtime until it is the relay of an app.
 *
 * I1 The worker is initialized once: every further WorkerInitRequest is answered from what it said then, or last.
 * I2 An app for the same Runtime is announced on the stream that is there; for another one that stream is ended in order
 *    first, and the new one is opened after it is gone.
 * I3 Each stream is opened with the next epoch, as who the worker is then: a placeholder, or the worker of its app.
 * I4 The token of an app reaches the Runtime alone, never the worker.
 */
import { createDeferred, type PlatformError, settlesWithin } from '@switchyard/kernel';
import {
  type Assignment,
  type ContentCase,
  contextProperty,
  type FunctionMetadataResponse,
  grpcStatus,
  type MessageContent,
  type StatusResult,
  StatusResult_Status,
  FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy as Strategy,
  toContextProperties,
  type WorkerInitRequest,
  type WorkerInitResponse,
  type WorkerSpecializedResponse,
} from '@switchyard/protocol';
import { connectInTime } from './connect-in-time.ts';
import { type ConnectOutcome, describeEnd, isFinal } from './connect-runtime.ts';
import { sidecarErrors } from './errors.ts';
import type { SidecarLimits } from './limits.ts';
import type { LocalWorker } from './local-worker.ts';
import { Relay } from './relay.ts';
import type { BindingHooks, RuntimeBinding } from './runtime-binding.ts';
import type { RuntimeAttachment, SidecarDeps, SidecarOptions } from './sidecar-contract.ts';
import {
  type AssignedApp,
  reload,
  requireSuccess,
  type SpecializedWorker,
  type WorkerDescription,
} from './specialize.ts';
import { toWorkerContext } from './to-worker-context.ts';
import { toWorkerSpecialized } from './to-worker-specialized.ts';

/** A stream to a Runtime. */
interface Attachment {
  readonly relay: Relay;
  readonly endpoint: string;
  /** True once its Runtime was told of an app. */
  readonly isAnnounced: boolean;
}

/** What a new stream says of the worker: whose it is, and what it can do when that is not what it said at its start. */
interface Introduction {
  readonly assignment: Assignment | undefined;
  readonly app?: SpecializedWorker;
}

export function createAttachedBinding(
  deps: SidecarDeps,
  options: SidecarOptions,
  limits: SidecarLimits,
  hooks: BindingHooks,
): RuntimeBinding {
  return new AttachedBinding(deps, options, limits, hooks);
}

const initKind: ReadonlySet<ContentCase> = new Set<ContentCase>(['workerInitRequest']);

const ignore = (): void => {};

class AttachedBinding implements RuntimeBinding {
  readonly #deps: SidecarDeps;
  readonly #options: SidecarOptions;
  readonly #limits: SidecarLimits;
  readonly #hooks: BindingHooks;
  readonly #home: RuntimeAttachment;
  /** What the worker answered when it was initialized. */
  #init: WorkerInitResponse | undefined;
  #attachment: Attachment | undefined;
  #application = '';
  /** Takes the answer to WorkerSpecialized. */
  #onSpecialized: (response: WorkerSpecializedResponse) => void = ignore;

  constructor(deps: SidecarDeps, options: SidecarOptions, limits: SidecarLimits, hooks: BindingHooks) {
    this.#deps = deps;
    this.#options = options;
    this.#limits = limits;
    this.#hooks = hooks;
    this.#home = options.attachTo ?? { endpoint: '', token: undefined };
  }

  async warmUp(worker: LocalWorker): Promise<WorkerDescription> {
    const outcome = await connectInTime(this.#deps, {
      endpoint: this.#home.endpoint,
      windowMs: this.#limits.reconnectMs,
      backoff: this.#limits.connectBackoff,
      connect: () => this.#attach(worker, this.#home, { assignment: this.#home.application }),
      isWanted: () => worker.isConnected,
    });
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind === 'unwanted' || this.#init === undefined) {
      const { workerId } = this.#options;
      throw sidecarErrors.create('SIDECAR_WORKER_LOST', { workerId, state: 'warming', reason: 'its stream ended' });
    }
    const { relay } = outcome;
    void relay.runtime.closed.then((end) => {
      if (this.#attachment?.relay === relay) this.#attachment = undefined;
      this.#hooks.onPlaceholderLost(relay, end);
    });
    return { capabilities: this.#init.capabilities, metadata: this.#init.workerMetadata };
  }

  async specialize(worker: LocalWorker, placeholder: WorkerDescription, app: AssignedApp): Promise<SpecializedWorker> {
    const hostJson = await this.#deps.readHostJson?.(app.scriptRoot);
    const description = await reload(worker, placeholder, app, this.#options);
    // The Runtime asks for the functions itself.
    const useDefaultIndexing = !this.#options.traits.workerIndexing;
    const known = { ...app, ...description, functions: [], useDefaultIndexing };
    return hostJson === undefined ? known : { ...known, hostJson };
  }

  async connect(worker: LocalWorker, app: SpecializedWorker): Promise<ConnectOutcome> {
    const { runtimeEndpoint: endpoint, token } = app.assignment;
    this.#application = app.assignment.application.applicationId;
    const here = this.#attachment;
    if (here !== undefined && here.endpoint === endpoint && !here.isAnnounced) {
      this.#attachment = { ...here, isAnnounced: true };
      here.relay.send(toReloadResponse(app));
      return await this.#announce(worker, here.relay, app);
    }
    if (here !== undefined) await this.#leave(here);
    const attached = await this.#attach(worker, { endpoint, token }, { assignment: app.assignment, app });
    return attached.kind === 'connected' ? await this.#announce(worker, attached.relay, app) : attached;
  }

  /** Ends a stream in order, so that what was sent on it arrives. */
  async #leave({ relay }: Attachment): Promise<void> {
    this.#attachment = undefined;
    this.#hooks.onOpen(undefined);
    relay.end();
    await settlesWithin(this.#deps.clock, this.#limits.farewellMs, relay.runtime.closed);
    relay.close();
  }

  /** Opens a stream by StartStream, up to the answered WorkerInitRequest. A stream that does not come so far is closed. */
  async #attach(
    worker: LocalWorker,
    { endpoint, token }: Pick<RuntimeAttachment, 'endpoint' | 'token'>,
    { assignment, app }: Introduction,
  ): Promise<ConnectOutcome> {
    const { clock } = this.#deps;
    const { workerId } = this.#options;
    const { connectResponseMs: timeoutMs } = this.#limits;
    const attached = createDeferred<ConnectOutcome>();
    const relay: Relay = new Relay(worker, this.#deps.dial(endpoint, token), {
      ...this.#hooks.relay,
      alsoConsumes: initKind,
      rewrites: new Map([['functionMetadataResponse', (content) => this.#withApplication(content)]]),
      onControl: (content, requestId) => {
        if (content.$case === 'workerSpecializedResponse') this.#onSpecialized(content.value);
        else if (content.$case !== 'workerInitRequest') this.#hooks.relay.onControl(content, requestId);
        else {
          this.#initialize(worker, content.value, app).then(
            (value) => {
              relay.send({ $case: 'workerInitResponse', value }, requestId);
              attached.resolve({ kind: 'connected', relay });
            },
            (error: PlatformError) => attached.resolve({ kind: 'refused', error }),
          );
        }
      },
    });
    const timer = clock.schedule(timeoutMs, () =>
      attached.resolve({ kind: 'unreachable', reason: `no WorkerInitRequest came within ${timeoutMs} ms` }),
    );
    void relay.runtime.closed.then((end) =>
      attached.resolve(
        isFinal(end)
          ? refused(endpoint, workerId, end.code, end.message)
          : { kind: 'unreachable', reason: describeEnd(end) },
      ),
    );
    const properties = toContextProperties(toWorkerContext(this.#options, assignment, this.#hooks.nextEpoch()));
    if (assignment !== undefined) properties.set(contextProperty.announcesApp, 'true');
    relay.send({ $case: 'startStream', value: { workerId, properties } });
    relay.open();
    // Lines of an app have no home here before the stream is announced as its worker's.
    if (app !== undefined) worker.hold();
    const outcome = await attached.promise;
    timer.cancel();
    if (outcome.kind === 'connected') {
      this.#attachment = { relay, endpoint, isAnnounced: app !== undefined };
      this.#hooks.onOpen(app === undefined ? relay : undefined);
    } else relay.close();
    return outcome;
  }

  /** The worker's answer to WorkerInitRequest: its own the first time, and later what is known of it. */
  async #initialize(
    worker: LocalWorker,
    request: WorkerInitRequest,
    app: SpecializedWorker | undefined,
  ): Promise<WorkerInitResponse> {
    const { traits, workerId } = this.#options;
    if (this.#init === undefined) {
      const content = { $case: 'workerInitRequest', value: request } as const;
      const answer = await worker.ask(content, 'workerInitResponse', traits.initializationTimeoutMs);
      requireSuccess(workerId, 'WorkerInitResponse', answer.result);
      this.#init = { ...answer, workerVersion: answer.workerVersion || (answer.workerMetadata?.workerVersion ?? '') };
    }
    if (app === undefined) return this.#init;
    return { ...this.#init, capabilities: new Map(app.capabilities), workerMetadata: app.metadata };
  }

  /** Says whose worker this is now, and waits until the Runtime has made it so. */
  async #announce(worker: LocalWorker, relay: Relay, app: SpecializedWorker): Promise<ConnectOutcome> {
    const { clock } = this.#deps;
    const { specializedResponseMs: timeoutMs } = this.#limits;
    const { workerId } = this.#options;
    const { runtimeEndpoint: endpoint } = app.assignment;
    const answered = createDeferred<ConnectOutcome>();
    const onSpecialized = ({ result }: WorkerSpecializedResponse): void =>
      answered.resolve(
        result?.status === StatusResult_Status.Success
          ? { kind: 'connected', relay }
          : refused(endpoint, workerId, grpcStatus.failedPrecondition, reasonOf(result)),
      );
    this.#onSpecialized = onSpecialized;
    const timer = clock.schedule(timeoutMs, () =>
      answered.resolve({ kind: 'unreachable', reason: `no WorkerSpecializedResponse came within ${timeoutMs} ms` }),
    );
    void relay.runtime.closed.then((end) =>
      answered.resolve(
        isFinal(end)
          ? refused(endpoint, workerId, end.code, end.message)
          : { kind: 'unreachable', reason: describeEnd(end) },
      ),
    );
    const correlationId = this.#deps.random.uuid();
    const { token } = app.assignment;
    const fresh = {
      ...app,
      assignment: { ...app.assignment, token: token && (this.#deps.freshest?.(token) ?? token) },
    };
    relay.send({ $case: 'workerSpecialized', value: toWorkerSpecialized(fresh, this.#options, correlationId) });
    // What the app has said so far belongs behind the message that makes it the worker's app.
    worker.release();
    this.#hooks.onOpen(relay);
    const outcome = await answered.promise;
    timer.cancel();
    this.#onSpecialized = ignore;
    if (outcome.kind !== 'connected') {
      this.#attachment = undefined;
      this.#hooks.onOpen(undefined);
      relay.close();
    }
    return outcome;
  }

  /** Functions say whose they are. */
  #withApplication(content: MessageContent): MessageContent {
    if (content.$case !== 'functionMetadataResponse' || this.#application === '') return content;
    const value: FunctionMetadataResponse = {
      ...content.value,
      functionMetadataResults: content.value.functionMetadataResults.map((one) => ({
        ...one,
        properties: new Map([...one.properties, ['ApplicationId', this.#application]]),
      })),
    };
    return { $case: 'functionMetadataResponse', value };
  }
}

/** Tells the Runtime what the worker can do with its app. */
function toReloadResponse({ capabilities, metadata }: SpecializedWorker): MessageContent {
  const value = {
    workerMetadata: metadata,
    capabilities: new Map(capabilities),
    result: { status: StatusResult_Status.Success, result: '', exception: undefined, logs: [] },
    capabilitiesUpdateStrategy: Strategy.replace,
  };
  return { $case: 'functionEnvironmentReloadResponse', value };
}

function reasonOf(result: StatusResult | undefined): string {
  return result?.exception?.message || result?.result || 'no reason was given';
}

function refused(endpoint: string, workerId: string, status: number, reason: string): ConnectOutcome {
  const error = sidecarErrors.create('SIDECAR_RUNTIME_REFUSED', { endpoint, workerId, status, reason });
  return { kind: 'refused', error };
}
