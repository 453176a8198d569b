/**
 * Brings one worker from its StartStream, or from the WorkerConnect or WorkerSpecialized of its sidecar, to the point where
 * it has loaded every function. A worker that came by WorkerConnect is initialized and indexed already, one that was
 * specialized is initialized.
 *
 * Phases: Initializing -> Indexing (only for the one worker that is asked) -> Waiting (until the app's functions are
 * known) -> Loading -> Done; any -> Failed. Ownership: the stream owns it while it is handshaking. Answers are matched by
 * their type and function id, never by request id: the Python worker answers with an id of its own.
 *
 * I1 A worker is asked for its functions only when the plan's gate asks it; a worker without indexing never is.
 * I2 Done is reached once, after every load request was answered, well or not.
 * I3 Every phase that waits for the worker has a deadline; passing it is a failure, reported once.
 * I4 An answer that the phase does not wait for changes nothing.
 * I5 A sidecar is answered once: well after the load requests were sent, by the stream's end otherwise.
 */
import { type Clock, type PlatformError, StateMachine, type Timer } from '@switchyard/kernel';
import {
  type FunctionLoadRequest,
  type FunctionLoadResponse,
  type FunctionMetadataResponse,
  type MessageContent,
  type RpcFunctionMetadata,
  StatusResult_Status,
  StreamingMessage,
  type WorkerConnect,
  type WorkerInitRequest,
  type WorkerInitResponse,
  type WorkerSpecializedResponse,
} from '@switchyard/protocol';
import { type RuntimeErrorCode, runtimeErrors } from '../errors.ts';
import { quoteStderr } from '../stderr-quote.ts';
import { parseCapabilities } from '../worker-registry/capabilities.ts';
import type { Worker } from '../worker-registry/worker.ts';
import { succeeded, toError } from './status-result.ts';

/** What the app's JobHost contributes to a handshake. */
export interface HandshakePlan {
  readonly initRequest: WorkerInitRequest;
  readonly initTimeoutMs: number;
  readonly metadataTimeoutMs: number;
  readonly loadTimeoutMs: number;
  readonly functionAppDirectory: string;
  /** The worker is initialized and wants to know what to load. */
  join(participant: IndexParticipant): void;
  /** It will not go on. */
  leave(participant: IndexParticipant): void;
  /** The answer of the participant that was asked. */
  indexed(participant: IndexParticipant, response: FunctionMetadataResponse): void;
  /** The worker comes with its functions and wants to know what to load. */
  offered(participant: IndexParticipant, offer: FunctionOffer): void;
}

/** The functions that a worker brings along in WorkerConnect. */
export interface FunctionOffer {
  readonly functions: readonly RpcFunctionMetadata[];
  /** The worker leaves it to the Runtime to read function.json. */
  readonly useDefaultIndexing: boolean;
}

/** A worker on its way to the app's functions. Exactly one of a JobHost is asked; all are told what to load. */
export interface IndexParticipant {
  readonly workerId: string;
  ask(): void;
  load(requests: readonly FunctionLoadRequest[]): void;
  fail(error: PlatformError): void;
}

export interface HandshakeEvents {
  readonly initialized: () => void;
  readonly done: () => void;
  readonly failed: (error: PlatformError) => void;
}

type Phase =
  | { readonly kind: 'initializing'; readonly deadline: Timer }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'indexing'; readonly deadline: Timer }
  | { readonly kind: 'loading'; readonly deadline: Timer; readonly missing: Map<string, string> }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed' };

const edges = {
  initializing: ['waiting', 'failed'],
  waiting: ['indexing', 'loading', 'failed'],
  indexing: ['waiting', 'failed'],
  loading: ['done', 'failed'],
  done: [],
  failed: [],
} as const;

export class Handshake implements IndexParticipant {
  readonly #clock: Clock;
  readonly #worker: Worker;
  readonly #plan: HandshakePlan;
  readonly #events: HandshakeEvents;
  readonly #machine: StateMachine<Phase>;
  /** What the worker's sidecar is told when the load requests were sent. */
  #goodNews: MessageContent | undefined;

