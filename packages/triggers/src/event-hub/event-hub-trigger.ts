/** The Event Hubs trigger: the events of a consumer group, one at a time or in batches. */
import type { BlobService } from '../blob/blob-client.ts';
import type { ListenerTriggerKind } from '../contract.ts';
import { isDeferred } from '../storage/deferred-binding.ts';
import { requireHostStorage } from '../storage/host-storage.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { createBlobPartitionStore } from './blob-partition-store.ts';
import { bindingInvalid, parseEventHubConnection, parseHubName, readText } from './event-hub-binding.ts';
import type { EventHubService, StartPosition } from './event-hub-client.ts';
import { EventHubListener, type EventHubTriggerOptions } from './event-hub-listener.ts';

export interface EventHubTriggerDeps {
  readonly service: EventHubService;
  /** Where ownership and checkpoints are kept. */
  readonly blobs: BlobService;
}

interface Options extends EventHubTriggerOptions {
  readonly storage: StorageConnection;
}

const defaultConsumerGroup = '$Default';

export function createEventHubTrigger({ service, blobs }: EventHubTriggerDeps): ListenerTriggerKind<Options> {
  return {
    style: 'listener',
    type: 'eventHubTrigger',
    parse(binding, scope) {
      const limits = scope.extensions.eventHubs;
      const invalid = (problem: string): Error => bindingInvalid(binding, scope, problem);
      const cardinality = String(binding.raw.cardinality ?? 'one').toLowerCase();
      if (cardinality !== 'one' && cardinality !== 'many') {
        throw invalid(`"cardinality" is ${JSON.stringify(binding.raw.cardinality)}, but it must be one or many`);
      }
      const isBatch = cardinality === 'many';
      if (isBatch && limits.minEventBatchSize > limits.maxEventBatchSize) {
        throw invalid(
          `host.json asks for batches of at least ${limits.minEventBatchSize} and at most ${limits.maxEventBatchSize} events`,
        );
      }
      const named = parseEventHubConnection(binding, scope);
      return {
        place: {
          connection: named.connection,
          hub: parseHubName(binding, scope, named),
          consumerGroup: readText('consumerGroup', binding, scope) ?? defaultConsumerGroup,
        },
        storage: requireHostStorage(scope, binding.name),
        isBatch,
        dataType: binding.dataType,
        isDeferred: isDeferred(binding),
        start: toStart(limits.initialOffset, invalid),
        limits,
      };
    },
    listen(options, context) {
      const store = createBlobPartitionStore({ ...context, blobs }, options.storage, options.place);
      return new EventHubListener({ service, store }, options, context);
    },
  };
}

function toStart(
  { type, enqueuedTimeUtc }: EventHubTriggerOptions['limits']['initialOffset'],
  invalid: (problem: string) => Error,
): StartPosition {
  if (type === 'fromStart') return { kind: 'start' };
  if (type === 'fromEnd') return { kind: 'end' };
  const fromMs = Date.parse(enqueuedTimeUtc ?? '');
  if (Number.isNaN(fromMs)) {
    const given = enqueuedTimeUtc === undefined ? 'nothing' : `'${enqueuedTimeUtc}'`;
    throw invalid(`host.json begins at "enqueuedTimeUtc", which is ${given} and no time such as 2026-01-31T00:00:00Z`);
  }
  return { kind: 'time', fromMs };
}
