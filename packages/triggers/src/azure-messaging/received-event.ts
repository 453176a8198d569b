/** Events of the official library as the trigger takes them. */
import type { ReceivedEventData } from '@azure/event-hubs';
import type { ReceivedEvent } from '../event-hub/event-hub-client.ts';
import { type AmqpCodec, bytesOfBody } from './annotated-message.ts';

/** The properties of AMQP by the names that they have in system properties. */
const propertyNames: Readonly<Record<string, string>> = {
  messageId: 'message-id',
  userId: 'user-id',
  to: 'to',
  subject: 'subject',
  replyTo: 'reply-to',
  correlationId: 'correlation-id',
  contentType: 'content-type',
  contentEncoding: 'content-encoding',
  absoluteExpiryTime: 'absolute-expiry-time',
  creationTime: 'creation-time',
  groupId: 'group-id',
  groupSequence: 'group-sequence',
  replyToGroupId: 'reply-to-group-id',
};

export function toReceivedEvent(received: ReceivedEventData, codec: AmqpCodec): ReceivedEvent {
  const raw = received.getRawAmqpMessage();
  return {
    body: bytesOfBody(received.body),
    sequenceNumber: received.sequenceNumber,
    offset: String(received.offset),
    enqueuedMs: received.enqueuedTimeUtc.getTime(),
    partitionKey: received.partitionKey ?? undefined,
    properties: received.properties ?? {},
    systemProperties: {
      ...namedProperties(raw.properties ?? {}),
      ...plainValues(raw.messageAnnotations ?? {}),
    },
    encode: () => codec.encode(raw),
  };
}

function namedProperties(properties: object): Readonly<Record<string, unknown>> {
  const known = Object.entries(properties).filter(([, value]) => value !== undefined && value !== null);
  return plainValues(Object.fromEntries(known.map(([name, value]) => [propertyNames[name] ?? name, value])));
}

/** Numbers of 64 bits come as bytes when they are large. */
function plainValues(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const plain = (value: unknown): unknown =>
    Buffer.isBuffer(value) && value.byteLength === 8 ? Number(value.readBigInt64BE()) : value;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plain(value)]));
}
