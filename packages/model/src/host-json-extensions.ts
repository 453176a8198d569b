/** The sections below `extensions` of host.json that the platform knows, with the defaults of each extension. */
import type { ConfigSection } from './config-section.ts';
import { describeValue } from './json-text.ts';

/** Durations in milliseconds. */
export interface HostExtensions {
  readonly http: HttpExtension;
  readonly queues: QueuesExtension;
  readonly blobs: { readonly maxDegreeOfParallelism: number; readonly poisonBlobThreshold: number };
  readonly eventHubs: EventHubsExtension;
  readonly serviceBus: ServiceBusExtension;
  readonly kafka: KafkaExtension;
  readonly rabbitMQ: RabbitMqExtension;
  readonly cosmosDB: { readonly connectionMode: string; readonly userAgentSuffix: string };
  readonly sql: SqlExtension;
  /** How many workers the app may have; undefined when the section is not there. */
  readonly workerModel: WorkerModelExtension | undefined;
}

/** What an app says of its workers. */
export interface WorkerModelExtension {
  readonly maxWorkersPerRuntime: number;
  /** Workers that are kept in each Runtime while the app is active. */
  readonly minWorkersPerRuntime: number;
  /** Whether workers stay on the Runtime that they are on: they may go anywhere, rather stay, or never go. */
  readonly workerAffinityMode: (typeof affinityModes)[number];
  /** How invocations are spread over the app's workers. */
  readonly routingStrategy: (typeof routingStrategies)[number];
}

export interface HttpExtension {
  /** Without slashes at its ends; may be empty. */
  readonly routePrefix: string;
  /** -1: no limit. */
  readonly maxOutstandingRequests: number;
  /** -1: no limit. */
  readonly maxConcurrentRequests: number;
  readonly dynamicThrottlesEnabled: boolean;
  readonly hsts: { readonly isEnabled: boolean; readonly maxAgeMs: number };
  /** Headers that every response carries. */
  readonly customHeaders: ReadonlyMap<string, string>;
}

export interface QueuesExtension {
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxPollingIntervalMs: number;
  readonly maxDequeueCount: number;
  /** How long a message stays invisible after a failure. */
  readonly visibilityTimeoutMs: number;
  readonly messageEncoding: 'base64' | 'none';
}

export interface EventHubsExtension {
  readonly maxEventBatchSize: number;
  readonly minEventBatchSize: number;
  readonly maxWaitTimeMs: number;
  readonly batchCheckpointFrequency: number;
  readonly prefetchCount: number;
  readonly transportType: 'amqpTcp' | 'amqpWebSockets';
  readonly clientRetry: ClientRetryOptions;
  /** May hold a password: never log it. */
  readonly webProxy: string | undefined;
  /** Where connections are opened, in place of the namespace. */
  readonly customEndpointAddress: string | undefined;
  readonly initialOffset: {
    readonly type: 'fromStart' | 'fromEnd' | 'fromEnqueuedTime';
    readonly enqueuedTimeUtc: string | undefined;
  };
  readonly targetUnprocessedEventThreshold: number | undefined;
  readonly partitionOwnershipExpirationIntervalMs: number | undefined;
  readonly loadBalancingUpdateIntervalMs: number | undefined;
  readonly trackLastEnqueuedEventProperties: boolean;
  /** Ours: how many invocations of one partition run at once. One keeps the order of its events. */
  readonly maxConcurrentCallsPerPartition: number;
}

export interface ServiceBusExtension {
  readonly prefetchCount: number;
  readonly transportType: 'amqpTcp' | 'amqpWebSockets';
  readonly autoCompleteMessages: boolean;
  readonly maxAutoLockRenewalDurationMs: number;
  readonly maxConcurrentCalls: number;
  readonly maxConcurrentSessions: number;
  readonly maxConcurrentCallsPerSession: number;
  readonly maxMessageBatchSize: number;
  readonly minMessageBatchSize: number;
  readonly maxBatchWaitTimeMs: number;
  readonly sessionIdleTimeoutMs: number | undefined;
  readonly enableCrossEntityTransactions: boolean;
  readonly clientRetry: ClientRetryOptions;
  /** May hold a password: never log it. */
  readonly webProxy: string | undefined;
}

/** How a client of Service Bus or Event Hubs tries again; what is undefined is the client's to choose. */
export interface ClientRetryOptions {
  readonly mode: 'exponential' | 'fixed' | undefined;
  readonly tryTimeoutMs: number | undefined;
  readonly delayMs: number | undefined;
  readonly maxDelayMs: number | undefined;
  readonly maxRetries: number | undefined;
}

