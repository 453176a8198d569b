/** RabbitMQ messages as the worker gets them, with the metadata of the official extension. */
import type { BindingDataType } from '@switchyard/model';
import type { TriggerEvent } from '../contract.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData, textData, toTypedData } from '../typed-data.ts';
import type { RabbitMqMessage, RabbitMqProperties } from './rabbitmq-client.ts';

export function toRabbitMqEvent(
  message: RabbitMqMessage,
  queue: string,
  dataType: BindingDataType | undefined,
  nowMs: number,
): TriggerEvent {
  const { body, properties } = message;
  const metadata = new TriggerMetadata();
  metadata.set('ConsumerTag', textData(message.consumerTag));
  metadata.set('DeliveryTag', toTypedData(message.deliveryTag));
  metadata.set('Redelivered', toTypedData(message.redelivered));
  metadata.set('Exchange', textData(message.exchange));
  metadata.set('RoutingKey', textData(message.routingKey));
  metadata.set('BasicProperties', jsonData(JSON.stringify(toBasicProperties(properties))));
  metadata.set('Body', toTypedData(body));
  const traceParent = textOf(properties.headers.traceparent);
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  return {
    data: dataType === 'binary' || dataType === 'stream' ? toTypedData(body) : textData(text),
    metadata: metadata.entries,
    reason: `RabbitMQ message detected from queue: ${queue} at ${new Date(nowMs).toISOString()}`,
    ...(traceParent === undefined ? {} : { traceParent }),
  };
}

/** The public members of the .NET client's class, by their names, with its defaults. */
function toBasicProperties(properties: RabbitMqProperties): Readonly<Record<string, unknown>> {
  const { headers, deliveryMode = 0, priority = 0, timestamp = 0 } = properties;
  const hasHeaders = Object.keys(headers).length > 0;
  return {
    AppId: properties.appId ?? null,
    ClusterId: properties.clusterId ?? null,
    ContentEncoding: properties.contentEncoding ?? null,
    ContentType: properties.contentType ?? null,
    CorrelationId: properties.correlationId ?? null,
    DeliveryMode: deliveryMode,
    Expiration: properties.expiration ?? null,
    Headers: hasHeaders
      ? Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, toHeader(value)]))
      : null,
    MessageId: properties.messageId ?? null,
    Persistent: deliveryMode === 2,
    Priority: priority,
    ReplyTo: properties.replyTo ?? null,
    Timestamp: { UnixTime: timestamp },
    Type: properties.type ?? null,
    UserId: properties.userId ?? null,
  };
}

/** The .NET client holds texts of headers as bytes, and those are base64 in JSON. */
function toHeader(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value).toString('base64');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toHeader);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toHeader(member)]));
}

function textOf(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return typeof value === 'string' ? value : undefined;
}
