/**
 * A language worker's side of the conversation with its host: it introduces the worker, reads what the host sends, calls
 * the app in order, and sends the answers.
 *
 * Phases: Connected (before WorkerInitRequest) -> Initialized -> Ending (told to terminate) -> Ended.
 * Ownership: one per link. The program that made it ends the process when `ended` resolves.
 *
 * I1 The first frame is StartStream with the worker's id.
 * I2 Init, reload and index run one at a time, in the order of their requests; loads and invocations start after those
 *    that came before them.
 * I3 Every answer carries its request's id, and none is sent twice.
 * I4 A frame that cannot be read, or that comes too early, is logged and changes nothing else.
 * I5 `ended` resolves once, with the first reason there is.
 * I6 An app that rejects is logged; the conversation goes on.
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
  type RpcLog,
  RpcLog_Level,
  type StatusResult,
  StatusResult_Status,
  StreamingMessage,
  type WorkerTerminate,
} from '../gen/function-rpc.ts';
import { grpcStatus, type Link, type LinkEnd } from '../link.ts';
import { emptyLog, type MessageContent, Outbox } from './outbox.ts';
import type { WorkerApp } from './worker-app.ts';

export interface WorkerSessionDeps {
  readonly link: Link;
  readonly clock: Clock;
}

export interface WorkerSessionLimits {
  /** Log lines that wait while the connection is congested; more are counted and dropped. */
  readonly waitingLogs: number;
  /** How long the app may take to end when the host names no grace period. */
  readonly terminateGraceMs: number;
  /** How long the last frames may take to leave before the process exits. */
  readonly farewellMs: number;
  /** How often it is looked whether they have left. */
  readonly farewellStepMs: number;
}

export const defaultWorkerSessionLimits: WorkerSessionLimits = {
  waitingLogs: 10_000,
  terminateGraceMs: 5_000,
  farewellMs: 1_000,
  farewellStepMs: 10,
};

/** Why there is nothing more to do. */
export type WorkerSessionEnd =
  | { readonly kind: 'terminated' | 'host-ended' }
  | { readonly kind: 'connection-lost'; readonly reason: string }
  /** The app gave up; the process should exit with an error. */
  | { readonly kind: 'failed'; readonly reason: string };

type State =
  | { readonly kind: 'Connected' | 'Initialized' | 'Ending' }
  | { readonly kind: 'Ended'; readonly end: WorkerSessionEnd };

const edges: Edges<State['kind']> = {
  Connected: ['Initialized', 'Ending', 'Ended'],
  Initialized: ['Ending', 'Ended'],
  Ending: ['Ended'],
  Ended: [],
};

type MessageCase = MessageContent['$case'];

/** Messages that a host may send and that no worker of ours has a use for. */
const ignored: ReadonlySet<MessageCase> = new Set<MessageCase>([
  'workerHeartbeat',
  'fileChangeEventRequest',
  'closeSharedMemoryResourcesRequest',
]);

export class WorkerSession {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #app: WorkerApp;
  readonly #limits: WorkerSessionLimits;
  readonly #outbox: Outbox;
  readonly #ended = createDeferred<WorkerSessionEnd>();
  readonly #state = new StateMachine<State>({ kind: 'Connected' }, edges);
  /** The changes that are under way; undefined while there is none. */
  #changes: Promise<void> | undefined;

  constructor(deps: WorkerSessionDeps, app: WorkerApp, limits: Partial<WorkerSessionLimits> = {}) {
    this.#link = deps.link;
    this.#clock = deps.clock;
    this.#app = app;
    this.#limits = { ...defaultWorkerSessionLimits, ...limits };
    this.#outbox = new Outbox(deps.link, this.#limits.waitingLogs);
  }

  get ended(): Promise<WorkerSessionEnd> {
    return this.#ended.promise;
  }