export interface KafkaExtension {
  readonly maxBatchSize: number;
  readonly subscriberIntervalInSeconds: number;
  readonly executorChannelCapacity: number;
  readonly channelFullRetryIntervalInMs: number;
  readonly maxRetries: number;
  readonly commitOnFailure: boolean;
  readonly autoCommitIntervalMs: number;
  readonly sessionTimeoutMs: number;
}

export interface RabbitMqExtension {
  readonly prefetchCount: number;
  readonly queueName: string | undefined;
  /** May hold a password: never log it. */
  readonly connectionString: string | undefined;
  readonly disableCertificateValidation: boolean;
}

export interface SqlExtension {
  readonly maxBatchSize: number;
  readonly pollingIntervalMs: number;
  readonly maxChangesPerWorker: number;
  readonly appLockTimeoutMs: number;
}

const second = 1_000;
const minute = 60_000;

const affinityModes = ['none', 'preferred', 'strict'] as const;
const routingStrategies = ['leastLoaded', 'roundRobin', 'partitionAffinity'] as const;
/** What the design names for apps that name nothing. */
const workersPerRuntime = 20;
/** More workers of one app than that are a mistake. */
const mostWorkersPerRuntime = 1_000;
const transports = ['amqpTcp', 'amqpWebSockets'] as const;
const positive = { minimum: 1 } as const;
const notNegative = { minimum: 0 } as const;
const orUnlimited = { minimum: -1 } as const;

/** Resolves the known sections; unknown keys in them become warnings. */
export function parseHostExtensions(
  extensions: ConfigSection,
  scope: { readonly development: boolean; readonly cpus: number },
): HostExtensions {
  return {
    http: parseHttp(extensions.section('http')),
    queues: parseQueues(extensions.section('queues'), scope),
    blobs: parseBlobs(extensions.section('blobs'), scope.cpus),
    eventHubs: parseEventHubs(extensions.section('eventHubs')),
    serviceBus: parseServiceBus(extensions.section('serviceBus'), scope.cpus),
    kafka: parseKafka(extensions.section('kafka')),
    rabbitMQ: parseRabbitMq(extensions.section('rabbitMQ')),
    cosmosDB: parseCosmosDb(extensions.section('cosmosDB')),
    sql: parseSql(extensions.section('sql')),
    workerModel: extensions.has('workerModel') ? parseWorkerModel(extensions.section('workerModel')) : undefined,
  };
}

function parseHttp(section: ConfigSection): HttpExtension {
  const hsts = section.section('hsts');
  const headers = section.section('customHeaders');
  const parsed = {
    routePrefix: section.string('routePrefix', 'api').replace(/^\/+|\/+$/g, ''),
    maxOutstandingRequests: section.integer('maxOutstandingRequests', -1, orUnlimited),
    maxConcurrentRequests: section.integer('maxConcurrentRequests', -1, orUnlimited),
    dynamicThrottlesEnabled: section.boolean('dynamicThrottlesEnabled', false),
    hsts: {
      isEnabled: hsts.boolean('isEnabled', false),
      maxAgeMs: hsts.timeSpanMs('maxAge', 30 * 24 * 60 * minute, notNegative),
    },
    customHeaders: new Map(headers.entries().map(([name]) => [name, headers.string(name, '')])),
  };
  hsts.ignore('includeSubDomains', 'preload', 'excludedHosts');
  hsts.warnAboutRest();
  section.warnAboutRest();
  return parsed;
}

function parseQueues(section: ConfigSection, scope: { development: boolean; cpus: number }): QueuesExtension {
  const batchSize = section.integer('batchSize', 16, { minimum: 1, maximum: 32 });
  const parsed = {
    batchSize,
    newBatchThreshold: section.integer('newBatchThreshold', Math.floor(batchSize / 2) * scope.cpus, notNegative),
    maxPollingIntervalMs: section.timeSpanMs('maxPollingInterval', scope.development ? 2 * second : minute, {
      minimum: 100,
    }),
    maxDequeueCount: section.integer('maxDequeueCount', 5, positive),
    visibilityTimeoutMs: section.timeSpanMs('visibilityTimeout', 0, { minimum: 0, maximum: 7 * 24 * 60 * minute }),
    messageEncoding: section.choice('messageEncoding', ['base64', 'none'], 'base64'),
  };
  section.warnAboutRest();
  return parsed;
}

