/**
 * The event bus on NATS JetStream. Events stay in the stream of their topic until every subscription has had them;
 * retries and locks are the server's. It knows no dead letters, so those are a stream of their own, and no order by key,
 * so keys share partitions that give out one event at a time: a retry holds back its partition. Filters are applied by
 * the receivers, so `depths` counts what is still to be looked at.
 *
 * Ownership: whoever opens it closes it; it closes its connection.
 */
import {
  AckPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect, headers as createHeaders, type NatsConnection } from '@nats-io/transport-node';
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
import { toNatsConnection } from './nats-address.ts';
import { NatsDeadLetters } from './nats-dead-letters.ts';
import { NatsHistory } from './nats-history.ts';
import {
  allSubjectsOf,
  consumersOf,
  deadLetterStream,
  deadLetterSubject,
  everybody,
  historyStream,
  streamOf,
  subjectOf,
} from './nats-names.ts';
import { NatsReceiver, natsHeaders, toNatsError } from './nats-receiver.ts';

export interface NatsBusDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly inbox: InboxEraser;
}

export interface NatsBusOptions {
  /** `nats://user:password@host:port` or `tls://...`, one or several of a cluster; never logged. */
  readonly servers: readonly string[];
  readonly duplicateWindowMs?: number;
  /** Copies of each stream on a cluster: 1, 3 or 5. */
  readonly replicas?: number;
}

const connectTimeoutMs = 10_000;
const nanosecondsPerMs = 1_000_000;
const dayMs = 86_400_000;

/** Events of one subscription that are out or wait for their retry. */
const outLimit = 20_000;

/** @throws PlatformError BUS_UNAVAILABLE */
export async function openNatsBus(deps: NatsBusDeps, options: NatsBusOptions): Promise<Bus> {
  try {
    const connection = await connect({
      ...toNatsConnection(options.servers),
      name: 'switchyard',
      timeout: connectTimeoutMs,
      maxReconnectAttempts: -1,
    });
    const manager = await jetstreamManager(connection);
    const bus = new NatsBus(deps, options, connection, manager);
    await bus.prepare();
    return bus;
  } catch (thrown) {
    throw toNatsError(thrown);
  }
}

class NatsBus implements Bus {
  readonly deadLetters: DeadLetters;
  readonly #deps: NatsBusDeps;
  readonly #options: NatsBusOptions;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #client: JetStreamClient;
  readonly #history: NatsHistory;
  readonly #specs = new Map<string, Subscription>();
  readonly #topics = new Set<string>();
  readonly #receivers = new Set<Receiver>();

