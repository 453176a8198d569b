/**
 * Event Hubs through the official library, which is loaded when it is first used.
 *
 * Ownership: one producer for each hub, for as long as the process lives; readers belong to whoever opened them.
 */
import type { CheckpointStore, EventHubConsumerClient, EventHubProducerClient, EventPosition } from '@azure/event-hubs';
import { messageOf } from '@switchyard/kernel';
import { type AzureIdentities, createAzureIdentities } from '../azure-identity/azure-identities.ts';
import { triggerErrors } from '../errors.ts';
import type {
  EventHubPlace,
  EventHubReader,
  EventHubService,
  OutgoingEvent,
  PartitionExtent,
  PartitionSink,
  PartitionStore,
  ReadingOptions,
  StartPosition,
} from '../event-hub/event-hub-client.ts';
import { type AmqpCodec, loadAmqpCodec } from './annotated-message.ts';
import {
  type ClientOptions,
  clientKeyOf,
  type NamespaceArguments,
  toArguments,
  toClientOptions,
} from './namespace-client.ts';
import { toReceivedEvent } from './received-event.ts';

type Sdk = typeof import('@azure/event-hubs');

const packageName = '@azure/event-hubs';

/** How long the library waits for events before it says that there are none; only then does it see that the line was cut. */
const emptyWaitSeconds = 1;

export function createAzureEventHubs(
  load: () => Promise<Sdk> = () => import('@azure/event-hubs'),
  identities: AzureIdentities = createAzureIdentities({ allowsAmbient: false }),
): EventHubService {
  const producers = new Map<string, EventHubProducerClient>();
  let loading: Promise<Sdk> | undefined;
  const loaded = (): Promise<Sdk> => {
    loading ??= load().catch((thrown) => {
      loading = undefined;
      throw triggerErrors.create('STORAGE_SDK_MISSING', { package: packageName, reason: messageOf(thrown) }, thrown);
    });
    return loading;
  };
  return {
    async read(place, options, store, sink) {
      const access = await toArguments(place.connection, identities);
      const client = await toClientOptions(place.connection);
      const parts = { sdk: await loaded(), codec: await loadAmqpCodec(), access, client };
      return openReader(parts, place, options, store, sink);
    },
    async send(connection, hub, events) {
      const sdk = await loaded();
      const access = await toArguments(connection, identities);
      const key = `${hub} ${clientKeyOf(connection)}`;
      const client = await toClientOptions(connection);
      const producer = producers.get(key) ?? createProducer(sdk, access, hub, client);
      producers.set(key, producer);
      await sendAll(producer, events);
    },
  };
}

function createProducer(
  { EventHubProducerClient: Producer }: Sdk,
  [host, credential]: NamespaceArguments,
  hub: string,
  options: ClientOptions,
): EventHubProducerClient {
  return credential === undefined ? new Producer(host, hub, options) : new Producer(host, hub, credential, options);
}

interface ReaderParts {
  readonly sdk: Sdk;
  readonly codec: AmqpCodec;
  readonly access: NamespaceArguments;
  readonly client: ClientOptions;
}

