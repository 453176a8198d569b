import type { EventEnvelope } from '@switchyard/protocol';
import type { EventFilter } from './contract.ts';

/** Whether an event passes a filter: every list that is there must have the event's value. */
export function passesFilter(filter: EventFilter, envelope: EventEnvelope): boolean {
  return (
    has(filter.eventTypes, envelope.eventType) &&
    has(filter.tenantIds, envelope.tenantId) &&
    has(filter.environmentIds, envelope.environmentId)
  );
}

function has(list: readonly string[] | undefined, value: string | undefined): boolean {
  return list === undefined || (value !== undefined && list.includes(value));
}
