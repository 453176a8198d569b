/** Where alerts go besides the records: each sink gets each alert at least once. */
import { type Clock, type Log, withDeadline } from '@switchyard/kernel';
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

/** Posts alerts as JSON; any answer but a success is a failure, and so is none in time. */
export function createWebhookSink({ clock, post }: WebhookSinkDeps): AlertSink {
  return async (alert, signal) => {
    const over = new AbortController();
    const posted = post(JSON.stringify(alert), AbortSignal.any([signal, over.signal]));
    try {
      const late = (): Error => new Error(`the webhook did not answer within ${webhookTimeoutMs} ms`);
      const { status } = await withDeadline(clock, webhookTimeoutMs, posted, late);
      if (status < 200 || status > 299) throw new Error(`the webhook answered ${status}`);
    } finally {
      over.abort();
    }
  };
}

export interface WebhookSinkDeps {
  readonly clock: Clock;
  readonly post: (body: string, signal: AbortSignal) => Promise<{ readonly status: number }>;
}

const webhookTimeoutMs = 10_000;
