/** The trace that goes from event to run to event. */
import type { Random } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { Trace } from '@switchyard/protocol/control-api';
import type { EventDraft } from './contract.ts';

/** What a run gets of the event that led to it. */
export function traceOf(event: EventEnvelope): Trace {
  return {
    traceId: event.traceId,
    correlationId: event.correlationId,
    causationId: event.eventId,
    depth: event.causationDepth + 1,
  };
}

/** Of a run that a timer began. */
export function newTrace(random: Pick<Random, 'uuid'>): Trace {
  const traceId = random.uuid().replaceAll('-', '');
  return { traceId, correlationId: traceId, depth: 0 };
}

/** Completes an event of a run. An event without a cause names itself. */
export function toEnvelope(
  draft: EventDraft,
  of: {
    readonly trace: Trace;
    readonly source: string;
    readonly nowMs: number;
    readonly random: Pick<Random, 'uuid'>;
  },
): EventEnvelope {
  const eventId = `evt-${of.random.uuid()}`;
  const { trace } = of;
  return {
    eventId,
    eventType: draft.eventType,
    tenantId: draft.tenantId,
    environmentId: draft.environmentId,
    subject: draft.subject,
    traceId: trace.traceId,
    correlationId: trace.correlationId,
    causationId: trace.causationId ?? eventId,
    causationDepth: trace.depth,
    occurredAt: new Date(of.nowMs).toISOString(),
    schemaVersion: 1,
    source: of.source,
    payload: draft.payload,
  };
}

/** The fields that each log line and span of a run carries. */
export function traceFields({ traceId, correlationId, causationId }: Trace): Record<string, string> {
  return { traceId, correlationId, ...(causationId === undefined ? {} : { causationId }) };
}
