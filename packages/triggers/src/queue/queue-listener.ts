/**
 * Watches one queue and runs a function for each message.
 *
 * Phases: Idle until `start`; Receiving: one request at a time, each message handled on its own; Draining: nothing new,
 * what runs may end; Stopped: what still ran was given back.
 * Ownership: the JobHost owns the listener; the listener owns the handlings of the messages it received.
 *
 * I1 A request asks for `batchSize` messages, and only while no more than `newBatchThreshold` are in work. Each worker of the
 *    app beyond the first makes room for `batchSize` and `newBatchThreshold` more, as an instance of the official host would.
 *    With dynamic concurrency its limit alone holds, and a request asks for what that leaves.
 * I2 Waits between empty answers grow from 100 ms to `maxPollingInterval`, a fifth more or less by chance; a message
 *    resets them, and a write to the queue by this process ends one, and so does a look that finds messages.
 * I3 A queue that does not exist is asked for like an empty one, without a word in the log.
 * I4 An outage costs one warning when it begins and one line when it is over.
 * I5 After `drain` or `close` no function begins; a batch that arrives later is given back.
 * I6 `close` gives every message back that is not settled, within its deadline.
 */
import {
  type BackoffOptions,
  backoffMs,
  createDeferred,
  type Deferred,
  type Edges,
  messageOf,
  StateMachine,
  settlesWithin,
  TransientSet,
} from '@switchyard/kernel';
import type { QueuesExtension } from '@switchyard/model';
import { aborted } from '../aborted.ts';
import type { Backlog, ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { insist, request } from '../storage/storage-request.ts';
import { type HandlingDeps, MessageHandling, visibilityMs } from './message-handling.ts';
import type { QueueClient, QueueMessage, QueueService, ReceiveResult } from './queue-client.ts';
import { type QueueMessageForm, toQueueEvent } from './queue-event.ts';
import { poisonQueueName } from './queue-name.ts';
import type { QueueSignals } from './queue-signals.ts';

/** A queueTrigger binding, parsed. */
export interface QueueTriggerOptions extends QueueMessageForm {
  readonly queueName: string;
  readonly connection: StorageConnection;
  readonly queues: QueuesExtension;
}

export interface QueueListenerDeps {
  readonly context: ListenerContext;
  readonly service: QueueService;
  readonly signals: QueueSignals;
}

const minPollingIntervalMs = 100;

/** How long `close` waits for messages to be given back. */
const closeTimeoutMs = 5_000;

/** The service gives no more at once. */
const maxBatchSize = 32;

/** How often room is looked for while nothing ends: workers may have come. */
const roomCheckMs = 1_000;

/** Tries to give back a message that arrived too late. */
const maxGiveBackTries = 2;

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'receiving'; readonly loop: Promise<void>; readonly unsubscribe: () => void }
  | { readonly kind: 'draining'; readonly loop: Promise<void> }
  | { readonly kind: 'stopped'; readonly loop: Promise<void> };

const edges: Edges<State['kind']> = {
  idle: ['receiving', 'stopped'],
  receiving: ['draining', 'stopped'],
  draining: ['stopped'],
  stopped: [],
};

export class QueueListener implements TriggerListener {
  readonly #deps: QueueListenerDeps;
  readonly #options: QueueTriggerOptions;
  readonly #client: QueueClient;
  readonly #handlingDeps: HandlingDeps;
  readonly #backoff: BackoffOptions;
  readonly #state = new StateMachine<State>({ kind: 'idle' }, edges);
  readonly #handlings = new TransientSet<MessageHandling>();
  /** Ends the wait between two requests: a write to the queue, or the end. */
  #wake: Deferred<void> = createDeferred();
  /** Ends the wait for room: few enough messages in work, or the end. */
  #room: Deferred<void> = createDeferred();
  #isDown = false;

