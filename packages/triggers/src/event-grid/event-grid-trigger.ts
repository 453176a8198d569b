/** The Event Grid trigger and its webhook, `runtime/webhooks/eventgrid?functionName={name}`. */
import type { JsonObject } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type { ListenerTriggerKind, ManualEvent, TriggerEvent, WebhookExtension } from '../contract.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData } from '../typed-data.ts';
import { WebhookSeats } from '../webhook/webhook-seats.ts';
import { accepted, readEventGridRequest } from './event-grid-request.ts';

export interface EventGridTriggerOptions {
  /** The function takes all events of a request at once. */
  readonly isBatch: boolean;
}

/** What the official extension gives as a reason, having none. */
const reason = '(null)';

/** Makes the trigger, and the webhook that leads to its functions. */
export function createEventGridTrigger(): {
  readonly trigger: ListenerTriggerKind<EventGridTriggerOptions>;
  readonly webhook: WebhookExtension;
} {
  const seats = new WebhookSeats<EventGridTriggerOptions>();
  const trigger: ListenerTriggerKind<EventGridTriggerOptions> = {
    style: 'listener',
    type: 'eventGridTrigger',
    parse: ({ raw }) => ({ isBatch: String(raw.cardinality ?? 'one').toLowerCase() === 'many' }),
    listen: (options, context) => seats.listen(options, context),
    toManualEvent: async ({ isBatch }, input) => toManual(isBatch, input),
  };
  const webhook: WebhookExtension = {
    name: 'eventgrid',
    async serve(applicationId, request) {
      const seat = seats.find(applicationId, request.query.get('functionname') ?? '');
      if (seat === undefined) return { kind: 'unknown' };
      const read = readEventGridRequest(request);
      if (read.kind === 'answered') return read.reply;
      const { options, context } = seat;
      const outcomes = await Promise.all(toEvents(read.events, options.isBatch).map((event) => context.invoke(event)));
      return outcomes.every(({ kind }) => kind === 'succeeded') ? accepted : { kind: 'reply', status: 500 };
    },
  };
  return { trigger, webhook };
}

function toManual(isBatch: boolean, input: string): ManualEvent {
  try {
    const parsed: unknown = JSON.parse(input);
    const [event] = toEvents((Array.isArray(parsed) ? parsed : [parsed]) as JsonObject[], isBatch);
    if (event !== undefined) return { kind: 'event', event };
  } catch {
    // Said below.
  }
  return { kind: 'refused', reason: 'The input must be an event in JSON.' };
}

function toEvents(events: readonly JsonObject[], isBatch: boolean): readonly TriggerEvent[] {
  if (isBatch) return [toEvent(events, jsonData(JSON.stringify(events.map(({ data }) => data ?? null))))];
  return events.map((event) => toEvent(event, jsonData(JSON.stringify(event.data ?? null))));
}

function toEvent(value: unknown, data: TypedData): TriggerEvent {
  const metadata = new TriggerMetadata();
  metadata.set('data', data);
  return { data: jsonData(JSON.stringify(value)), metadata: metadata.entries, reason };
}
