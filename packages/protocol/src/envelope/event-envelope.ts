/**
 * The envelope that every event and command of the control plane travels in. The payload alone differs between types;
 * everything that routing, tenancy, tracing and idempotency need stands beside it.
 */

/** What JSON can say. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonFields;

/** An object of JSON. Keys come from others: read them with `Object.hasOwn`. */
export interface JsonFields {
  readonly [name: string]: JsonValue;
}

/** One event, parsed: every field is what its comment says. */
export interface EventEnvelope {
  /** What duplicates are told by: the same event, sent again, has the same. New ones are `evt-` and a UUID. */
  readonly eventId: string;
  /** NounVerbPastTense for events, VerbNoun for commands; a breaking change of the payload appends `V2`. */
  readonly eventType: string;
  readonly tenantId: string;
  readonly projectId?: string;
  readonly moduleId?: string;
  readonly environmentId?: string;
  /** The thing that the event is about within its environment, for example an application. */
  readonly subject?: string;
  /** One for everything that one cause led to. Any text; `toTraceId` gives the 32 digits that tracing wants. */
  readonly traceId: string;
  /** One for everything that belongs to one piece of business, for example a deployment. */
  readonly correlationId: string;
  /** The event that led to this one; an event that nothing led to names itself. */
  readonly causationId: string;
  /** How many events stand between this one and the first of its chain, which has 0. What breaks loops of events. */
  readonly causationDepth: number;
  /** When it happened: UTC, as `Date.prototype.toISOString` writes it. */
  readonly occurredAt: string;
  /** The version of the payload's shape, from 1. */
  readonly schemaVersion: number;
  /** Who says so, for example `switchyard/drift`. */
  readonly source: string;
  readonly payload: JsonValue;
  /** Fields that this version does not know. They are kept, so a replayed event is what it was. */
  readonly extensions?: JsonFields;
}

/** Limits of an envelope. The whole fits into a message of every bus that we know (Service Bus: 256 KB). */
export const envelopeLimits = {
  /** Characters of an id, a type, a source or a subject. */
  textLength: 256,
  /** Bytes of the whole as JSON. */
  sizeBytes: 192 * 1024,
  /** Levels of a payload. */
  payloadDepth: 64,
  /** Fields that this version does not know. */
  extensions: 64,
} as const;

/** The fields that this version knows, in the order in which they are written. */
export const envelopeFields = [
  'eventId',
  'eventType',
  'tenantId',
  'projectId',
  'moduleId',
  'environmentId',
  'subject',
  'traceId',
  'correlationId',
  'causationId',
  'causationDepth',
  'occurredAt',
  'schemaVersion',
  'source',
  'payload',
] as const satisfies readonly (keyof EventEnvelope)[];
