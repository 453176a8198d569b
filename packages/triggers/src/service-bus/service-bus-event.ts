/** Service Bus messages as the worker gets them, with the metadata of the official extension. */
import type { BindingDataType } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type { TriggerEvent } from '../contract.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData, textData, toTypedData } from '../typed-data.ts';
import type { ServiceBusMessage } from './service-bus-client.ts';

/** The event of one message. */
export function toServiceBusEvent(
  message: ServiceBusMessage,
  entity: string,
  dataType: BindingDataType | undefined,
): TriggerEvent {
  const metadata = new TriggerMetadata();
  for (const [name, value] of Object.entries(valuesOf(message))) metadata.set(name, toTypedData(value));
  metadata.setJsonProperties(textOf(message));
  return {
    data: dataType === 'binary' || dataType === 'stream' ? bytesData(message) : textData(textOf(message)),
    metadata: metadata.entries,
    reason: `(null)`,
    details: {
      MessageId: message.messageId,
      SequenceNumber: message.sequenceNumber,
      DeliveryCount: String(message.deliveryCount),
      EnqueuedTimeUtc: toTime(message.enqueuedMs),
      Entity: entity,
    },
  };
}

/** The event of a batch: the metadata are lists, under the same names with `Array` behind them. */
export function toServiceBusBatchEvent(
  messages: readonly ServiceBusMessage[],
  entity: string,
  dataType: BindingDataType | undefined,
): TriggerEvent {
  const metadata = new TriggerMetadata();
  const all = messages.map(valuesOf);
  for (const name of Object.keys(all[0] ?? {})) {
    metadata.set(`${name}Array`, jsonData(JSON.stringify(all.map((values) => values[name] ?? null))));
  }
  const wantsBytes = dataType === 'binary' || dataType === 'stream';
  const data: TypedData = wantsBytes
    ? { data: { $case: 'collectionBytes', value: { bytes: messages.map(({ body }) => body) } } }
    : { data: { $case: 'collectionString', value: { string: messages.map(textOf) } } };
  const details = { MessageIdArray: messages.map(({ messageId }) => messageId).join(','), Entity: entity };
  return { data, metadata: metadata.entries, reason: `(null)`, details };
}

function bytesData({ body }: ServiceBusMessage): TypedData {
  return { data: { $case: 'bytes', value: body } };
}

function textOf({ body }: ServiceBusMessage): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

function valuesOf(message: ServiceBusMessage): Record<string, unknown> {
  const { applicationProperties } = message;
  const [expires, enqueued] = [toTime(message.expiresMs), toTime(message.enqueuedMs)];
  return {
    DeliveryCount: message.deliveryCount,
    DeadLetterSource: message.deadLetterSource ?? null,
    LockToken: message.lockToken,
    ExpiresAt: expires,
    ExpiresAtUtc: expires,
    EnqueuedTime: enqueued,
    EnqueuedTimeUtc: enqueued,
    MessageId: message.messageId,
    ContentType: message.contentType ?? null,
    ReplyTo: message.replyTo ?? null,
    SequenceNumber: Number(message.sequenceNumber),
    To: message.to ?? null,
    Subject: message.subject ?? null,
    Label: message.subject ?? null,
    CorrelationId: message.correlationId ?? null,
    ApplicationProperties: applicationProperties,
    UserProperties: applicationProperties,
    SessionId: message.sessionId ?? null,
    ReplyToSessionId: message.replyToSessionId ?? null,
    PartitionKey: message.partitionKey ?? null,
    TransactionPartitionKey: null,
  };
}

function toTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