  constructor(clock: Clock, worker: Worker, plan: HandshakePlan, events: HandshakeEvents) {
    this.#clock = clock;
    this.#worker = worker;
    this.#plan = plan;
    this.#events = events;
    const deadline = this.#deadline('WORKER_INIT_TIMEOUT', plan.initTimeoutMs);
    this.#machine = new StateMachine<Phase>({ kind: 'initializing', deadline }, edges, (from) => {
      if ('deadline' in from) from.deadline.cancel();
    });
  }

  get workerId(): string {
    return this.#worker.workerId;
  }

  get phase(): Phase['kind'] {
    return this.#machine.kind;
  }

  start(): void {
    this.#send({ $case: 'workerInitRequest', value: this.#plan.initRequest });
  }

  /** Takes what a sidecar found out in the host's place. */
  startConnected(message: WorkerConnect): void {
    const hostCapabilities = this.#plan.initRequest.capabilities;
    const value = { result: success, hostCapabilities, functionLoadRequests: [] };
    this.#goodNews = { $case: 'workerConnectResponse', value };
    this.#worker.describe({
      capabilities: parseCapabilities(message.workerCapabilities),
      advertised: message.workerCapabilities,
      metadata: message.workerMetadata,
    });
    this.#machine.transition({ kind: 'waiting' });
    this.#events.initialized();
    this.#plan.offered(this, {
      functions: message.functionMetadata,
      useDefaultIndexing: message.useDefaultMetadataIndexing,
    });
  }

  /** Goes on with a worker that waited for its app: it is initialized, and was reloaded. */
  startSpecialized(answer: Omit<WorkerSpecializedResponse, 'result'>): void {
    this.#goodNews = { $case: 'workerSpecializedResponse', value: { ...answer, result: success } };
    this.#machine.transition({ kind: 'waiting' });
    this.#events.initialized();
    this.#plan.join(this);
  }

  /** True while the worker's sidecar waits to hear whether the worker was taken. */
  get awaitsAnswer(): boolean {
    return this.#goodNews !== undefined;
  }

  /** Gives up without a report: the stream is gone. */
  stop(): void {
    if (this.#machine.allows('failed')) this.#machine.transition({ kind: 'failed' });
    this.#plan.leave(this);
  }

  /** An answer of the worker. False when the phase does not wait for it. */
  receive(content: MessageContent): boolean {
    switch (content.$case) {
      case 'workerInitResponse':
        return this.#initialized(content.value);
      case 'functionMetadataResponse':
        return this.#indexed(content.value);
      case 'functionLoadResponse':
        return this.#loaded([content.value]);
      case 'functionLoadResponseCollection':
        return this.#loaded(content.value.functionLoadResponses);
      default:
        return false;
    }
  }

  ask(): void {
    if (this.#machine.kind !== 'waiting') return;
    const deadline = this.#deadline('WORKER_INDEX_TIMEOUT', this.#plan.metadataTimeoutMs);
    this.#machine.transition({ kind: 'indexing', deadline });
    const { functionAppDirectory } = this.#plan;
    this.#send({ $case: 'functionsMetadataRequest', value: { functionAppDirectory } });
  }

  load(requests: readonly FunctionLoadRequest[]): void {
    if (this.#machine.kind !== 'waiting') return;
    const missing = new Map(requests.map(({ functionId, metadata }) => [functionId, metadata?.name ?? functionId]));
    const deadline = this.#deadline('WORKER_LOAD_TIMEOUT', this.#plan.loadTimeoutMs);
    this.#machine.transition({ kind: 'loading', deadline, missing });
    if (requests.length > 0 && this.#worker.capabilities.loadCollection) {
      this.#send({
        $case: 'functionLoadRequestCollection',
        value: { functionLoadRequests: [...requests] },
      });
    } else {
      for (const value of requests) this.#send({ $case: 'functionLoadRequest', value });
    }
    this.#answerSidecar();
    this.#finishIfLoaded();
  }

  fail(error: PlatformError): void {
    if (!this.#machine.allows('failed')) return;
    this.#machine.transition({ kind: 'failed' });
    this.#plan.leave(this);
    this.#events.failed(error);
  }

  #initialized(response: WorkerInitResponse): boolean {
    if (this.#machine.kind !== 'initializing') return false;
    if (!succeeded(response.result)) {
      this.fail(this.#error('WORKER_INIT_FAILED', { reason: toError(response.result).message }));
      return true;
    }
    this.#worker.describe({
      capabilities: parseCapabilities(response.capabilities),
      advertised: response.capabilities,
      metadata: response.workerMetadata,
    });
    this.#machine.transition({ kind: 'waiting' });
    this.#events.initialized();
    this.#plan.join(this);
    return true;
  }

  #indexed(response: FunctionMetadataResponse): boolean {
    if (this.#machine.kind !== 'indexing') return false;
    if (succeeded(response.result) || response.useDefaultMetadataIndexing) {
      this.#machine.transition({ kind: 'waiting' });
      this.#plan.indexed(this, response);
    } else this.fail(this.#error('WORKER_INDEX_FAILED', { reason: toError(response.result).message }));
    return true;
  }

  #loaded(responses: readonly FunctionLoadResponse[]): boolean {
    const { state } = this.#machine;
    if (state.kind !== 'loading') return false;
    for (const { functionId, result } of responses) {
      if (!state.missing.delete(functionId)) continue;
      if (!succeeded(result)) this.#worker.loadFailures.set(functionId, toError(result));
    }
    this.#finishIfLoaded();
    return true;
  }

  #answerSidecar(): void {
    const goodNews = this.#goodNews;
    this.#goodNews = undefined;
    if (goodNews !== undefined) this.#send(goodNews);
  }

  #finishIfLoaded(): void {
    const { state } = this.#machine;
    if (state.kind !== 'loading' || state.missing.size > 0) return;
    this.#machine.transition({ kind: 'done' });
    this.#events.done();
  }

  #deadline(code: RuntimeErrorCode, timeoutMs: number): Timer {
    return this.#clock.schedule(timeoutMs, () => {
      const { state } = this.#machine;
      const missing = state.kind === 'loading' ? quoteNames([...state.missing.values()]) : '';
      this.fail(this.#error(code, { timeoutMs, missing }));
    });
  }

  #error(code: RuntimeErrorCode, details: Readonly<Record<string, string | number>>): PlatformError {
    const { workerId, application, stderrTail } = this.#worker;
    const stderr = quoteStderr(stderrTail);
    return runtimeErrors.create(code, { workerId, applicationId: application.applicationId, stderr, ...details });
  }

  #send(content: MessageContent): void {
    this.#worker.channel?.send(StreamingMessage.encode({ requestId: '', content }).finish());
  }
}

const success = { status: StatusResult_Status.Success, result: '', exception: undefined, logs: [] };

/** How many functions an error names. */
const namesQuoted = 5;

function quoteNames(names: readonly string[]): string {
  const quoted = names.slice(0, namesQuoted).map((name) => `'${name}'`);
  const rest = names.length - quoted.length;
  return quoted.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
