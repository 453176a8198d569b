/** All trigger and binding kinds, as data. A new kind is a new folder and one line here. */
import type { BlobService } from './blob/blob-client.ts';
import { createBlobInput } from './blob/blob-input.ts';
import { createBlobOutput } from './blob/blob-output.ts';
import { createBlobTrigger } from './blob/blob-trigger.ts';
import { BlobWrites } from './blob/blob-writes.ts';
import type { InputBindingKind, OutputBindingKind, TriggerKind, WebhookExtension } from './contract.ts';
import { createEventGridOutput } from './event-grid/event-grid-output.ts';
import { createEventGridTrigger } from './event-grid/event-grid-trigger.ts';
import { createHttpEventPublisher, type EventPublisher } from './event-grid/event-publisher.ts';
import type { EventHubService } from './event-hub/event-hub-client.ts';
import { createEventHubOutput } from './event-hub/event-hub-output.ts';
import { createEventHubTrigger } from './event-hub/event-hub-trigger.ts';
import { httpOutputKind, httpTriggerKind } from './http/http-trigger.ts';
import { noTokens, type TokenSource } from './identity/token-source.ts';
import type { QueueService } from './queue/queue-client.ts';
import { createQueueOutput } from './queue/queue-output.ts';
import { QueueSignals } from './queue/queue-signals.ts';
import { createQueueTrigger } from './queue/queue-trigger.ts';
import type { RabbitMqService } from './rabbitmq/rabbitmq-client.ts';
import { createRabbitMqOutput } from './rabbitmq/rabbitmq-output.ts';
import { createRabbitMqTrigger } from './rabbitmq/rabbitmq-trigger.ts';
import { createRedisInput, createRedisOutput } from './redis/redis-bindings.ts';
import type { RedisService } from './redis/redis-client.ts';
import { createRedisListTrigger, createRedisPubSubTrigger, createRedisStreamTrigger } from './redis/redis-triggers.ts';
import type { ServiceBusService } from './service-bus/service-bus-client.ts';
import { createServiceBusOutput } from './service-bus/service-bus-output.ts';
import { createServiceBusTrigger } from './service-bus/service-bus-trigger.ts';
import type { Settlements } from './service-bus/settlements.ts';
import type { SingletonLocks } from './singleton/singleton-locks.ts';
import { createSingletonTrigger } from './singleton/singleton-trigger.ts';
import type { TableService } from './table/table-client.ts';
import { createTableInput } from './table/table-input.ts';
import { createTableOutput } from './table/table-output.ts';
import type { TimerStatusStore } from './timer/timer-status-store.ts';
import { createTimerTrigger } from './timer/timer-trigger.ts';
import { warmupTriggerKind } from './warmup/warmup-trigger.ts';

/** What the kinds work with. */
export interface KindsDeps {
  readonly queues: QueueService;
  readonly timerStatus: TimerStatusStore;
  /** Makes blob inputs and outputs, and with `locks` the blob trigger. */
  readonly blobs?: BlobService | undefined;
  /** Makes table inputs and outputs. */
  readonly tables?: TableService | undefined;
  readonly locks?: SingletonLocks | undefined;
  /** True: of all Runtimes that serve an app, one runs its timers. Takes effect with `locks`. */
  readonly singletonTimers?: boolean | undefined;
  /** Makes the Service Bus trigger and output. */
  readonly serviceBus?: ServiceBusService | undefined;
  /** Where workers settle Service Bus messages themselves. */
  readonly settlements?: Settlements | undefined;
  /** Makes the RabbitMQ trigger and output. */
  readonly rabbitMq?: RabbitMqService | undefined;
  /** Makes the Event Hubs output, and with `blobs` the trigger. */
  readonly eventHubs?: EventHubService | undefined;
  /** Makes the Redis triggers, input and output. */
  readonly redis?: RedisService | undefined;
  /** How events reach a topic; over HTTP unless something else is given. */
  readonly events?: EventPublisher | undefined;
  /** Tokens for connections by identity that no library stands in front of; without it there are none. */
  readonly tokens?: TokenSource | undefined;
}