  constructor(deps: NatsBusDeps, options: NatsBusOptions, connection: NatsConnection, manager: JetStreamManager) {
    this.#deps = deps;
    this.#options = options;
    this.#connection = connection;
    this.#manager = manager;
    this.#client = jetstream(connection);
    this.#history = new NatsHistory(this.#client, manager);
    this.deadLetters = new NatsDeadLetters({ client: this.#client, manager, inbox: deps.inbox });
  }

  /** The streams that all topics share. */
  async prepare(): Promise<void> {
    await this.#manager.streams.add({
      ...this.#common(deadLetterStream, 'syd.>'),
      retention: RetentionPolicy.Limits,
      allow_direct: true,
    });
    await this.#manager.streams.add({
      ...this.#common(historyStream, 'syh.>'),
      retention: RetentionPolicy.Limits,
      max_msgs_per_subject: 1,
      max_age: 30 * dayMs * nanosecondsPerMs,
    });
  }

  async ensureSubscription(spec: SubscriptionSpec): Promise<void> {
    const subscription = resolveSubscription(spec);
    const { topic, name, lockMs } = subscription;
    await this.#guard(async () => {
      await this.#ensureTopic(topic);
      for (const consumer of consumersOf(subscription)) {
        const changing = {
          ack_wait: lockMs * nanosecondsPerMs,
          max_deliver: -1,
          max_ack_pending: consumer.isSerial ? 1 : outLimit,
        };
        const known = await this.#findConsumer(topic, consumer.name);
        if (known) await this.#manager.consumers.update(streamOf(topic), consumer.name, changing);
        else
          await this.#manager.consumers.add(streamOf(topic), {
            ...changing,
            durable_name: consumer.name,
            ack_policy: AckPolicy.Explicit,
            filter_subject: consumer.filter,
          });
      }
      // What a former shape of the subscription left would keep events for nobody.
      await this.#removeConsumers({ topic, name, ordered: !subscription.ordered });
    });
    this.#specs.set(nameOf(topic, name), subscription);
  }

  async removeSubscription(topic: string, name: string): Promise<void> {
    await this.#guard(async () => {
      for (const ordered of [false, true]) await this.#removeConsumers({ topic, name, ordered });
      await this.#manager.streams.purge(deadLetterStream, { filter: deadLetterSubject(topic, name) });
    });
    this.#specs.delete(nameOf(topic, name));
  }

  async publish(topic: string, publications: readonly Publication[]): Promise<readonly PublishOutcome[]> {
    assertBusName('topic', topic);
    const bodies = toBodies(publications);
    return this.#guard(async () => {
      await this.#ensureTopic(topic);
      // Sent in their order over one connection, which is the order in which the server takes them.
      const acks = publications.map(({ envelope, orderingKey, notBeforeMs }, index) => {
        const headers = createHeaders();
        if (orderingKey !== undefined) headers.set(natsHeaders.orderingKey, encodeURIComponent(orderingKey));
        if (notBeforeMs !== undefined) headers.set(natsHeaders.notBefore, String(notBeforeMs));
        const subject = subjectOf(topic, everybody, orderingKey);
        return this.#client.publish(subject, bodies[index] ?? '', {
          msgID: encodeURIComponent(envelope.eventId),
          headers,
        });
      });
      return (await Promise.all(acks)).map(({ duplicate }) => (duplicate ? 'duplicate' : 'accepted'));
    });
  }

  openReceiver(topic: string, name: string): Receiver {
    this.#assertOpen();
    const receiver = new NatsReceiver(
      {
        clock: this.#deps.clock,
        random: this.#deps.random,
        connection: this.#connection,
        client: this.#client,
        history: this.#history,
        specOf: () => this.#specs.get(nameOf(topic, name)),
      },
      topic,
      name,
    );
    this.#receivers.add(receiver);
    return receiver;
  }

  async depths(): Promise<readonly SubscriptionDepth[]> {
    return this.#guard(async () => {
      const depths: SubscriptionDepth[] = [];
      const specs = [...this.#specs].sort(([left], [right]) => (left < right ? -1 : 1));
      for (const [, { topic, name, ordered }] of specs) {
        let queued = 0;
        for (const consumer of consumersOf({ topic, name, ordered })) {
          const info = await this.#manager.consumers.info(streamOf(topic), consumer.name);
          queued += info.num_pending + info.num_ack_pending;
        }
        const filter = deadLetterSubject(topic, name);
        const { state } = await this.#manager.streams.info(deadLetterStream, { subjects_filter: filter });
        depths.push({ topic, subscription: name, queued, deadLetters: state.subjects?.[filter] ?? 0 });
      }
      return depths;
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#receivers].map((receiver) => receiver.close()));
    if (!this.#connection.isClosed()) await this.#connection.close();
  }

  async #ensureTopic(topic: string): Promise<void> {
    if (this.#topics.has(topic)) return;
    const { duplicateWindowMs = busLimits.duplicateWindowMs } = this.#options;
    await this.#manager.streams.add({
      ...this.#common(streamOf(topic), allSubjectsOf(topic)),
      // An event goes when all who want it had it.
      retention: RetentionPolicy.Interest,
      duplicate_window: duplicateWindowMs * nanosecondsPerMs,
    });
    this.#topics.add(topic);
  }

  #common(name: string, subject: string) {
    return {
      name,
      subjects: [subject],
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      num_replicas: this.#options.replicas ?? 1,
    };
  }

  async #findConsumer(topic: string, name: string): Promise<boolean> {
    return this.#manager.consumers.info(streamOf(topic), name).then(
      () => true,
      () => false,
    );
  }

  async #removeConsumers(subscription: Pick<Subscription, 'topic' | 'name' | 'ordered'>): Promise<void> {
    for (const { name } of consumersOf(subscription))
      if (await this.#findConsumer(subscription.topic, name))
        await this.#manager.consumers.delete(streamOf(subscription.topic), name);
  }

  async #guard<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#assertOpen();
    try {
      return await work();
    } catch (thrown) {
      throw toNatsError(thrown);
    }
  }

  #assertOpen(): void {
    if (this.#connection.isClosed()) throw busErrors.create('BUS_CLOSED');
  }
}

function nameOf(topic: string, name: string): string {
  return `${topic}/${name}`;
}
