/** The queues, topics and event hubs of a peer, found by the addresses that clients attach to. */
import type { Clock, Random } from '@switchyard/kernel';
import type { Message } from 'rhea';
import { AmqpEventHub } from './amqp-event-hub.ts';
import { AmqpQueue, type AmqpQueueOptions, deadLetterSuffix } from './amqp-queue.ts';
import { type AmqpSubscription, type AmqpTopic, passesRules } from './amqp-topic.ts';

export interface AmqpEntityOptions extends Partial<AmqpQueueOptions> {
  /** How long message ids are remembered against duplicates; 0 for not at all. */
  readonly duplicateWindowMs?: number;
}

/** Where messages are sent to. */
interface AmqpTarget {
  readonly duplicateWindowMs: number;
  readonly seen: Map<string, number>;
  deliver(message: Message, dueMs: number): number;
}

export class AmqpEntities {
  readonly #deps: { readonly clock: Clock; readonly random: Random };
  readonly #queues = new Map<string, AmqpQueue>();
  readonly #topics = new Map<string, AmqpTopic>();
  readonly #targets = new Map<string, AmqpTarget>();
  readonly #hubs = new Map<string, AmqpEventHub>();

  constructor(deps: { readonly clock: Clock; readonly random: Random }) {
    this.#deps = deps;
  }

  declareQueue(name: string, { duplicateWindowMs = 0, ...options }: AmqpEntityOptions = {}): AmqpQueue {
    const queue = new AmqpQueue(this.#deps, name, resolve(options));
    this.#queues.set(key(name), queue);
    this.#targets.set(key(name), {
      duplicateWindowMs,
      seen: new Map(),
      deliver: (message, dueMs) => queue.put(message, dueMs),
    });
    return queue;
  }

  declareEventHub(name: string, partitionCount: number): AmqpEventHub {
    const hub = new AmqpEventHub(this.#deps.clock, name, partitionCount);
    this.#hubs.set(key(name), hub);
    const target = (partitionId?: string): AmqpTarget => ({
      duplicateWindowMs: 0,
      seen: new Map(),
      deliver: (message) => {
        hub.append(message, partitionId);
        return 0;
      },
    });
    this.#targets.set(key(name), target());
    for (const partitionId of hub.partitionIds)
      this.#targets.set(key(`${name}/Partitions/${partitionId}`), target(partitionId));
    return hub;
  }

  eventHub(name: string): AmqpEventHub | undefined {
    return this.#hubs.get(key(name));
  }

  declareTopic(name: string, { duplicateWindowMs = 0 }: Pick<AmqpEntityOptions, 'duplicateWindowMs'> = {}): AmqpTopic {
    const known = this.#topics.get(key(name));
    if (known !== undefined) return known;
    const topic: AmqpTopic = { name, subscriptions: new Map() };
    this.#topics.set(key(name), topic);
    this.#targets.set(key(name), {
      duplicateWindowMs,
      seen: new Map(),
      deliver: (message, dueMs) => {
        let sequence = 0;
        for (const { queue, rules } of topic.subscriptions.values())
          if (passesRules(rules.values(), message)) sequence = queue.put({ ...message }, dueMs);
        return sequence;
      },
    });
    return topic;
  }

  declareSubscription(topicName: string, name: string, options: AmqpEntityOptions = {}): AmqpSubscription {
    const topic = this.declareTopic(topicName);
    const known = topic.subscriptions.get(key(name));
    if (known !== undefined) return known;
    const path = `${topicName}/Subscriptions/${name}`;
    const queue = new AmqpQueue(this.#deps, path, resolve(options));
    const subscription = { queue, rules: new Map([['$Default', { name: '$Default', filter: {} }]]) };
    topic.subscriptions.set(key(name), subscription);
    this.#queues.set(key(path), queue);
    return subscription;
  }

  removeSubscription(topicName: string, name: string): boolean {
    const queue = this.#queues.get(key(`${topicName}/Subscriptions/${name}`));
    queue?.close();
    this.#queues.delete(key(`${topicName}/Subscriptions/${name}`));
    return this.#topics.get(key(topicName))?.subscriptions.delete(key(name)) ?? false;
  }

  /** The queue that an address names: of a queue, a subscription, or the dead letters of either. */
  queue(address: string): AmqpQueue | undefined {
    const suffix = key(deadLetterSuffix);
    if (!key(address).endsWith(suffix)) return this.#queues.get(key(address));
    return this.#queues.get(key(address).slice(0, -suffix.length))?.deadLetters;
  }

  subscription(address: string): AmqpSubscription | undefined {
    const [, topic, name] = /^(.+)\/subscriptions\/([^/]+)$/.exec(key(address)) ?? [];
    return topic === undefined || name === undefined ? undefined : this.#topics.get(topic)?.subscriptions.get(name);
  }

  hasTarget(address: string): boolean {
    return this.#targets.has(key(address));
  }

  /** Takes a message unless its id was seen within the window; a duplicate is taken and dropped, as the real one does. */
  send(address: string, message: Message, dueMs = 0): number | undefined {
    const target = this.#targets.get(key(address));
    if (target === undefined) return undefined;
    const id = message.message_id === undefined ? undefined : String(message.message_id);
    const nowMs = this.#deps.clock.now();
    if (id !== undefined && target.duplicateWindowMs > 0) {
      if ((target.seen.get(id) ?? 0) > nowMs) return 0;
      target.seen.set(id, nowMs + target.duplicateWindowMs);
    }
    return target.deliver(message, dueMs);
  }

  /** Takes back what was scheduled. */
  cancel(address: string, sequence: number): void {
    this.#queues.get(key(address))?.cancel(sequence);
    for (const { queue } of this.#topics.get(key(address))?.subscriptions.values() ?? []) queue.cancel(sequence);
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.close();
  }
}

/** Names are compared without case. */
function key(name: string): string {
  return name.toLowerCase();
}

function resolve(options: Partial<AmqpQueueOptions>): AmqpQueueOptions {
  return {
    lockMs: options.lockMs ?? 30_000,
    maxDeliveryCount: options.maxDeliveryCount ?? 10,
    requiresSession: options.requiresSession ?? false,
  };
}
