/**
 * Takes messages of a queue or subscription, under locks, and runs the function for each of them or for batches.
 *
 * Phases: Idle -> Listening -> Draining -> Closed. Ownership: the JobHost, through the trigger kind.
 *
 * I1 A message is completed when its function succeeded and the app wants that, and abandoned when it failed or nobody knows:
 *    then the broker delivers it again, and puts it among the dead letters in the end. What the worker settled itself is left
 *    alone.
 * I2 No more than the allowed number of calls run at once for each worker of the app, or by the dynamic limit; batches, and messages of a session, one
 *    after the other.
 * I3 A broker that is away costs one warning and is asked again, later and later.
 * I4 The locks of what runs are renewed in time, for as long as host.json says.
 * I5 `drain` takes nothing new and waits for what runs; `close` waits for nothing.
 */
import { backoffMs, messageOf, settlesWithin, sleep, type Timer, TransientSet, withDeadline } from '@switchyard/kernel';
import type { ServiceBusExtension } from '@switchyard/model';
import type { Backlog, InvocationOutcome, ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';
import { ListenerLife, reconnectBackoff } from '../listener-life.ts';
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';
import { OutageLog } from '../storage/outage-log.ts';
import { serviceBusErrors } from './errors.ts';
import { nameOfEntity } from './service-bus-binding.ts';
import type {
  ServiceBusEntity,
  ServiceBusMessage,
  ServiceBusReceiver,
  ServiceBusService,
} from './service-bus-client.ts';
import { type MessageForm, toServiceBusBatchEvent, toServiceBusEvent } from './service-bus-event.ts';
import type { Settlements } from './settlements.ts';

export interface ServiceBusListenerDeps {
  readonly service: ServiceBusService;
  /** Where workers find what their functions have in hand. */
  readonly settlements: Settlements;
}

export interface ServiceBusTriggerOptions extends MessageForm {
  readonly connection: NamespaceConnection;
  readonly entity: ServiceBusEntity;
  readonly isBatch: boolean;
  readonly hasSessions: boolean;
  readonly completes: boolean;
  readonly limits: ServiceBusExtension;
}

/** How long one question for messages may stay open. */
const receiveMs = 5_000;
const defaultSessionIdleMs = 60_000;

/** How much longer than it was asked for a broker may take. */
const silenceMs = 10_000;

const closeMs = 2_000;

/** The most messages that one look sees. */
const maxPeeked = 100;

/** After a refusal to count. */
const refusedCountMs = 10 * 60_000;

/** Renewals come no closer than this. */
const minimumRenewalMs = 1_000;

export class ServiceBusListener implements TriggerListener {
  readonly #service: ServiceBusService;
  readonly #settlements: Settlements;
  readonly #options: ServiceBusTriggerOptions;
  readonly #context: ListenerContext;
  readonly #name: string;
  readonly #outage: OutageLog;
  readonly #life = new ListenerLife();
  readonly #receivers = new Set<ServiceBusReceiver>();
  readonly #running = new TransientSet<Promise<void>>();
  /** Messages that the function has. */
  #inHand = 0;
  #mayCountMs = 0;

  constructor(deps: ServiceBusListenerDeps, options: ServiceBusTriggerOptions, context: ListenerContext) {
    this.#service = deps.service;
    this.#settlements = deps.settlements;
    this.#options = options;
    this.#context = context;
    this.#name = nameOfEntity(options.entity);
    this.#outage = new OutageLog(context.log, {
      began: 'Messages of Service Bus cannot be received; the host tries again',
      ended: 'Messages of Service Bus can be received again',
      fields: { category: 'Host.Triggers.ServiceBus', function: context.functionName, entity: this.#name },
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { hasSessions, limits } = this.#options;
    const count = hasSessions ? limits.maxConcurrentSessions : 1;
    this.#life.start(signal, (stop) => Promise.all(Array.from({ length: count }, () => this.#listen(stop))));
  }

  async drain(signal: AbortSignal): Promise<void> {
    await this.#life.drain(signal, () => Promise.all(this.#running));
    await this.close();
  }

  async close(): Promise<void> {
    this.#life.close();
    await Promise.all([...this.#receivers].map((receiver) => this.#closeReceiver(receiver)));
    this.#receivers.clear();
  }

  async backlog(signal: AbortSignal): Promise<Backlog> {
    const { connection, entity } = this.#options;
    const { waiting, isFull } = await this.#service.peek(connection, entity, maxPeeked, signal);
    const counted = isFull ? await this.#count(signal) : undefined;
    // Those in hand are the oldest ones, more or less.
    const oldest = waiting[this.#inHand];
    const oldestMs = oldest && Math.max(0, this.#context.clock.now() - oldest.enqueuedMs);
    return { messageCount: Math.max(0, (counted ?? waiting.length) - this.#inHand), oldestMs };
  }

  /** Not everybody may ask; who was refused does not ask again for a while. */
  async #count(signal: AbortSignal): Promise<number | undefined> {
    const { clock, log } = this.#context;
    const { connection, entity } = this.#options;
    if (clock.monotonic() < this.#mayCountMs) return undefined;
    try {
      return await this.#service.count(connection, entity, signal);
    } catch (thrown) {
      if (signal.aborted) return undefined;
      this.#mayCountMs = clock.monotonic() + refusedCountMs;
      const fields = { category: 'Host.Triggers.ServiceBus', entity: this.#name, reason: messageOf(thrown) };
      log.write('debug', 'What waits in Service Bus cannot be counted; its first messages are', fields);
      return undefined;
    }
  }

  /** On a dead line closing may take for ever. */
  async #closeReceiver(receiver: ServiceBusReceiver): Promise<void> {
    const closed = receiver.close().catch(() => {});
    await settlesWithin(this.#context.clock, closeMs, closed);
  }

  /** Receives until it is told to stop. */
  async #listen(stop: AbortSignal): Promise<void> {
    for (let failures = 0; !stop.aborted; ) {
      try {
        const receiver = await this.#open(stop);
        this.#outage.succeeded();
        failures = 0;
        if (receiver !== undefined) await this.#receiveFrom(receiver, stop);
      } catch (thrown) {
        if (stop.aborted) return;
        this.#outage.failed(thrown);
        failures += 1;
        const { clock, random } = this.#context;
        await sleep(clock, backoffMs(reconnectBackoff, failures - 1, random), stop).catch(() => {});
      }
    }
  }

  #open(stop: AbortSignal): Promise<ServiceBusReceiver | undefined> {
    const { connection, entity, hasSessions } = this.#options;
    return hasSessions ? this.#service.openSession(connection, entity, stop) : this.#service.open(connection, entity);
  }

  async #receiveFrom(receiver: ServiceBusReceiver, stop: AbortSignal): Promise<void> {
    this.#receivers.add(receiver);
    try {
      if (this.#options.isBatch) await this.#receiveBatches(receiver, stop);
      else await this.#receiveSingles(receiver, stop);
      await Promise.all(this.#running);
    } finally {
      this.#receivers.delete(receiver);
      await this.#closeReceiver(receiver);
    }
  }

  async #receiveSingles(receiver: ServiceBusReceiver, stop: AbortSignal): Promise<void> {
    const { hasSessions, limits } = this.#options;
    const workers = (): number => Math.max(1, this.#context.workerCount?.() ?? 1);
    const mostOf = (): number =>
      hasSessions
        ? limits.maxConcurrentCallsPerSession
        : (this.#context.concurrency?.current ?? limits.maxConcurrentCalls * workers());
    const own = new TransientSet<Promise<void>>();
    while (!stop.aborted && !receiver.isReleased) {
      while (own.size >= mostOf()) await Promise.race(own);
      const most = mostOf();
      const messages = await this.#receive(receiver, most - own.size, this.#waitMs, stop);
      if (messages.length === 0 && hasSessions) break;
      for (const message of messages) {
        const run = this.#run(receiver, [message], toServiceBusEvent(message, this.#name, this.#options));
        own.add(run);
        void run.finally(() => own.delete(run));
      }
    }
    await Promise.all(own);
  }

  async #receiveBatches(receiver: ServiceBusReceiver, stop: AbortSignal): Promise<void> {
    const { hasSessions } = this.#options;
    while (!stop.aborted && !receiver.isReleased) {
      const messages = await this.#collect(receiver, stop);
      if (messages.length === 0 && hasSessions) return;
      if (messages.length === 0) continue;
      await this.#run(receiver, messages, toServiceBusBatchEvent(messages, this.#name, this.#options));
    }
  }

  /** At least the smallest batch, unless it takes too long. */
  async #collect(receiver: ServiceBusReceiver, stop: AbortSignal): Promise<readonly ServiceBusMessage[]> {
    const { maxMessageBatchSize, minMessageBatchSize, maxBatchWaitTimeMs } = this.#options.limits;
    const { clock } = this.#context;
    const collected = [...(await this.#receive(receiver, maxMessageBatchSize, this.#waitMs, stop))];
    const deadlineMs = clock.monotonic() + maxBatchWaitTimeMs;
    while (collected.length > 0 && collected.length < minMessageBatchSize && !stop.aborted) {
      const leftMs = deadlineMs - clock.monotonic();
      if (leftMs <= 0) break;
      collected.push(...(await this.#receive(receiver, maxMessageBatchSize - collected.length, leftMs, stop)));
    }
    return collected;
  }

  /** A broken line may answer nothing at all: then the receiver is given up, and another one opened. */
  #receive(
    receiver: ServiceBusReceiver,
    maximum: number,
    waitMs: number,
    stop: AbortSignal,
  ): Promise<readonly ServiceBusMessage[]> {
    const late = (): Error => serviceBusErrors.create('SERVICE_BUS_SILENT', { entity: this.#name, waitMs });
    return withDeadline(this.#context.clock, waitMs + silenceMs, receiver.receive(maximum, waitMs, stop), late);
  }

  get #waitMs(): number {
    const { hasSessions, limits } = this.#options;
    return hasSessions ? (limits.sessionIdleTimeoutMs ?? defaultSessionIdleMs) : receiveMs;
  }

  #run(receiver: ServiceBusReceiver, messages: readonly ServiceBusMessage[], event: TriggerEvent): Promise<void> {
    const run = this.#invokeAndSettle(receiver, messages, event);
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
    return run;
  }

  async #invokeAndSettle(
    receiver: ServiceBusReceiver,
    messages: readonly ServiceBusMessage[],
    event: TriggerEvent,
  ): Promise<void> {
    const held = this.#settlements.hold(receiver, messages, this.#context.applicationId);
    const stopRenewing = this.#renew(receiver, messages);
    this.#inHand += messages.length;
    const outcome: InvocationOutcome = await this.#context.invoke(event);
    this.#inHand -= messages.length;
    stopRenewing();
    const unsettled = await held.release();
    const hasSucceeded = outcome.kind === 'succeeded';
    if (hasSucceeded && !this.#options.completes) return;
    const settlings = unsettled.map((message) =>
      hasSucceeded ? receiver.complete(message) : receiver.abandon(message),
    );
    for (const settled of await Promise.allSettled(settlings)) {
      if (settled.status === 'rejected') this.#unsettled(settled.reason);
    }
  }

  /** Keeps the locks until it is told to stop, or for the longest time. */
  #renew(receiver: ServiceBusReceiver, messages: readonly ServiceBusMessage[]): () => void {
    const { clock } = this.#context;
    const { hasSessions, limits } = this.#options;
    const endMs = clock.now() + limits.maxAutoLockRenewalDurationMs;
    const timers = new Map<ServiceBusMessage, Timer>();
    const plan = (message: ServiceBusMessage, lockedUntilMs: number): void => {
      const waitMs = Math.max(minimumRenewalMs, (lockedUntilMs - clock.now()) / 2);
      if (clock.now() + waitMs > endMs) return;
      const renew = async (): Promise<void> => {
        const untilMs = await receiver.renew(message).catch(() => undefined);
        if (untilMs !== undefined && timers.has(message)) plan(message, untilMs);
      };
      timers.set(
        message,
        clock.schedule(waitMs, () => void renew()),
      );
    };
    // The messages of a session have one lock.
    for (const message of hasSessions ? messages.slice(0, 1) : messages) plan(message, message.lockedUntilMs);
    return () => {
      for (const timer of timers.values()) timer.cancel();
      timers.clear();
    };
  }

  #unsettled(reason: unknown): void {
    const fields = { category: 'Host.Triggers.ServiceBus', entity: this.#name, reason: messageOf(reason) };
    this.#context.log.write('warning', 'A message could not be settled; it will come again', fields);
  }
}