  /** Introduces the worker and serves its host. To be called once. */
  start(workerId: string, requestId: string): void {
    this.#outbox.send(requestId, { $case: 'startStream', value: { workerId, properties: new Map() } });
    this.#link.receive({
      frame: (bytes) => this.#receive(bytes),
      // The end of the host's direction brings its status with it: `closed` knows it.
      end: () => this.#link.end(),
    });
    void this.#link.closed.then((end) => this.#onClosed(end));
  }

  /** Sends a log line; what it leaves out is empty, at level Information, from the worker itself. */
  log(line: Partial<RpcLog> & { readonly message: string }): void {
    this.#outbox.sendLog({ ...emptyLog(), ...line });
  }

  /** The worker cannot go on: an error line for the host, and the end. */
  fail(reason: string): void {
    if (!this.#state.allows('Ended')) return;
    this.log({ message: reason, level: RpcLog_Level.Error });
    this.#end({ kind: 'failed', reason });
  }

  /** Ends the link when everything on its way has left, after at most `farewellMs`. */
  async close(): Promise<void> {
    this.#link.end();
    await settlesWithin(this.#clock, this.#limits.farewellMs, Promise.race([this.#link.closed, this.#emptied()]));
  }

  /** A host that does not end its direction is not waited for. */
  async #emptied(): Promise<void> {
    do await sleep(this.#clock, this.#limits.farewellStepMs);
    while (this.#link.bufferedBytes > 0);
  }

  #receive(bytes: Uint8Array): void {
    let message: StreamingMessage;
    try {
      message = StreamingMessage.decode(bytes);
    } catch (thrown) {
      this.#complain(`A message of ${bytes.length} bytes from the host cannot be decoded: ${messageOf(thrown)}.`);
      return;
    }
    const { requestId, content } = message;
    if (content === undefined) this.#complain('The host sent a message of a kind that this worker does not know.');
    else this.#dispatch(requestId, content);
  }

  #dispatch(requestId: string, content: MessageContent): void {
    const answer = (value: MessageContent): void => this.#outbox.send(requestId, value);
    switch (content.$case) {
      case 'workerInitRequest':
        if (this.#state.allows('Initialized')) this.#state.transition({ kind: 'Initialized' });
        this.#change(content.$case, async () =>
          answer({ $case: 'workerInitResponse', value: await this.#app.init(content.value) }),
        );
        break;
      case 'functionEnvironmentReloadRequest':
        this.#change(content.$case, async () =>
          answer({ $case: 'functionEnvironmentReloadResponse', value: await this.#app.reload(content.value) }),
        );
        break;
      case 'functionsMetadataRequest':
        this.#change(content.$case, async () =>
          answer({ $case: 'functionMetadataResponse', value: await this.#app.index(content.value) }),
        );
        break;
      case 'workerWarmupRequest':
        this.#change(content.$case, async () => {
          const result = await this.#app.warmUp().then(toSuccess, toFailure);
          answer({ $case: 'workerWarmupResponse', value: { result } });
        });
        break;
      case 'functionLoadRequest':
        this.#afterChanges(content.$case, async () =>
          answer({ $case: 'functionLoadResponse', value: await this.#app.load(content.value) }),
        );
        break;
      case 'functionLoadRequestCollection':
        this.#afterChanges(content.$case, async () => {
          const loads = content.value.functionLoadRequests.map((one) => this.#app.load(one));
          const functionLoadResponses = await Promise.all(loads);
          answer({ $case: 'functionLoadResponseCollection', value: { functionLoadResponses } });
        });
        break;
      case 'invocationRequest':
        this.#afterChanges(content.$case, async () => {
          const value = await this.#app.invoke(content.value);
          if (value !== undefined) answer({ $case: 'invocationResponse', value });
        });
        break;
      case 'invocationCancel':
        this.#afterChanges(content.$case, async () => this.#app.cancel(content.value.invocationId));
        break;
      case 'workerStatusRequest':
        answer({ $case: 'workerStatusResponse', value: {} });
        break;
      case 'workerTerminate':
        this.#terminate(content.value);
        break;
      default:
        if (ignored.has(content.$case)) break;
        this.#complain(`The host sent ${content.$case}, which is not for a worker; it was ignored.`);
    }
  }

  /** Runs at once, or when the changes that came before are done. Several may run side by side. */
  #afterChanges(kind: MessageCase, body: () => Promise<void>): void {
    if (this.#isTooEarly(kind)) return;
    const run = (): Promise<void> => body().catch((thrown: unknown) => this.#broken(kind, thrown));
    void (this.#changes === undefined ? run() : this.#changes.then(run));
  }

  /** Runs when the changes that came before are done; what comes later waits for it. */
  #change(kind: MessageCase, body: () => Promise<void>): void {
    if (this.#isTooEarly(kind)) return;
    const mine = (this.#changes ?? Promise.resolve())
      .then(body)
      .catch((thrown: unknown) => this.#broken(kind, thrown))
      .then(() => {
        if (this.#changes === mine) this.#changes = undefined;
      });
    this.#changes = mine;
  }

  #terminate({ gracePeriod }: WorkerTerminate): void {
    if (!this.#state.allows('Ending')) return;
    this.#state.transition({ kind: 'Ending' });
    const asked = Number(gracePeriod?.seconds ?? 0n) * 1000 + (gracePeriod?.nanos ?? 0) / 1_000_000;
    const graceMs = asked > 0 ? asked : this.#limits.terminateGraceMs;
    const done = this.#app.terminate(graceMs).catch((thrown: unknown) => this.#broken('workerTerminate', thrown));
    void settlesWithin(this.#clock, graceMs, done).then(() => this.#end({ kind: 'terminated' }));
  }

  #onClosed({ code, message }: LinkEnd): void {
    const reason = `The connection to the host at ${this.#link.peer} was lost: ${message} (status ${code}).`;
    this.#end(code === grpcStatus.ok ? { kind: 'host-ended' } : { kind: 'connection-lost', reason });
  }

  #end(end: WorkerSessionEnd): void {
    if (!this.#state.allows('Ended')) return;
    this.#state.transition({ kind: 'Ended', end });
    this.#ended.resolve(end);
  }

  #isTooEarly(kind: MessageCase): boolean {
    if (this.#state.kind !== 'Connected') return false;
    this.#complain(`The host sent ${kind} before the worker was initialized; it was ignored.`);
    return true;
  }

  #broken(kind: MessageCase, thrown: unknown): void {
    this.log({ message: `The worker failed at ${kind}: ${messageOf(thrown)}`, level: RpcLog_Level.Critical });
  }

  #complain(message: string): void {
    this.log({ message, level: RpcLog_Level.Error });
  }
}

function toSuccess(): StatusResult {
  return { status: StatusResult_Status.Success, result: '', exception: undefined, logs: [] };
}

function toFailure(thrown: unknown): StatusResult {
  const exception = { message: messageOf(thrown), source: '', stackTrace: '', isUserException: false, type: '' };
  return { status: StatusResult_Status.Failure, result: '', exception, logs: [] };
}
