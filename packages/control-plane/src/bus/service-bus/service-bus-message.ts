/** Events as messages of Service Bus, and back. */
import type { ServiceBusMessage, ServiceBusReceivedMessage } from '@azure/service-bus';
import {
  type EnvelopeParsing,
  type EventEnvelope,
  parseEventEnvelope,
  toEnvelopeJson,
  toTraceId,
} from '@switchyard/protocol';
import type { FailedDelivery, Publication } from '../contract.ts';
import { parseHistory, withLostLocks } from '../failure-history.ts';

/** Properties of ours beside the body. */
export const messageProperties = {
  tenantId: 'tenantId',
  environmentId: 'environmentId',
  /** The one subscription that a copy is for, or `everybody`. */
  target: 'syTarget',
  /** Deliveries before this copy was made. */
  attempts: 'syAttempts',
  history: 'syHistory',
  orderingKey: 'syOrderingKey',
  replayOf: 'syReplayOf',
} as const;

export const everybody = '*';

/** A copy of an event for one subscription: a retry, or a replay. */
export interface TargetedCopy {
  readonly envelope: EventEnvelope;
  readonly orderingKey: string | undefined;
  readonly target: string;
  /** Tells this copy from others: the window of duplicates knows the eventId already. */
  readonly copyId: string;
  readonly attempts: number;
  readonly history: readonly FailedDelivery[];
  readonly replayOf: string | undefined;
  readonly dueMs: number | undefined;
}

export function toMessage({ envelope, orderingKey, notBeforeMs }: Publication): ServiceBusMessage {
  return compose(envelope, orderingKey, envelope.eventId, notBeforeMs, { [messageProperties.target]: everybody });
}

export function toCopy(copy: TargetedCopy): ServiceBusMessage {
  const { envelope, orderingKey, target, copyId, attempts, history, replayOf, dueMs } = copy;
  return compose(envelope, orderingKey, copyId, dueMs, {
    [messageProperties.target]: target,
    [messageProperties.attempts]: attempts,
    [messageProperties.history]: JSON.stringify(history),
    ...(replayOf === undefined ? {} : { [messageProperties.replayOf]: replayOf }),
  });
}

function compose(
  envelope: EventEnvelope,
  orderingKey: string | undefined,
  messageId: string,
  dueMs: number | undefined,
  properties: Record<string, string | number>,
): ServiceBusMessage {
  return {
    body: toEnvelopeJson(envelope),
    contentType: 'application/json',
    messageId,
    subject: envelope.eventType,
    correlationId: envelope.correlationId,
    // A subscription with sessions takes no message without one; an event without a key has a session of its own.
    sessionId: orderingKey ?? envelope.eventId.slice(0, sessionIdLength),
    ...(dueMs === undefined ? {} : { scheduledEnqueueTimeUtc: new Date(dueMs) }),
    applicationProperties: {
      [messageProperties.tenantId]: envelope.tenantId,
      ...(envelope.environmentId === undefined ? {} : { [messageProperties.environmentId]: envelope.environmentId }),
      ...(orderingKey === undefined ? {} : { [messageProperties.orderingKey]: orderingKey }),
      'Diagnostic-Id': `00-${toTraceId(envelope.traceId)}-0000000000000001-01`,
      ...properties,
    },
  };
}

/** What Service Bus allows. */
const sessionIdLength = 128;

/** What a received message says of itself. */
export interface ReceivedEvent {
  readonly parsing: EnvelopeParsing;
  readonly orderingKey: string | undefined;
  readonly replayOf: string | undefined;
  /** Deliveries with this one. */
  readonly deliveryCount: number;
  /** The failures that were written down, and those that nobody could write. */
  readonly history: readonly FailedDelivery[];
}

/** @param nowMs the time that failures get that nobody saw */
export function readMessage(message: ServiceBusReceivedMessage, nowMs: number): ReceivedEvent {
  const properties = message.applicationProperties ?? {};
  const attempts = Number(properties[messageProperties.attempts] ?? 0);
  const deliveryCount = (Number.isSafeInteger(attempts) ? attempts : 0) + (message.deliveryCount ?? 0) + 1;
  return {
    parsing: parseEventEnvelope(message.body),
    orderingKey: textOf(properties[messageProperties.orderingKey]),
    replayOf: textOf(properties[messageProperties.replayOf]),
    deliveryCount,
    history: withLostLocks(parseHistory(textOf(properties[messageProperties.history])), deliveryCount, nowMs),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
