/** Service Bus messages as the worker gets them, with the metadata of the official extension. */
import type { BindingDataType } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type { TriggerEvent } from '../contract.ts';
import { toBinaryBindingData, toBinaryBindingDataList } from '../storage/deferred-binding.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData, textData, toTypedData } from '../typed-data.ts';
import type { ServiceBusMessage } from './service-bus-client.ts';

/** How a function wants its messages. */
export interface MessageForm {
  readonly dataType: BindingDataType | undefined;
  /** The worker takes whole messages and reads them itself. */
  readonly isDeferred: boolean;
}

const source = 'AzureServiceBusReceivedMessage';

/** The event of one message. */
export function toServiceBusEvent(message: ServiceBusMessage, entity: string, form: MessageForm): TriggerEvent {
  const metadata = new TriggerMetadata();
  for (const [name, value] of Object.entries(valuesOf(message))) metadata.set(name, toTypedData(value));
  metadata.setJsonProperties(textOf(message));
  return {
    data: dataOf(message, form),
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
  form: MessageForm,
): TriggerEvent {
  const metadata = new TriggerMetadata();
  const all = messages.map(valuesOf);
  for (const name of Object.keys(all[0] ?? {})) {
    metadata.set(`${name}Array`, jsonData(JSON.stringify(all.map((values) => values[name] ?? null))));
  }
  const details = { MessageIdArray: messages.map(({ messageId }) => messageId).join(','), Entity: entity };
  return { data: batchOf(messages, form), metadata: metadata.entries, reason: `(null)`, details };
}

function dataOf(message: ServiceBusMessage, { dataType, isDeferred }: MessageForm): TypedData {
  if (isDeferred) return toBinaryBindingData(source, toWholeMessage(message));
  return wantsBytes(dataType) ? { data: { $case: 'bytes', value: message.body } } : textData(textOf(message));
}

function batchOf(messages: readonly ServiceBusMessage[], { dataType, isDeferred }: MessageForm): TypedData {
  if (isDeferred) return toBinaryBindingDataList(source, messages.map(toWholeMessage));
  return wantsBytes(dataType)
    ? { data: { $case: 'collectionBytes', value: { bytes: messages.map(({ body }) => body) } } }
    : { data: { $case: 'collectionString', value: { string: messages.map(textOf) } } };
}

/** The token of the lock and then the message, as the official extension puts them together. */
function toWholeMessage(message: ServiceBusMessage): Uint8Array {
  return Buffer.concat([toGuidBytes(message.lockToken), message.encode()]);
}

/** The order of .NET, whose first three groups are little-endian. */
function toGuidBytes(uuid: string): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.write(uuid.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function wantsBytes(dataType: BindingDataType | undefined): boolean {
  return dataType === 'binary' || dataType === 'stream';
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
