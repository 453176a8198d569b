/**
 * What the blob triggers of one app share: one scanner in the world, and one reader of the queue in each Runtime.
 *
 * Purpose: a message of the queue may be for any function of the app, so one reader serves them all.
 * Phases: Running from the first function that joins to the last one that leaves; Draining; Closed.
 * Ownership: the functions' listeners own it together; `BlobTriggerHubs` finds it for them.
 *
 * I1 Functions with the same host id, storage and options share a hub; it runs while there is one of them.
 * I2 A message goes to the function that joined last under its id: a new version of an app takes over from the old one.
 * I3 A function that left gets nothing new; what it had begun may end, until it is abandoned, which gives the message back.
 */
import { createDeferred, type Edges, StateMachine, TransientSet } from '@switchyard/kernel';
import type { HostExtensions } from '@switchyard/model';
import type { Backlog, InvocationOutcome, ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';
import type { QueueService } from '../queue/queue-client.ts';
import { QueueListener } from '../queue/queue-listener.ts';
import { createSingletonListener } from '../singleton/singleton-listener.ts';
import type { SingletonLocks } from '../singleton/singleton-locks.ts';
import type { SingletonPeriods } from '../singleton/singleton-trigger.ts';
import { hostContainerName } from '../storage/host-storage.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import type { RequestDeps } from '../storage/storage-request.ts';
import type { BlobService } from './blob-client.ts';
import { type BlobTarget, dispatchBlob } from './blob-dispatch.ts';
import { BlobReceipts } from './blob-receipts.ts';
import { BlobScanner, type BlobSubscription } from './blob-scanner.ts';
import type { BlobTriggerMessage } from './blob-trigger-message.ts';
import { BlobTriggerQueue } from './blob-trigger-queue.ts';
import type { BlobWrites } from './blob-writes.ts';

/** What the blob kinds work with; one of each per process. */
export interface BlobKindDeps {
  readonly blobs: BlobService;
  readonly queues: QueueService;
  readonly locks: SingletonLocks;
  readonly writes: BlobWrites;
}

/** What functions must have in common to share a hub. */
export interface BlobHubOptions {
  readonly hostStorage: StorageConnection;
  readonly blobs: HostExtensions['blobs'];
  /** Between two polls of the scanner; the reader looks as often at least. */
  readonly pollMs: number;
  readonly periods: SingletonPeriods;
}

/** The lock of the official host's scanner. */
const scannerLockId = 'WebJobs.Internal.Blobs.Listener';

/** The name under which the official host runs the reader. */
const readerName = 'SharedBlobQueueListener';

/** The most messages that the service gives at once. */
const maxBatchSize = 32;

const abandoned: InvocationOutcome = {
  kind: 'lost',
  invocationId: '',
  reason: 'stopping',
  error: { message: 'The function was stopped.', stack: '', type: '' },
};

/** The place of one function in a hub. */
export class BlobSeat {
  readonly functionId: string;
  readonly subscription: BlobSubscription;
  readonly target: BlobTarget;
  /** False where somebody else tells of new blobs. */
  readonly isScanned: boolean;
  readonly #inFlight = new TransientSet<Promise<unknown>>();
  readonly #abandoned = createDeferred<InvocationOutcome>();

  constructor(subscription: BlobSubscription, target: BlobTarget, isScanned = true) {
    this.isScanned = isScanned;
    this.functionId = subscription.functionId;
    this.subscription = subscription;
    const invoke = (event: TriggerEvent): Promise<InvocationOutcome> => this.#invoke(target.context, event);
    this.target = { ...target, context: { ...target.context, invoke } };
  }

  /** Resolves when nothing of the function runs. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  /** Waits no longer for what runs. */
  abandon(): void {
    this.#abandoned.resolve(abandoned);
  }

  async #invoke(context: ListenerContext, event: TriggerEvent): Promise<InvocationOutcome> {
    const outcome = Promise.race([context.invoke(event), this.#abandoned.promise]);
    this.#inFlight.add(outcome);
    try {
      return await outcome;
    } finally {
      this.#inFlight.delete(outcome);
    }
  }
}

type State = { readonly kind: 'running' } | { readonly kind: 'draining' } | { readonly kind: 'closed' };

const edges: Edges<State['kind']> = { running: ['draining', 'closed'], draining: ['closed'], closed: [] };

export class BlobTriggerHub {
  /** Resolves once reader and scanner are on their way. */
  readonly started: Promise<void>;
  readonly #seats = new Set<BlobSeat>();
  readonly #queue: BlobTriggerQueue;
  readonly #reader: QueueListener;
  readonly #scanner: TriggerListener;
  readonly #state = new StateMachine<State>({ kind: 'running' }, edges);

  /** Starts at once. `context` is that of the first function. */
  constructor(deps: BlobKindDeps, options: BlobHubOptions, context: ListenerContext) {
    const { hostId } = context;
    const hosts = deps.blobs.open(options.hostStorage, hostContainerName);
    const receipts = new BlobReceipts({ ...context, hosts, hostId });
    const queue = new BlobTriggerQueue(deps.queues, options.hostStorage, hostId);
    this.#queue = queue;
    this.#reader = this.#createReader(options, context, receipts, queue);
    this.#scanner = this.#createScanner(deps, options, context, receipts, queue);
    const { signal } = new AbortController();
    this.started = Promise.all([this.#reader.start(signal), this.#scanner.start(signal)]).then(() => {});
    this.started.catch(() => {});
  }

  join(seat: BlobSeat): void {
    // The latest one counts, also when a function of the same name is there already.
    this.#seats.add(seat);
  }

  /** Hands a blob to the readers, whoever found it. Resolves when the message is safe. */
  async send(deps: RequestDeps, message: BlobTriggerMessage, signal: AbortSignal): Promise<void> {
    await this.#queue.send(deps, message, signal);
    this.#queue.wake();
  }

  /** What the scanner has found and nobody has read yet; told to one of the functions, as the queue is that of all. */
  async backlog(seat: BlobSeat, signal: AbortSignal): Promise<Backlog | undefined> {
    const [first] = this.#seats;
    return first === seat ? await this.#reader.backlog(signal) : undefined;
  }

  /** True when nobody is left: then whoever left drains and closes the hub. */
  leave(seat: BlobSeat): boolean {
    const wasThere = this.#seats.delete(seat);
    return wasThere && this.#seats.size === 0;
  }

  async drain(signal: AbortSignal): Promise<void> {
    if (this.#state.kind !== 'running') return;
    this.#state.transition({ kind: 'draining' });
    await Promise.all([this.#reader.drain(signal), this.#scanner.drain(signal)]);
  }

  async close(): Promise<void> {
    if (this.#state.kind === 'closed') return;
    this.#state.transition({ kind: 'closed' });
    await Promise.all([this.#reader.close(), this.#scanner.close()]);
  }

  #createReader(
    options: BlobHubOptions,
    context: ListenerContext,
    receipts: BlobReceipts,
    queue: BlobTriggerQueue,
  ): QueueListener {
    const deps = {
      log: context.log,
      receipts,
      queueName: queue.name,
      targetOf: (functionId: string) => [...this.#seats].findLast((seat) => seat.functionId === functionId)?.target,
      isStopping: () => this.#state.kind !== 'running' || this.#seats.size === 0,
    };
    const invoke = (event: TriggerEvent): Promise<InvocationOutcome> => dispatchBlob(deps, event);
    const { maxDegreeOfParallelism, poisonBlobThreshold } = options.blobs;
    // The reader asks for a batch while no more than the threshold are in work: together they make the limit.
    const batchSize = Math.min(maxBatchSize, Math.max(1, Math.floor(maxDegreeOfParallelism / 2)));
    const { service, signals } = queue;
    return new QueueListener(
      { context: { ...context, ...this.#concurrencyOf(context), functionName: readerName, invoke }, service, signals },
      {
        queueName: queue.alias,
        connection: options.hostStorage,
        dataType: undefined,
        isDeferred: false,
        queues: {
          batchSize,
          newBatchThreshold: maxDegreeOfParallelism - batchSize,
          maxPollingIntervalMs: options.pollMs,
          maxDequeueCount: poisonBlobThreshold,
          visibilityTimeoutMs: 0,
          messageEncoding: 'base64',
        },
      },
    );
  }

  /** One reader serves all functions, so all of their limits together are its own. */
  #concurrencyOf({ concurrency }: ListenerContext): Pick<ListenerContext, 'concurrency'> {
    if (concurrency === undefined) return {};
    const limits = (): readonly number[] =>
      [...this.#seats].map(({ target }) => target.context.concurrency?.current ?? 1);
    return {
      concurrency: {
        get current() {
          return Math.max(
            1,
            limits().reduce((sum, limit) => sum + limit, 0),
          );
        },
      },
    };
  }

  #createScanner(
    deps: BlobKindDeps,
    options: BlobHubOptions,
    context: ListenerContext,
    receipts: BlobReceipts,
    queue: BlobTriggerQueue,
  ): TriggerListener {
    const { clock, random, log, meter, hostId } = context;
    const { blobs, writes, locks } = deps;
    const scannerDeps = {
      ...{ clock, random, log, meter, hostId, blobs, writes, receipts },
      hosts: blobs.open(options.hostStorage, hostContainerName),
      // Of several versions of a function the latest one says what it wants.
      subscriptions: () => subscriptionsOf(this.#seats),
      send: (message: Parameters<BlobTriggerQueue['send']>[1], signal: AbortSignal) =>
        queue.send({ clock, random }, message, signal),
      sent: () => queue.wake(),
    };
    const { periodMs, recoveryMs } = options.periods;
    const request = { connection: options.hostStorage, hostId, lockId: scannerLockId, periodMs };
    return createSingletonListener(
      (lock) => new BlobScanner({ ...scannerDeps, lock }, { pollMs: options.pollMs }),
      { clock, random, log, locks },
      { request, recoveryMs },
    );
  }
}

function subscriptionsOf(seats: Iterable<BlobSeat>): readonly BlobSubscription[] {
  const latest = new Map([...seats].map((seat) => [seat.functionId, seat]));
  return [...latest.values()].filter(({ isScanned }) => isScanned).map(({ subscription }) => subscription);
}

/** Finds the hub of a function, or makes it. */
export class BlobTriggerHubs {
  readonly #deps: BlobKindDeps;
  readonly #hubs = new Map<string, BlobTriggerHub>();

  constructor(deps: BlobKindDeps) {
    this.#deps = deps;
  }

  join(seat: BlobSeat, options: BlobHubOptions, context: ListenerContext): BlobTriggerHub {
    const key = keyOf(options, context);
    const hub = this.#hubs.get(key) ?? new BlobTriggerHub(this.#deps, options, context);
    this.#hubs.set(key, hub);
    hub.join(seat);
    return hub;
  }

  /** True when the hub has nobody left; it is found no more. */
  leave(seat: BlobSeat, hub: BlobTriggerHub): boolean {
    const isLast = hub.leave(seat);
    if (!isLast) return false;
    for (const [key, known] of this.#hubs) if (known === hub) this.#hubs.delete(key);
    return true;
  }
}

function keyOf({ hostStorage, blobs, pollMs, periods }: BlobHubOptions, context: ListenerContext): string {
  const { applicationId, hostId } = context;
  return JSON.stringify([applicationId, hostId, hostStorage.queueEndpoint, blobs, pollMs, periods]);
}