function openReader(
  { sdk, codec, access: [host, credential], client: ofHostJson }: ReaderParts,
  { hub, consumerGroup }: EventHubPlace,
  options: ReadingOptions,
  store: PartitionStore,
  sink: PartitionSink,
): EventHubReader {
  const clientOptions = {
    ...ofHostJson,
    identifier: options.ownerId,
    loadBalancingOptions: {
      strategy: 'greedy' as const,
      updateIntervalInMs: options.balanceMs,
      partitionOwnershipExpirationIntervalInMs: options.expiryMs,
    },
  };
  const reading = new Set<string>();
  // Whoever closes gives up what is its own, so then it has to see that.
  const closing = new AbortController();
  const isStranded = (partitionId: string, ownerId: string): boolean =>
    ownerId === options.ownerId && !reading.has(partitionId) && !closing.signal.aborted;
  const checkpoints = toCheckpointStore(store, sink, isStranded);
  const { EventHubConsumerClient: Consumer } = sdk;
  const client =
    credential === undefined
      ? new Consumer(consumerGroup, host, hub, checkpoints, clientOptions)
      : new Consumer(consumerGroup, host, hub, credential, checkpoints, clientOptions);
  const subscription = client.subscribe(
    {
      processEvents: (events, { partitionId }) => {
        sink.succeeded();
        return sink.receive(
          partitionId,
          events.map((event) => toReceivedEvent(event, codec)),
        );
      },
      processError: async (thrown) => sink.failed(thrown),
      processInitialize: async ({ partitionId }) => void reading.add(partitionId),
      processClose: async (_reason, { partitionId }) => {
        reading.delete(partitionId);
        sink.closed(partitionId);
      },
    },
    {
      startPosition: toPosition(sdk, options.start),
      maxBatchSize: options.maxEvents,
      maxWaitTimeInSeconds: emptyWaitSeconds,
      prefetchCount: options.prefetchCount,
      trackLastEnqueuedEventProperties: options.tracksLastEvent,
      skipParsingBodyAsJson: true,
    },
  );
  return {
    extents: () => readExtents(client),
    async close() {
      closing.abort();
      await subscription.close();
      await client.close();
    },
  };
}

function toPosition(sdk: Sdk, start: StartPosition): EventPosition {
  switch (start.kind) {
    case 'start':
      return sdk.earliestEventPosition;
    case 'end':
      return sdk.latestEventPosition;
    case 'time':
      return { enqueuedOn: new Date(start.fromMs) };
  }
}

/**
 * What the library asks for, of the store of one place. A partition that is ours and that nobody reads, because an error ended
 * that, is shown as nobody's: the library takes it again at once, and not when it has expired.
 */
function toCheckpointStore(
  store: PartitionStore,
  sink: PartitionSink,
  isStranded: (partitionId: string, ownerId: string) => boolean,
): CheckpointStore {
  return {
    async listOwnership(fullyQualifiedNamespace, eventHubName, consumerGroup) {
      const ownerships = await store.ownerships();
      sink.succeeded();
      return ownerships.map(({ lastModifiedMs, ...ownership }) => ({
        ...ownership,
        ownerId: isStranded(ownership.partitionId, ownership.ownerId) ? '' : ownership.ownerId,
        fullyQualifiedNamespace,
        eventHubName,
        consumerGroup,
        lastModifiedTimeInMs: lastModifiedMs,
      }));
    },
    async claimOwnership(wanted) {
      const claimed = await Promise.all(
        wanted.map(({ partitionId, ownerId, etag }) => store.claim(partitionId, ownerId, etag)),
      );
      return wanted.filter((_, index) => claimed[index]);
    },
    async listCheckpoints(fullyQualifiedNamespace, eventHubName, consumerGroup) {
      const checkpoints = await store.checkpoints();
      return checkpoints.map((checkpoint) => ({
        ...checkpoint,
        fullyQualifiedNamespace,
        eventHubName,
        consumerGroup,
      }));
    },
    updateCheckpoint: ({ partitionId, offset, sequenceNumber }) =>
      store.advance({ partitionId, offset, sequenceNumber }),
  };
}

async function readExtents(client: EventHubConsumerClient): Promise<ReadonlyMap<string, PartitionExtent>> {
  const ids = await client.getPartitionIds();
  const all = await Promise.all(ids.map((id) => client.getPartitionProperties(id)));
  return new Map(
    all.map(({ partitionId, beginningSequenceNumber, lastEnqueuedSequenceNumber: last, isEmpty }) => [
      partitionId,
      { first: isEmpty ? last + 1 : beginningSequenceNumber, last },
    ]),
  );
}

/** As few requests as their sizes allow. */
async function sendAll(producer: EventHubProducerClient, events: readonly OutgoingEvent[]): Promise<void> {
  let batch = await producer.createBatch();
  for (const event of events) {
    if (batch.tryAdd(event)) continue;
    if (batch.count > 0) await producer.sendBatch(batch);
    batch = await producer.createBatch();
    // Alone and still too large: the service says so.
    if (!batch.tryAdd(event)) await producer.sendBatch([event]);
  }
  if (batch.count > 0) await producer.sendBatch(batch);
}