function parseBlobs(section: ConfigSection, cpus: number): HostExtensions['blobs'] {
  const parsed = {
    maxDegreeOfParallelism: section.integer('maxDegreeOfParallelism', 8 * cpus, positive),
    poisonBlobThreshold: section.integer('poisonBlobThreshold', 5, positive),
  };
  section.warnAboutRest();
  return parsed;
}

function parseEventHubs(section: ConfigSection): EventHubsExtension {
  const offset = section.section('initialOffsetOptions');
  const parsed = {
    maxEventBatchSize: section.integer('maxEventBatchSize', 100, positive),
    minEventBatchSize: section.integer('minEventBatchSize', 1, positive),
    maxWaitTimeMs: section.timeSpanMs('maxWaitTime', minute, { minimum: 0, maximum: 10 * minute }),
    batchCheckpointFrequency: section.integer('batchCheckpointFrequency', 1, positive),
    prefetchCount: section.integer('prefetchCount', 300, notNegative),
    transportType: section.choice('transportType', transports, 'amqpTcp'),
    clientRetry: parseClientRetry(section.section('clientRetryOptions')),
    webProxy: parseWebProxy(section),
    customEndpointAddress: parseEndpointAddress(section),
    initialOffset: {
      type: offset.choice('type', ['fromStart', 'fromEnd', 'fromEnqueuedTime'], 'fromStart'),
      enqueuedTimeUtc: offset.optionalString('enqueuedTimeUtc'),
    },
    targetUnprocessedEventThreshold: section.optionalInteger('targetUnprocessedEventThreshold', positive),
    partitionOwnershipExpirationIntervalMs: section.optionalTimeSpanMs(
      'partitionOwnershipExpirationInterval',
      positive,
    ),
    loadBalancingUpdateIntervalMs: section.optionalTimeSpanMs('loadBalancingUpdateInterval', positive),
    trackLastEnqueuedEventProperties: section.boolean('trackLastEnqueuedEventProperties', false),
    maxConcurrentCallsPerPartition: section.integer('maxConcurrentCallsPerPartition', 1, positive),
  };
  offset.warnAboutRest();
  warnOfProxy(section, parsed);
  section.warnAboutRest();
  return parsed;
}

function parseServiceBus(section: ConfigSection, cpus: number): ServiceBusExtension {
  const parsed = {
    prefetchCount: section.integer('prefetchCount', 0, notNegative),
    transportType: section.choice('transportType', transports, 'amqpTcp'),
    autoCompleteMessages: section.boolean('autoCompleteMessages', true),
    maxAutoLockRenewalDurationMs: section.timeSpanMs('maxAutoLockRenewalDuration', 5 * minute, notNegative),
    maxConcurrentCalls: section.integer('maxConcurrentCalls', 16 * cpus, positive),
    maxConcurrentSessions: section.integer('maxConcurrentSessions', 8, positive),
    maxConcurrentCallsPerSession: section.integer('maxConcurrentCallsPerSession', 1, positive),
    maxMessageBatchSize: section.integer('maxMessageBatchSize', 1_000, positive),
    minMessageBatchSize: section.integer('minMessageBatchSize', 1, positive),
    maxBatchWaitTimeMs: section.timeSpanMs('maxBatchWaitTime', 30 * second, notNegative),
    sessionIdleTimeoutMs: section.optionalTimeSpanMs('sessionIdleTimeout', positive),
    enableCrossEntityTransactions: section.boolean('enableCrossEntityTransactions', false),
    clientRetry: parseClientRetry(section.section('clientRetryOptions')),
    webProxy: parseWebProxy(section),
  };
  if (parsed.prefetchCount > 0) {
    section.warn('prefetchCount', 'has no effect here: as many messages are asked for as functions may run');
  }
  if (parsed.enableCrossEntityTransactions) {
    section.warn('enableCrossEntityTransactions', 'has no effect here: the client has no transactions');
  }
  warnOfProxy(section, parsed);
  section.warnAboutRest();
  return parsed;
}

function parseClientRetry(section: ConfigSection): ClientRetryOptions {
  const parsed = {
    mode: section.has('mode') ? section.choice('mode', ['exponential', 'fixed'], 'exponential') : undefined,
    tryTimeoutMs: section.optionalTimeSpanMs('tryTimeout', positive),
    delayMs: section.optionalTimeSpanMs('delay', notNegative),
    maxDelayMs: section.optionalTimeSpanMs('maxDelay', notNegative),
    maxRetries: section.optionalInteger('maxRetries', { minimum: 0, maximum: 100 }),
  };
  section.warnAboutRest();
  return parsed;
}

