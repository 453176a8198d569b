/** Where alerts go besides the records: each sink gets each alert at least once. */
import type { Log } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import { payloadText } from '../../domain/events.ts';

export interface AlertMessage {
  readonly alertId: string;
  readonly state: 'raised' | 'cleared';
  readonly subject: string;
  readonly message: string;
  readonly tenantId: string;
  readonly environmentId: string;
  readonly at: string;
  /** Tells duplicates: the same for the same alert. */
  readonly eventId: string;
}

/** Takes one alert; throws when it did not, and then gets it again. */
export type AlertSink = (alert: AlertMessage, signal: AbortSignal) => Promise<void>;

/** Undefined for an event that is no alert. */
export function toAlertMessage(event: EventEnvelope): AlertMessage | undefined {
  const state =
    event.eventType === 'AlertRaised' ? 'raised' : event.eventType === 'AlertCleared' ? 'cleared' : undefined;
  if (state === undefined) return undefined;
  return {
    alertId: payloadText(event.payload, 'alertId') ?? event.eventId,
    state,
    subject: payloadText(event.payload, 'subject') ?? '',
    message: payloadText(event.payload, 'message') ?? '',
    tenantId: event.tenantId,
    environmentId: event.environmentId ?? '',
    at: event.occurredAt,
    eventId: event.eventId,
  };
}

/** Writes alerts into the platform's log. */
export function createLogSink(log: Log): AlertSink {
  return async ({ state, ...fields }) => {
    if (state === 'raised') log.write('error', 'An alert was raised', fields);
    else log.write('information', 'An alert was cleared', fields);
  };
}

/** Posts alerts as JSON; any answer but a success is a failure. */
export function createWebhookSink(
  post: (body: string, signal: AbortSignal) => Promise<{ readonly status: number }>,
): AlertSink {
  return async (alert, signal) => {
    const { status } = await post(JSON.stringify(alert), signal);
    if (status < 200 || status > 299) throw new Error(`the webhook answered ${status}`);
  };
}