  constructor(deps: QueueListenerDeps, options: QueueTriggerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#client = deps.service.open(options.connection, options.queueName);
    const poisonName = poisonQueueName(options.queueName);
    this.#handlingDeps = {
      context: deps.context,
      client: this.#client,
      poison: poisonName === undefined ? undefined : deps.service.open(options.connection, poisonName),
      changed: (name) => deps.signals.notify(options.connection.queueEndpoint, name),
    };
    const maximumMs = options.queues.maxPollingIntervalMs;
    this.#backoff = { minimumMs: Math.min(minPollingIntervalMs, maximumMs), maximumMs, factor: 2, jitter: 0.2 };
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { signals } = this.#deps;
    const { connection, queueName } = this.#options;
    const unsubscribe = signals.subscribe(connection.queueEndpoint, queueName, () => this.#wake.resolve());
    const started = createDeferred<void>();
    const loop = started.promise.then(() => this.#receiveAll());
    this.#state.transition({ kind: 'receiving', loop, unsubscribe });
    started.resolve();
  }

  async drain(signal: AbortSignal): Promise<void> {
    const state = this.#state.state;
    if (state.kind === 'receiving') {
      state.unsubscribe();
      this.#state.transition({ kind: 'draining', loop: state.loop });
    }
    if (state.kind === 'receiving' || state.kind === 'draining') {
      for (const handling of this.#handlings) handling.drain();
      this.#hurry();
      await Promise.race([this.#settled(state.loop), aborted(signal)]);
    }
    await this.close();
  }

  async close(): Promise<void> {
    const state = this.#state.state;
    const loop = state.kind === 'idle' ? Promise.resolve() : state.loop;
    if (state.kind === 'receiving') state.unsubscribe();
    if (state.kind !== 'stopped') this.#state.transition({ kind: 'stopped', loop });
    for (const handling of this.#handlings) handling.abandon();
    this.#hurry();
    await settlesWithin(this.#deps.context.clock, closeTimeoutMs, this.#settled(loop));
  }

  async backlog(signal: AbortSignal): Promise<Backlog | undefined> {
    const name = { operation: 'measure', queue: this.#client.name };
    const measure = await request(this.#deps.context, name, (stop) => this.#client.measure(stop), signal);
    if (measure.kind === 'missing' || measure.messageCount === 0) return { messageCount: 0, oldestMs: undefined };
    this.#wake.resolve();
    // What this listener handles lies in the queue until it is done.
    return { messageCount: Math.max(1, measure.messageCount - this.#handlings.size), oldestMs: measure.oldestMs };
  }

  /** Resolves when the loop has ended and every message is settled. */
  async #settled(loop: Promise<void>): Promise<void> {
    await loop;
    await Promise.all([...this.#handlings].map((handling) => handling.ended));
  }

  /** Ends every wait of the loop. */
  #hurry(): void {
    this.#wake.resolve();
    this.#room.resolve();
  }

  async #receiveAll(): Promise<void> {
    let emptyAnswers = 0;
    while (this.#state.kind === 'receiving') {
      await this.#waitForRoom();
      if (this.#state.kind !== 'receiving') return;
      this.#wake = createDeferred();
      const messages = await this.#receive();
      if (this.#state.kind !== 'receiving') return this.#giveBack(messages);
      for (const message of messages) this.#handle(message);
      emptyAnswers = messages.length > 0 ? 0 : emptyAnswers + 1;
      if (emptyAnswers > 0) await this.#pause(emptyAnswers - 1);
    }
  }

  async #waitForRoom(): Promise<void> {
    while (this.#state.kind === 'receiving' && !this.#hasRoom()) {
      this.#room = createDeferred();
      const timer = this.#deps.context.clock.schedule(roomCheckMs, this.#room.resolve);
      await this.#room.promise;
      timer.cancel();
    }
  }

  #hasRoom(): boolean {
    const { concurrency } = this.#deps.context;
    if (concurrency !== undefined) return this.#handlings.size < concurrency.current;
    const { batchSize, newBatchThreshold } = this.#options.queues;
    const furtherWorkers = Math.max(1, this.#deps.context.workerCount?.() ?? 1) - 1;
    return this.#handlings.size <= newBatchThreshold + furtherWorkers * (batchSize + newBatchThreshold);
  }

  #wantedCount(): number {
    const { concurrency } = this.#deps.context;
    if (concurrency === undefined) return this.#options.queues.batchSize;
    return Math.max(1, Math.min(maxBatchSize, concurrency.current - this.#handlings.size));
  }

  /** One batch; empty when there is none, no queue, or no service. */
  async #receive(): Promise<readonly QueueMessage[]> {
    try {
      const count = this.#wantedCount();
      const result = await request<ReceiveResult>(
        this.#deps.context,
        { operation: 'receive', queue: this.#client.name },
        (signal) => this.#client.receive(count, visibilityMs, signal),
      );
      this.#noteHealth(undefined);
      return result.kind === 'messages' ? result.messages : [];
    } catch (thrown) {
      this.#noteHealth(thrown);
      return [];
    }
  }

  async #pause(emptyAnswers: number): Promise<void> {
    const { clock, random } = this.#deps.context;
    const timer = clock.schedule(backoffMs(this.#backoff, emptyAnswers, random), this.#wake.resolve);
    await this.#wake.promise;
    timer.cancel();
  }

  #handle(message: QueueMessage): void {
    const { queueName, queues } = this.#options;
    const toEvent = (): TriggerEvent => toQueueEvent(message, queueName, queues.messageEncoding, this.#options);
    const handling = new MessageHandling(this.#handlingDeps, queues, message, toEvent);
    this.#handlings.add(handling);
    void handling.ended.then(() => {
      this.#handlings.delete(handling);
      if (this.#hasRoom()) this.#room.resolve();
    });
  }

  /** Makes messages visible again that nobody has begun to handle. */
  async #giveBack(messages: readonly QueueMessage[]): Promise<void> {
    const name = { operation: 'release', queue: this.#client.name };
    const released = messages.map((message) =>
      insist(this.#deps.context, name, maxGiveBackTries, (signal) => this.#client.setVisibility(message, 0, signal)),
    );
    for (const result of await Promise.allSettled(released)) {
      if (result.status === 'rejected') this.#noteHealth(result.reason);
    }
  }

  #noteHealth(fault: unknown): void {
    const isDown = fault !== undefined;
    if (isDown === this.#isDown) return;
    this.#isDown = isDown;
    const fields = {
      category: 'Host.Triggers.Queue',
      function: this.#deps.context.functionName,
      queue: this.#client.name,
    };
    if (isDown) {
      this.#deps.context.log.write('warning', 'A queue cannot be read; it is tried again and again', {
        ...fields,
        error: messageOf(fault),
      });
    } else this.#deps.context.log.write('information', 'A queue can be read again', fields);
  }
}