/** The message does not repeat the address, which may hold a password. */
function parseWebProxy(section: ConfigSection): string | undefined {
  const address = section.optionalString('webProxy') || undefined;
  if (address === undefined || isAddress(address, /^https?:$/)) return address;
  section.fail('webProxy', 'must be the address of a proxy, such as http://proxy:8080');
  return undefined;
}

function parseEndpointAddress(section: ConfigSection): string | undefined {
  const address = section.optionalString('customEndpointAddress') || undefined;
  if (address === undefined || isAddress(address, /^(?:sb|amqps?|https?):$/)) return address;
  section.fail(
    'customEndpointAddress',
    `is ${describeValue(address)} and must be an address such as sb://gateway:5671`,
  );
  return undefined;
}

function isAddress(text: string, protocol: RegExp): boolean {
  return URL.canParse(text) && protocol.test(new URL(text).protocol) && new URL(text).host !== '';
}

/** As in the official client, AMQP alone goes through no proxy. */
function warnOfProxy(
  section: ConfigSection,
  { webProxy, transportType }: { readonly webProxy: string | undefined; readonly transportType: string },
): void {
  if (webProxy !== undefined && transportType !== 'amqpWebSockets')
    section.warn('webProxy', 'has no effect without "transportType": "amqpWebSockets"');
}

function parseKafka(section: ConfigSection): KafkaExtension {
  const parsed = {
    maxBatchSize: section.integer('maxBatchSize', 64, positive),
    subscriberIntervalInSeconds: section.integer('subscriberIntervalInSeconds', 1, positive),
    executorChannelCapacity: section.integer('executorChannelCapacity', 1, positive),
    channelFullRetryIntervalInMs: section.integer('channelFullRetryIntervalInMs', 50, positive),
    maxRetries: section.integer('maxRetries', 5, notNegative),
    commitOnFailure: section.boolean('commitOnFailure', true),
    autoCommitIntervalMs: section.integer('autoCommitIntervalMs', 200, notNegative),
    sessionTimeoutMs: section.integer('sessionTimeoutMs', 10_000, positive),
  };
  // Everything else goes to the client library by the names that it has there.
  section.entries();
  return parsed;
}

function parseRabbitMq(section: ConfigSection): RabbitMqExtension {
  const parsed = {
    prefetchCount: section.integer('prefetchCount', 30, notNegative),
    queueName: section.optionalString('queueName'),
    connectionString: section.optionalString('connectionString'),
    disableCertificateValidation: section.boolean('disableCertificateValidation', false),
  };
  section.ignore('hostName', 'userName', 'password', 'port');
  section.warnAboutRest();
  return parsed;
}

function parseCosmosDb(section: ConfigSection): HostExtensions['cosmosDB'] {
  const parsed = {
    connectionMode: section.string('connectionMode', 'Gateway'),
    userAgentSuffix: section.string('userAgentSuffix', ''),
  };
  section.ignore('protocol', 'leaseOptions');
  section.warnAboutRest();
  return parsed;
}

function parseSql(section: ConfigSection): SqlExtension {
  const parsed = {
    maxBatchSize: section.integer('maxBatchSize', 100, positive),
    pollingIntervalMs: section.integer('pollingIntervalMs', 1_000, { minimum: 100 }),
    maxChangesPerWorker: section.integer('maxChangesPerWorker', 1_000, positive),
    appLockTimeoutMs: section.integer('appLockTimeoutMs', 30_000, { minimum: 1_000 }),
  };
  section.warnAboutRest();
  return parsed;
}

function parseWorkerModel(section: ConfigSection): WorkerModelExtension {
  const maxWorkersPerRuntime = section.integer('maxWorkersPerRuntime', workersPerRuntime, {
    minimum: 1,
    maximum: mostWorkersPerRuntime,
  });
  const parsed = {
    maxWorkersPerRuntime,
    minWorkersPerRuntime: section.integer('minWorkersPerRuntime', 1, { minimum: 0, maximum: maxWorkersPerRuntime }),
    workerAffinityMode: section.choice('workerAffinityMode', affinityModes, 'none'),
    routingStrategy: section.choice('routingStrategy', routingStrategies, 'leastLoaded'),
  };
  section.warnAboutRest();
  return parsed;
}
