/** New envelopes: the first of a chain, and those that follow from another. */
import { createHash } from 'node:crypto';
import { type Clock, InvariantError, type Random } from '@switchyard/kernel';
import type { EventEnvelope, JsonValue } from './event-envelope.ts';
import { parseEventEnvelope } from './parse-envelope.ts';

/** What the maker of an event says; the rest follows from its cause, the clock and chance. */
export interface EventDraft {
  readonly eventType: string;
  /** Left out, the cause's. */
  readonly tenantId?: string;
  readonly projectId?: string;
  readonly moduleId?: string;
  readonly environmentId?: string;
  readonly subject?: string;
  readonly source: string;
  readonly schemaVersion?: number;
  readonly payload: JsonValue;
  /** The event that led to this one: its trace, correlation, tenant, project, module and environment go on. */
  readonly cause?: EventEnvelope;
  /** Of a first event; left out, it begins one of its own. */
  readonly traceId?: string;
  readonly correlationId?: string;
  /** Left out, a new one. Give `deriveEventId` where the same step, done again, must not be a new event. */
  readonly eventId?: string;
}

export interface CreateEnvelopeDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'uuid'>;
}

/**
 * Makes an envelope. An event with a cause copies its traceId and correlationId, names it, and is one deeper.
 * @throws InvariantError when the draft is none: drafts are written by the platform, not by others
 */
export function createEventEnvelope({ clock, random }: CreateEnvelopeDeps, draft: EventDraft): EventEnvelope {
  const { cause, traceId, correlationId, ...said } = draft;
  const eventId = draft.eventId ?? `evt-${random.uuid()}`;
  const inherited =
    cause === undefined
      ? {
          traceId: traceId ?? random.uuid().replaceAll('-', ''),
          correlationId: correlationId ?? eventId,
          causationId: eventId,
          causationDepth: 0,
        }
      : {
          tenantId: cause.tenantId,
          ...pick(cause, 'projectId'),
          ...pick(cause, 'moduleId'),
          ...pick(cause, 'environmentId'),
          traceId: cause.traceId,
          correlationId: cause.correlationId,
          causationId: cause.eventId,
          causationDepth: cause.causationDepth + 1,
        };
  const parsing = parseEventEnvelope({
    ...inherited,
    ...dropUndefined(said),
    eventId,
    occurredAt: new Date(clock.now()).toISOString(),
  });
  if (parsing.kind === 'invalid') throw new InvariantError(`no event: ${parsing.message}`);
  return parsing.envelope;
}

/** An id that the same parts always give: a step that runs again after a crash makes the same event, not another. */
export function deriveEventId(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  // The form of a version 8 UUID: what makes it is up to us.
  return `evt-${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The trace id as tracing wants it: 32 hexadecimal digits. Others become their hash; keep the original as an attribute. */
export function toTraceId(traceId: string): string {
  const lower = traceId.toLowerCase();
  if (isTraceId(lower)) return lower;
  return createHash('sha256').update(traceId).digest('hex').slice(0, 32);
}

/** True for 32 lower case hexadecimal digits that are not all 0. */
export function isTraceId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text) && !/^0+$/.test(text);
}

function pick<Name extends keyof EventEnvelope>(envelope: EventEnvelope, name: Name): Partial<EventEnvelope> {
  const value = envelope[name];
  return value === undefined ? {} : { [name]: value };
}

function dropUndefined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
