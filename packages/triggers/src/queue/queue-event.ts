/** A queue message as the worker gets it. */
import type { BindingDataType } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type { TriggerEvent } from '../contract.ts';
import { toModelBindingData } from '../storage/deferred-binding.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData, textData } from '../typed-data.ts';
import { decodeMessage, type MessageContent, type MessageEncoding } from './message-encoding.ts';
import type { QueueMessage } from './queue-client.ts';

/** How a function wants its messages. */
export interface QueueMessageForm {
  readonly dataType: BindingDataType | undefined;
  /** The worker takes messages with all that the queue says of them. */
  readonly isDeferred: boolean;
}

/** What the official extension calls itself. */
const source = 'AzureStorageQueues';

/**
 * Maps a message to an event. The value is text unless the binding asks for bytes, or for the message as a whole. `trigger_metadata` has the official
 * names, and the top-level properties of a JSON message, which win over those.
 */
export function toQueueEvent(
  message: QueueMessage,
  queueName: string,
  encoding: MessageEncoding,
  form: QueueMessageForm,
): TriggerEvent {
  const content = decodeMessage(message.text, encoding);
  return {
    data: dataOf(message, content, form),
    metadata: toMetadata(message, content.text),
    reason: `New queue message detected on '${queueName}'.`,
    details: {
      MessageId: message.id,
      DequeueCount: String(message.dequeueCount),
      InsertedOn: toOffsetTime(message.insertedMs),
    },
  };
}

function dataOf(
  message: QueueMessage,
  { bytes, text }: MessageContent,
  { dataType, isDeferred }: QueueMessageForm,
): TypedData {
  if (!isDeferred) {
    const wantsBytes = dataType === 'binary' || dataType === 'stream';
    return wantsBytes ? { data: { $case: 'bytes', value: bytes } } : textData(text);
  }
  // As .NET writes the message of its storage library.
  return toModelBindingData(source, {
    MessageId: message.id,
    PopReceipt: message.popReceipt,
    MessageText: text,
    Body: Buffer.from(bytes).toString('base64'),
    NextVisibleOn: toOffsetTime(message.nextVisibleMs),
    InsertedOn: toOffsetTime(message.insertedMs),
    ExpiresOn: toOffsetTime(message.expiresMs),
    DequeueCount: message.dequeueCount,
  });
}

function toMetadata(message: QueueMessage, text: string): Map<string, TypedData> {
  const metadata = new TriggerMetadata();
  metadata.set('QueueTrigger', textData(text));
  metadata.set('DequeueCount', jsonData(String(message.dequeueCount)));
  metadata.set('ExpirationTime', jsonData(`"${toOffsetTime(message.expiresMs)}"`));
  metadata.set('Id', textData(message.id));
  metadata.set('InsertionTime', jsonData(`"${toOffsetTime(message.insertedMs)}"`));
  metadata.set('NextVisibleTime', jsonData(`"${toOffsetTime(message.nextVisibleMs)}"`));
  metadata.set('PopReceipt', textData(message.popReceipt));
  metadata.setJsonProperties(text);
  return metadata.entries;
}

/** .NET's DateTimeOffset in UTC; the service's times have whole seconds. */
function toOffsetTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}+00:00`;
}
