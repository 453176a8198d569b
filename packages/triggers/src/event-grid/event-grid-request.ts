/**
 * What Event Grid sends to a webhook: handshakes and events, in its own schema and as CloudEvents 1.0. Both triggers behind
 * it (events and blobs) read requests with this. The rules are those of the official extension's HttpRequestProcessor.
 */
import { isJsonObject, type JsonObject } from '@switchyard/model';
import type { WebhookReply, WebhookRequest } from '../contract.ts';

export type EventGridRequest =
  /** Answered without any function. */
  | { readonly kind: 'answered'; readonly reply: WebhookReply }
  | { readonly kind: 'events'; readonly events: readonly JsonObject[] };

/** More than Event Grid puts into one request. */
const maxEvents = 5_000;

export const accepted: WebhookReply = { kind: 'reply', status: 202 };

export function readEventGridRequest(request: WebhookRequest): EventGridRequest {
  if (request.method === 'OPTIONS') return { kind: 'answered', reply: allow(request) };
  switch (request.headers.get('aeg-event-type')?.trim().toLowerCase()) {
    case 'subscriptionvalidation':
      return { kind: 'answered', reply: validate(request.body) };
    case 'unsubscribe':
      return { kind: 'answered', reply: accepted };
    case 'notification':
      return readEvents(request.body);
    default:
      return refuse("The header 'aeg-event-type' must be SubscriptionValidation, Notification or Unsubscribe.");
  }
}

/** The handshake of CloudEvents webhooks: any sender that can show the key may send. */
function allow({ headers }: WebhookRequest): WebhookReply {
  const origin = headers.get('webhook-request-origin');
  const rate = headers.get('webhook-request-rate');
  return {
    kind: 'reply',
    status: 200,
    headers: [
      ['WebHook-Allowed-Origin', origin ?? '*'],
      ...(rate === undefined ? [] : ([['WebHook-Allowed-Rate', '*']] as const)),
    ],
  };
}

/** The handshake of Event Grid's own schema: the code goes back. */
function validate(body: string): WebhookReply {
  const events = parseEvents(body);
  const data = events?.[0]?.data;
  const code = isJsonObject(data) ? data.validationCode : undefined;
  if (typeof code !== 'string') return refuse('The event has no data.validationCode.').reply;
  return {
    kind: 'reply',
    status: 200,
    headers: [['Content-Type', 'application/json; charset=utf-8']],
    body: JSON.stringify({ validationResponse: code }),
  };
}

function readEvents(body: string): EventGridRequest {
  const events = parseEvents(body);
  if (events === undefined) return refuse('The body must be an event, or a list of events, in JSON.');
  if (events.length > maxEvents) return refuse(`A request may carry ${maxEvents} events.`);
  // An event of another kind than both schemas know: the official extension says that the schemas do not match.
  if (!events.every(isEvent)) return { kind: 'answered', reply: { kind: 'reply', status: 409 } };
  return { kind: 'events', events };
}

function isEvent(event: JsonObject): boolean {
  return (
    typeof event.eventType === 'string' || (typeof event.type === 'string' && typeof event.specversion === 'string')
  );
}

function parseEvents(body: string): readonly JsonObject[] | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const events = Array.isArray(parsed) ? parsed : [parsed];
    return events.every(isJsonObject) ? events : undefined;
  } catch {
    return undefined;
  }
}

function refuse(message: string): Extract<EventGridRequest, { kind: 'answered' }> {
  const headers = [['Content-Type', 'text/plain; charset=utf-8']] as const;
  return { kind: 'answered', reply: { kind: 'reply', status: 400, headers, body: `${message}\n` } };
}