/** The kinds of one process, found by binding type without regard to case. */
export interface Kinds {
  trigger(type: string): TriggerKind | undefined;
  input(type: string): InputBindingKind | undefined;
  output(type: string): OutputBindingKind | undefined;
  /** What services call under `runtime/webhooks/{name}`; the name is in lower case. */
  webhook(name: string): WebhookExtension | undefined;
  /** The types as the documentation spells them, in order, for messages. */
  supportedTriggerTypes(): readonly string[];
  supportedInputTypes(): readonly string[];
  supportedOutputTypes(): readonly string[];
}

/** Makes every kind. Kinds share their signals, so one set of kinds serves all apps of a process. */
export function createKinds(deps: KindsDeps): Kinds {
  const { blobs, tables, locks, serviceBus, rabbitMq, eventHubs, redis } = deps;
  const queues = { service: deps.queues, signals: new QueueSignals() };
  const writes = new BlobWrites();
  const timers = createTimerTrigger({ status: deps.timerStatus });
  const eventGrid = createEventGridTrigger();
  const blobTrigger = blobs && locks && createBlobTrigger({ blobs, queues: deps.queues, locks, writes });
  const webhooks = [eventGrid.webhook, ...(blobTrigger ? [blobTrigger.webhook] : [])];
  const triggers = byType<TriggerKind>([
    httpTriggerKind,
    locks !== undefined && deps.singletonTimers === true ? createSingletonTrigger(timers, { locks }) : timers,
    createQueueTrigger(queues),
    ...(blobTrigger ? [blobTrigger] : []),
    eventGrid.trigger,
    warmupTriggerKind,
    ...(serviceBus ? [createServiceBusTrigger(serviceBus, deps.settlements)] : []),
    ...(rabbitMq ? [createRabbitMqTrigger(rabbitMq)] : []),
    ...(eventHubs && blobs ? [createEventHubTrigger({ service: eventHubs, blobs })] : []),
    ...(redis ? [createRedisPubSubTrigger(redis), createRedisListTrigger(redis), createRedisStreamTrigger(redis)] : []),
  ]);
  const inputs = byType<InputBindingKind>([
    ...(blobs ? [createBlobInput({ blobs })] : []),
    ...(tables ? [createTableInput({ tables })] : []),
    ...(redis ? [createRedisInput(redis)] : []),
  ]);
  const outputs = byType<OutputBindingKind>([
    httpOutputKind,
    createQueueOutput(queues),
    ...(serviceBus ? [createServiceBusOutput(serviceBus)] : []),
    ...(rabbitMq ? [createRabbitMqOutput(rabbitMq)] : []),
    ...(eventHubs ? [createEventHubOutput(eventHubs)] : []),
    ...(redis ? [createRedisOutput(redis)] : []),
    createEventGridOutput({ publisher: deps.events ?? createHttpEventPublisher(deps.tokens ?? noTokens) }),
    ...(blobs ? [createBlobOutput({ blobs, writes })] : []),
    ...(tables ? [createTableOutput({ tables })] : []),
  ]);
  return {
    trigger: (type) => triggers.get(type.toLowerCase()),
    input: (type) => inputs.get(type.toLowerCase()),
    output: (type) => outputs.get(type.toLowerCase()),
    webhook: (name) => webhooks.find((webhook) => webhook.name === name),
    supportedTriggerTypes: () => typesOf(triggers),
    supportedInputTypes: () => typesOf(inputs),
    supportedOutputTypes: () => typesOf(outputs),
  };
}

function byType<Kind extends { readonly type: string }>(kinds: readonly Kind[]): ReadonlyMap<string, Kind> {
  return new Map(kinds.map((kind) => [kind.type.toLowerCase(), kind]));
}

function typesOf(kinds: ReadonlyMap<string, { readonly type: string }>): readonly string[] {
  return [...kinds.values()].map((kind) => kind.type).sort();
}
