/**
 * One message from its receipt to its end.
 *
 * Purpose: run the function for the message and settle it, so that it is never lost and rarely handled twice.
 * Phases: running the function (or waiting to run it again), then settling; `abandon` cuts the running phase short.
 * Ownership: the listener owns the handling until `ended` resolves.
 *
 * I1 A message is deleted only after its function succeeded or its copy is safe in the poison queue.
 * I2 A message received more often than allowed goes to the poison queue without being run.
 * I3 A function that did not begin is tried again while the message is kept; that costs no dequeue.
 * I4 An abandoned message is made visible again, whatever its function does later.
 * I5 `ended` never rejects.
 */
import {
  type BackoffOptions,
  backoffMs,
  createDeferred,
  invariant,
  type LogFields,
  type LogLevel,
  messageOf,
} from '@switchyard/kernel';
import type { QueuesExtension } from '@switchyard/model';
import type { ListenerContext, TriggerEvent } from '../contract.ts';
import { insist } from '../storage/storage-request.ts';
import { decideAfterRun, decideSpent, isSpent, type MessageDecision } from './message-decision.ts';
import { MessageLease } from './message-lease.ts';
import type { MessageReceipt, QueueClient, QueueMessage } from './queue-client.ts';
import { sendMessage } from './send-message.ts';

/** How long a received message stays invisible to others; the official host's value. */
export const visibilityMs = 600_000;

/** How a function that could not begin is tried again. */
const holdBackoff: BackoffOptions = { minimumMs: 500, maximumMs: 15_000, factor: 2, jitter: 0.2 };

/** After so many tries the message goes back, so that another host may take it. */
const maxHolds = 40;

/** How long a message that nobody could run stays invisible after that. */
const afterHoldMs = 30_000;

/** Tries to settle a message before it is left to its visibility timeout. */
const maxSettleTries = 6;

/** Tries to give an abandoned message back: whoever abandons it is in a hurry. */
const maxAbandonTries = 2;

export interface HandlingDeps {
  readonly context: ListenerContext;
  readonly client: QueueClient;
  /** The poison queue, where the queue may have one. */
  readonly poison: QueueClient | undefined;
  /** Told of the queues that have a message to offer because of this one. */
  readonly changed: (queueName: string) => void;
}

/** How much patience is left. */
type Patience =
  | 'unlimited'
  /** A function that has begun may end; one that has not will not begin. */
  | 'draining'
  | 'abandoned';

export class MessageHandling {
  readonly ended: Promise<void>;
  readonly #deps: HandlingDeps;
  readonly #options: QueuesExtension;
  readonly #message: QueueMessage;
  readonly #lease: MessageLease;
  readonly #abandoned = createDeferred<'abandoned'>();
  #patience: Patience = 'unlimited';
  #hold = createDeferred<void>();

  /** Begins at once. `toEvent` makes what the function gets. */
  constructor(deps: HandlingDeps, options: QueuesExtension, message: QueueMessage, toEvent: () => TriggerEvent) {
    this.#deps = deps;
    this.#options = options;
    this.#message = message;
    this.#lease = new MessageLease(
      { clock: deps.context.clock, log: deps.context.log, client: deps.client },
      message,
      visibilityMs,
    );
    this.ended = this.#handle(toEvent).catch((thrown) => this.#report(thrown));
  }

  /** Lets a function that runs come to its end, and gives back a message that waits for its function to begin. */
  drain(): void {
    if (this.#patience === 'unlimited') this.#patience = 'draining';
    this.#hold.resolve();
  }

  /** Gives the message back at once, unless it is being settled already. */
  abandon(): void {
    this.#patience = 'abandoned';
    this.#hold.resolve();
    this.#abandoned.resolve('abandoned');
  }

  async #handle(toEvent: () => TriggerEvent): Promise<void> {
    const decision = isSpent(this.#message, this.#options)
      ? decideSpent(this.#deps.poison !== undefined)
      : await this.#run(toEvent());
    const receipt = await this.#lease.end();
    await this.#settle(decision, receipt);
    this.#deps.context.meter.count('queue_messages_settled_count', 1, { decision: decision.kind });
  }

  async #run(event: TriggerEvent): Promise<MessageDecision> {
    for (let holds = 0; ; holds += 1) {
      const outcome = await Promise.race([this.#deps.context.invoke(event), this.#abandoned.promise]);
      if (outcome === 'abandoned') return { kind: 'release', visibilityMs: 0 };
      const decision = decideAfterRun(outcome, this.#message, this.#options, this.#deps.poison !== undefined);
      if (decision.kind !== 'hold') return decision;
      if (holds >= maxHolds) return { kind: 'release', visibilityMs: afterHoldMs };
      if (this.#patience === 'unlimited') await this.#wait(backoffMs(holdBackoff, holds, this.#deps.context.random));
      if (this.#patience !== 'unlimited') return { kind: 'release', visibilityMs: 0 };
    }
  }

  async #wait(delayMs: number): Promise<void> {
    this.#hold = createDeferred<void>();
    const timer = this.#deps.context.clock.schedule(delayMs, this.#hold.resolve);
    await this.#hold.promise;
    timer.cancel();
  }

  async #settle(decision: MessageDecision, receipt: MessageReceipt): Promise<void> {
    switch (decision.kind) {
      case 'delete':
        return this.#delete(receipt);
      case 'poison':
        return this.#moveToPoison(receipt);
      case 'release':
        return this.#release(receipt, decision.visibilityMs);
      case 'leave':
      case 'hold':
        return this.#note('debug', 'A queue message stays invisible: it failed and has no poison queue');
    }
  }

  async #delete(receipt: MessageReceipt): Promise<void> {
    const { client } = this.#deps;
    const deleted = await this.#insist('delete', (signal) => client.delete(receipt, signal));
    if (deleted === 'gone') this.#note('debug', 'A handled queue message was no longer there to delete');
  }

  async #moveToPoison(receipt: MessageReceipt): Promise<void> {
    const { poison } = this.#deps;
    invariant(poison !== undefined, 'a message is only poison where there is a poison queue');
    await sendMessage(this.#deps.context, poison, this.#message.text);
    this.#deps.changed(poison.name);
    this.#note('warning', 'A queue message was tried too often and was moved to the poison queue', {
      poisonQueue: poison.name,
      dequeueCount: this.#message.dequeueCount,
    });
    await this.#delete(receipt);
  }

  async #release(receipt: MessageReceipt, visibleInMs: number): Promise<void> {
    const { client } = this.#deps;
    const released = await this.#insist('release', (signal) => client.setVisibility(receipt, visibleInMs, signal));
    if (released.kind === 'changed' && visibleInMs === 0) this.#deps.changed(client.name);
  }

  #insist<T>(operation: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const maxTries = this.#patience === 'abandoned' ? maxAbandonTries : maxSettleTries;
    return insist(this.#deps.context, { operation, queue: this.#deps.client.name }, maxTries, call);
  }

  #report(thrown: unknown): void {
    this.#note('error', 'A queue message could not be settled; it will be delivered again', {
      error: messageOf(thrown),
    });
  }

  #note(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.#deps.context.log.write(level, message, {
      category: 'Host.Triggers.Queue',
      function: this.#deps.context.functionName,
      queue: this.#deps.client.name,
      messageId: this.#message.id,
      ...fields,
    });
  }
}
