/** A queue message as the worker gets it. */
import type { BindingDataType } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type { TriggerEvent } from '../contract.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData, textData } from '../typed-data.ts';
import { decodeMessage, type MessageEncoding } from './message-encoding.ts';
import type { QueueMessage } from './queue-client.ts';

/**
 * Maps a message to an event. The value is text unless the binding asks for bytes. `trigger_metadata` has the official
 * names, and the top-level properties of a JSON message, which win over those.
 */
export function toQueueEvent(
  message: QueueMessage,
  queueName: string,
  encoding: MessageEncoding,
  dataType: BindingDataType | undefined,
): TriggerEvent {
  const content = decodeMessage(message.text, encoding);
  const wantsBytes = dataType === 'binary' || dataType === 'stream';
  const data: TypedData = wantsBytes ? { data: { $case: 'bytes', value: content.bytes } } : textData(content.text);
  return {
    data,
    metadata: toMetadata(message, content.text),
    reason: `New queue message detected on '${queueName}'.`,
    details: {
      MessageId: message.id,
      DequeueCount: String(message.dequeueCount),
      InsertedOn: toOffsetTime(message.insertedMs),
    },
  };
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
