/** Messages of the official libraries in the binary form of AMQP, as other libraries read them. */
import type { AmqpAnnotatedMessage } from '@azure/core-amqp';
import rhea, { type Message } from 'rhea';

/** Encodes a message with everything that the broker said of it. */
export function encodeAnnotated(message: AmqpAnnotatedMessage): Uint8Array {
  const { body, bodyType = 'data', header, properties = {} } = message;
  return rhea.message.encode({
    ...withValues({
      durable: header?.durable,
      priority: header?.priority,
      ttl: header?.timeToLive,
      first_acquirer: header?.firstAcquirer,
      delivery_count: header?.deliveryCount,
    }),
    ...withValues({
      message_id: properties.messageId,
      to: properties.to,
      subject: properties.subject,
      reply_to: properties.replyTo,
      correlation_id: properties.correlationId,
      content_type: properties.contentType,
      content_encoding: properties.contentEncoding,
      absolute_expiry_time: properties.absoluteExpiryTime,
      creation_time: properties.creationTime,
      group_id: properties.groupId,
      group_sequence: properties.groupSequence,
      reply_to_group_id: properties.replyToGroupId,
    }),
    ...withValues({
      message_annotations: message.messageAnnotations,
      delivery_annotations: message.deliveryAnnotations,
      application_properties: message.applicationProperties,
      footer: message.footer,
    }),
    body: bodyType === 'data' && Buffer.isBuffer(body) ? rhea.message.data_section(body) : body,
  } as Message);
}

/** A body is bytes as a rule; what a sender wrote as a value becomes JSON, or its own text. */
export function bytesOfBody(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''));
}

function withValues(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}
