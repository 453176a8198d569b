/**
 * The event bus on Azure Service Bus, through the official client. Topics need duplicate detection, ordered subscriptions
 * need sessions; the provisioner makes them so. The broker drops duplicates silently, so `publish` never says
 * `duplicate`. Retries of unordered subscriptions are scheduled copies for that subscription alone; retries of ordered
 * ones hold the session until they are due.
 *
 * Ownership: whoever opens it closes it; it closes the client with everything that it opened.
 */
import { ServiceBusClient, type ServiceBusReceiver, type ServiceBusSender } from '@azure/service-bus';
import type { Clock, Random } from '@switchyard/kernel';
import type {
  Bus,
  DeadLetters,
  InboxEraser,
  Publication,
  PublishOutcome,
  Receiver,
  Subscription,
  SubscriptionDepth,
  SubscriptionSpec,
} from '../contract.ts';
import { busErrors } from '../errors.ts';
import { busLimits } from '../limits.ts';
import { toBodies } from '../publication-bodies.ts';
import { assertBusName, resolveSubscription } from '../resolve-subscription.ts';
import type { HeldSession } from './held-session.ts';
import { createServiceBusProvisioner, type ServiceBusProvisioner } from './provisioner.ts';
import { ServiceBusDeadLetters } from './service-bus-dead-letters.ts';
import { toBusError } from './service-bus-error.ts';
import { toMessage } from './service-bus-message.ts';
import { ServiceBusEventReceiver } from './service-bus-receiver.ts';
import { syncRules, toRules } from './service-bus-rules.ts';

export interface ServiceBusDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly inbox: InboxEraser;
  /** Left out, the management API of the namespace. */
  readonly provisioner?: ServiceBusProvisioner;
}

export interface ServiceBusOptions {
  /** Never logged. */
  readonly connectionString: string;
  readonly duplicateWindowMs?: number;
}

/** Tries of the client: ours come on top, with the waits of the relay and the consumers. */
const retryOptions = { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 2_000, timeoutInMs: 10_000 };

/** Opens nothing yet: the client connects with the first call. */
export function openServiceBus(deps: ServiceBusDeps, options: ServiceBusOptions): Bus {
  const { connectionString, duplicateWindowMs = busLimits.duplicateWindowMs } = options;
  const client = new ServiceBusClient(connectionString, { retryOptions });
  const provisioner = deps.provisioner ?? createServiceBusProvisioner(connectionString);
  return new ServiceBus({ ...deps, provisioner }, client, duplicateWindowMs);
}

class ServiceBus implements Bus {
  readonly deadLetters: DeadLetters;
  readonly #deps: Required<ServiceBusDeps>;
  readonly #client: ServiceBusClient;
  readonly #duplicateWindowMs: number;
  readonly #specs = new Map<string, Subscription>();
  readonly #topics = new Set<string>();
  readonly #senders = new Map<string, ServiceBusSender>();
  readonly #idle = new Map<string, ServiceBusReceiver[]>();
  readonly #sessions = new Set<HeldSession>();
  readonly #receivers = new Set<Receiver>();
  #isOpen = true;

  constructor(deps: Required<ServiceBusDeps>, client: ServiceBusClient, duplicateWindowMs: number) {
    this.#deps = deps;
    this.#client = client;
    this.#duplicateWindowMs = duplicateWindowMs;
    this.deadLetters = new ServiceBusDeadLetters({
      clock: deps.clock,
      inbox: deps.inbox,
      client,
      subscriptions: () => this.#sorted(),
      senderOf: (topic) => this.#senderOf(topic),
    });
  }

  async ensureSubscription(spec: SubscriptionSpec): Promise<void> {
    const subscription = resolveSubscription(spec);
    const rules = toRules(subscription);
    this.#assertOpen();
    await this.#guard(async () => {
      await this.#ensureTopic(subscription.topic);
      await this.#deps.provisioner.ensureSubscription(subscription);
      await syncRules(this.#client.createRuleManager(subscription.topic, subscription.name), rules);
    });
    this.#specs.set(nameOf(subscription.topic, subscription.name), subscription);
  }

  async removeSubscription(topic: string, name: string): Promise<void> {
    this.#assertOpen();
    await this.#guard(() => this.#deps.provisioner.removeSubscription(topic, name));
    this.#specs.delete(nameOf(topic, name));
    for (const receiver of this.#idle.get(nameOf(topic, name)) ?? []) await receiver.close();
    this.#idle.delete(nameOf(topic, name));
  }

  async publish(topic: string, publications: readonly Publication[]): Promise<readonly PublishOutcome[]> {
    assertBusName('topic', topic);
    this.#assertOpen();
    toBodies(publications);
    if (publications.length === 0) return [];
    await this.#guard(async () => {
      await this.#ensureTopic(topic);
      await this.#send(topic, publications);
    });
    return publications.map(() => 'accepted');
  }

  openReceiver(topic: string, name: string): Receiver {
    this.#assertOpen();
    const key = nameOf(topic, name);
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    const { clock, random } = this.#deps;
    const receiver = new ServiceBusEventReceiver(
      {
        clock,
        random,
        client: this.#client,
        sender: this.#senderOf(topic),
        specOf: () => this.#specs.get(key),
        idle,
        sessions: this.#sessions,
      },
      topic,
      name,
    );
    this.#receivers.add(receiver);
    return receiver;
  }

  async depths(): Promise<readonly SubscriptionDepth[]> {
    this.#assertOpen();
    const depths: SubscriptionDepth[] = [];
    for (const { topic, name } of this.#sorted()) {
      const depth = await this.#guard(() => this.#deps.provisioner.depth(topic, name));
      if (depth !== undefined) depths.push({ topic, subscription: name, ...depth });
    }
    return depths;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    for (const receiver of this.#receivers) await receiver.close();
    await Promise.all([...this.#sessions].map((session) => session.release()));
    await this.#client.close();
  }

  /** Asked once: the management API is slow, and nobody removes a topic that is in use. */
  async #ensureTopic(topic: string): Promise<void> {
    if (this.#topics.has(topic)) return;
    await this.#deps.provisioner.ensureTopic(topic, this.#duplicateWindowMs);
    this.#topics.add(topic);
  }

  /** As many messages of a call as fit go together, in their order. */
  async #send(topic: string, publications: readonly Publication[]): Promise<void> {
    const sender = this.#senderOf(topic);
    let batch = await sender.createMessageBatch();
    for (const publication of publications) {
      const message = toMessage(publication);
      if (batch.tryAddMessage(message)) continue;
      if (batch.count > 0) await sender.sendMessages(batch);
      batch = await sender.createMessageBatch();
      if (batch.tryAddMessage(message)) continue;
      const reason = 'the namespace takes no message of its size';
      throw busErrors.create('BUS_EVENT_TOO_LARGE', { eventId: publication.envelope.eventId, reason });
    }
    if (batch.count > 0) await sender.sendMessages(batch);
  }

  #senderOf(topic: string): ServiceBusSender {
    const known = this.#senders.get(topic);
    if (known !== undefined) return known;
    const sender = this.#client.createSender(topic);
    this.#senders.set(topic, sender);
    return sender;
  }

  #sorted(): readonly Subscription[] {
    return [...this.#specs].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, spec]) => spec);
  }

  async #guard<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (thrown) {
      throw toBusError(thrown);
    }
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw busErrors.create('BUS_CLOSED');
  }
}

function nameOf(topic: string, name: string): string {
  return `${topic}/${name}`;
}
