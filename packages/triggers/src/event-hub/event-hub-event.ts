/** Events of a hub as the worker gets them, with the metadata of the official extension. */
import type { BindingDataType } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type { TriggerEvent } from '../contract.ts';
import { toBinaryBindingData, toBinaryBindingDataList } from '../storage/deferred-binding.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData, textData, toTypedData } from '../typed-data.ts';
import type { EventHubPlace, ReceivedEvent } from './event-hub-client.ts';

/** How a function wants its events. */
export interface EventForm {
  readonly place: EventHubPlace;
  readonly dataType: BindingDataType | undefined;
  /** The worker takes whole messages and reads them itself. */
  readonly isDeferred: boolean;
}

/** Which partition, and whether its checkpoint moves when the function has ended. */
export interface EventPlace {
  readonly partitionId: string;
  readonly isCheckpointing: boolean;
}

const source = 'AzureEventHubsEventData';

/** The event of one. */
export function toHubEvent(event: ReceivedEvent, form: EventForm, place: EventPlace): TriggerEvent {
  const metadata = contextMetadata(form, place);
  for (const [name, value] of Object.entries(valuesOf(event))) metadata.set(name, toTypedData(value));
  metadata.setJsonProperties(textOf(event));
  return {
    data: dataOf(event, form),
    metadata: metadata.entries,
    reason: '(null)',
    details: detailsOf([event], place),
    partitionKey: partitionKeyOf(form, place),
  };
}

/** The event of several: the metadata are lists, under the same names with `Array` behind them. */
export function toHubBatchEvent(events: readonly ReceivedEvent[], form: EventForm, place: EventPlace): TriggerEvent {
  const metadata = contextMetadata(form, place);
  const all = events.map(valuesOf);
  for (const name of Object.keys(all[0] ?? {})) {
    metadata.set(`${name}Array`, jsonData(JSON.stringify(all.map((values) => values[name] ?? null))));
  }
  return {
    data: batchOf(events, form),
    metadata: metadata.entries,
    reason: '(null)',
    details: detailsOf(events, place),
    partitionKey: partitionKeyOf(form, place),
  };
}

/** The same for all events of a partition, and for no others of the app. */
function partitionKeyOf({ place }: EventForm, { partitionId }: EventPlace): string {
  return [place.connection.namespace, place.hub, partitionId].join('/').toLowerCase();
}

function contextMetadata({ place }: EventForm, { partitionId, isCheckpointing }: EventPlace): TriggerMetadata {
  const metadata = new TriggerMetadata();
  const context = {
    IsCheckpointingAfterInvocation: isCheckpointing,
    FullyQualifiedNamespace: place.connection.namespace,
    EventHubName: place.hub,
    ConsumerGroup: place.consumerGroup,
    PartitionId: partitionId,
  };
  metadata.set('PartitionContext', jsonData(JSON.stringify(context)));
  return metadata;
}

function valuesOf(event: ReceivedEvent): Record<string, unknown> {
  const known = {
    PartitionKey: event.partitionKey ?? null,
    Offset: event.offset,
    SequenceNumber: event.sequenceNumber,
    EnqueuedTimeUtc: toTime(event.enqueuedMs),
  };
  return {
    ...known,
    Properties: event.properties,
    SystemProperties: { ...event.systemProperties, ...known },
  };
}

function dataOf(event: ReceivedEvent, { dataType, isDeferred }: EventForm): TypedData {
  if (isDeferred) return toBinaryBindingData(source, event.encode());
  return wantsBytes(dataType) ? { data: { $case: 'bytes', value: event.body } } : textData(textOf(event));
}

function batchOf(events: readonly ReceivedEvent[], { dataType, isDeferred }: EventForm): TypedData {
  if (isDeferred)
    return toBinaryBindingDataList(
      source,
      events.map((event) => event.encode()),
    );
  return wantsBytes(dataType)
    ? { data: { $case: 'collectionBytes', value: { bytes: events.map(({ body }) => body) } } }
    : { data: { $case: 'collectionString', value: { string: events.map(textOf) } } };
}

/** `PartionId` is spelt so by the official extension, and logs are searched for it. */
function detailsOf(events: readonly ReceivedEvent[], { partitionId }: EventPlace): Readonly<Record<string, string>> {
  const range = (read: (event: ReceivedEvent) => string): string => {
    const [first, last] = [events[0], events.at(-1)].map((event) => (event === undefined ? '' : read(event)));
    return events.length === 1 ? `${first}` : `${first}-${last}`;
  };
  return {
    PartionId: partitionId,
    Offset: range(({ offset }) => offset),
    EnqueueTimeUtc: range(({ enqueuedMs }) => toTime(enqueuedMs)),
    SequenceNumber: range(({ sequenceNumber }) => String(sequenceNumber)),
    Count: String(events.length),
  };
}

function wantsBytes(dataType: BindingDataType | undefined): boolean {
  return dataType === 'binary' || dataType === 'stream';
}

function textOf({ body }: ReceivedEvent): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

function toTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
