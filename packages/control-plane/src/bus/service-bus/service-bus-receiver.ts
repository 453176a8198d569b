/**
 * Takes the events of one subscription of Service Bus.
 *
 * Ownership: the bus makes it and closes it with itself. The receivers of the client outlive it, because what they gave
 * out is settled through them; the bus closes those.
 */
import type {
  ServiceBusClient,
  ServiceBusReceiver,
  ServiceBusSender,
  ServiceBusSessionReceiver,
} from '@azure/service-bus';
import { type Clock, type Random, sleep } from '@switchyard/kernel';
import type { Delivery, ReceiveOptions, Receiver, Subscription } from '../contract.ts';
import { busErrors } from '../errors.ts';
import { busReasons } from '../failure-history.ts';
import { busLimits } from '../limits.ts';
import { HeldSession } from './held-session.ts';
import { ServiceBusDelivery, type ServiceBusDeliveryDeps } from './service-bus-delivery.ts';
import { hasCode, toBusError } from './service-bus-error.ts';
import { readMessage } from './service-bus-message.ts';

export interface ServiceBusReceiverDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly client: ServiceBusClient;
  readonly sender: ServiceBusSender;
  /** The subscription as it is now, or undefined. */
  specOf(): Subscription | undefined;
  /** Receivers of the client that nobody uses now. */
  readonly idle: ServiceBusReceiver[];
  readonly sessions: Set<HeldSession>;
}

/** How long to wait before looking for a session again. */
const sessionPauseMs = 100;

/** How long a session is given to hand out its first message. */
const firstMessageMs = 1_000;

/** The shortest wait of the client; less gives messages no time to come. */
const shortestWaitMs = 200;

export class ServiceBusEventReceiver implements Receiver {
  readonly #deps: ServiceBusReceiverDeps;
  readonly #name: { readonly topic: string; readonly subscription: string };
  readonly #closing = new AbortController();

  constructor(deps: ServiceBusReceiverDeps, topic: string, subscription: string) {
    this.#deps = deps;
    this.#name = { topic, subscription };
  }

  async receive({ max, waitMs, signal }: ReceiveOptions): Promise<readonly Delivery[]> {
    const spec = this.#deps.specOf();
    if (spec === undefined) throw busErrors.create('BUS_SUBSCRIPTION_UNKNOWN', this.#name);
    const either = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    const endMs = this.#deps.clock.monotonic() + Math.max(waitMs, shortestWaitMs);
    const limit = Math.max(1, Math.min(max, busLimits.receiveBatch));
    while (!either.aborted) {
      const leftMs = endMs - this.#deps.clock.monotonic();
      if (leftMs <= 0) break;
      const taken = spec.ordered
        ? await this.#takeSession(spec, leftMs, either)
        : await this.#take(spec, limit, leftMs, either);
      if (taken.length > 0) return taken;
    }
    return [];
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  async #take(spec: Subscription, max: number, waitMs: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    const { client, idle } = this.#deps;
    const receiver =
      idle.pop() ??
      client.createReceiver(spec.topic, spec.name, { receiveMode: 'peekLock', maxAutoLockRenewalDurationInMs: 0 });
    try {
      const options = { maxWaitTimeInMs: Math.max(shortestWaitMs, waitMs), abortSignal: signal };
      const messages = await receiver.receiveMessages(max, options);
      return await this.#toDeliveries(spec, messages, { ...this.#deps, receiver });
    } catch (thrown) {
      if (signal.aborted) return [];
      throw this.#toError(thrown);
    } finally {
      idle.push(receiver);
    }
  }

  async #takeSession(spec: Subscription, leftMs: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    const { clock, sessions } = this.#deps;
    const receiver = await this.#acceptSession(spec, leftMs, signal);
    if (receiver === undefined) return [];
    const held = new HeldSession(clock, receiver, () => sessions.delete(held));
    sessions.add(held);
    try {
      const messages = await receiver.receiveMessages(1, { maxWaitTimeInMs: firstMessageMs, abortSignal: signal });
      const deliveries = await this.#toDeliveries(spec, messages, { ...this.#deps, receiver, session: held });
      if (deliveries.length === 0) await held.release();
      return deliveries;
    } catch (thrown) {
      await held.release();
      if (signal.aborted) return [];
      throw this.#toError(thrown);
    }
  }

  async #acceptSession(
    { topic, name }: Subscription,
    leftMs: number,
    signal: AbortSignal,
  ): Promise<ServiceBusSessionReceiver | undefined> {
    const { client, clock } = this.#deps;
    try {
      return await client.acceptNextSession(topic, name, { maxAutoLockRenewalDurationInMs: 0, abortSignal: signal });
    } catch (thrown) {
      if (signal.aborted) return undefined;
      if (!hasCode(thrown, 'ServiceTimeout') && !hasCode(thrown, 'OperationTimeoutError')) throw this.#toError(thrown);
      await sleep(clock, Math.min(sessionPauseMs, leftMs), signal).catch(() => undefined);
      return undefined;
    }
  }

  /** What is no envelope, or was delivered too often, is a dead letter instead. */
  async #toDeliveries(
    spec: Subscription,
    messages: Awaited<ReturnType<ServiceBusReceiver['receiveMessages']>>,
    deps: ServiceBusDeliveryDeps,
  ): Promise<readonly Delivery[]> {
    const deliveries: Delivery[] = [];
    for (const message of messages) {
      const event = readMessage(message, deps.clock.now());
      if (event.parsing.kind === 'invalid')
        await deps.receiver.deadLetterMessage(message, {
          deadLetterReason: busReasons.schemaInvalid,
          deadLetterErrorDescription: event.parsing.message.slice(0, busLimits.descriptionLength),
        });
      else {
        const delivery = new ServiceBusDelivery(deps, spec, message, event, event.parsing.envelope);
        if (event.deliveryCount <= spec.maxDeliveries) deliveries.push(delivery);
        else await delivery.deadLetter({ reason: busReasons.lockExpired, description: lastLock });
      }
    }
    return deliveries;
  }

  #toError(thrown: unknown): Error {
    return hasCode(thrown, 'MessagingEntityNotFound')
      ? busErrors.create('BUS_SUBSCRIPTION_UNKNOWN', this.#name, thrown)
      : toBusError(thrown);
  }
}

const lastLock = 'The lock of the last delivery ended without a settlement.';
