/** Messages of the official libraries in the binary form of AMQP, as other libraries read them. */
import type { AmqpAnnotatedMessage } from '@azure/core-amqp';
import type rheaModule from 'rhea';
import type { Message } from 'rhea';

type Rhea = typeof rheaModule;

/** Writes and reads the binary form of AMQP. */
export interface AmqpCodec {
  /** Encodes a message with everything that the broker said of it, its lock among it when it has one. */
  encode(message: AmqpAnnotatedMessage, lockToken?: string): Uint8Array;
  /** Reads a map of properties; empty bytes are an empty map. */
  readMap(bytes: Uint8Array): Readonly<Record<string, unknown>>;
}

/** Loads the library that the official ones are built on, when the first of them is used. */
export async function loadAmqpCodec(): Promise<AmqpCodec> {
  const { default: rhea } = await import('rhea');
  return { encode: (message, lockToken) => encode(rhea, message, lockToken), readMap: (bytes) => readMap(rhea, bytes) };
}

/** Reads the properties that a worker wants to be written over those of a message. */
export async function readAmqpMap(bytes: Uint8Array): Promise<Readonly<Record<string, unknown>>> {
  return bytes.byteLength === 0 ? {} : (await loadAmqpCodec()).readMap(bytes);
}

/** Official libraries of workers look for the lock under this name, in the annotations of the delivery. */
const lockAnnotation = 'x-opt-lock-token';

function encode(rhea: Rhea, message: AmqpAnnotatedMessage, lockToken?: string): Uint8Array {
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
      delivery_annotations: withLock(rhea, message.deliveryAnnotations, lockToken),
      application_properties: message.applicationProperties,
      footer: message.footer,
    }),
    body: bodyType === 'data' && Buffer.isBuffer(body) ? rhea.message.data_section(body) : body,
  } as Message);
}

function withLock(
  rhea: Rhea,
  annotations: AmqpAnnotatedMessage['deliveryAnnotations'],
  lockToken: string | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (lockToken === undefined) return annotations;
  const lock = rhea.types.wrap_uuid(Buffer.from(lockToken.replaceAll('-', ''), 'hex'));
  return { ...annotations, [lockAnnotation]: lock };
}

/** A body is bytes as a rule; what a sender wrote as a value becomes JSON, or its own text. */
export function bytesOfBody(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''));
}

function withValues(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

function readMap(rhea: Rhea, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const types = rhea.types as unknown as {
    Reader: new (bytes: Buffer) => { read(): unknown };
    unwrap(value: unknown): unknown;
  };
  const read = types.unwrap(new types.Reader(Buffer.from(bytes)).read());
  return read !== null && typeof read === 'object' ? { ...read } : {};
}
