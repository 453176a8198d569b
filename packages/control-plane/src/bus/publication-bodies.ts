import { encodeEventEnvelope, findSizeFault } from '@switchyard/protocol';
import type { Publication } from './contract.ts';
import { busErrors } from './errors.ts';
import { busLimits } from './limits.ts';

/** The texts of the envelopes of one publish, checked against the limits. @throws PlatformError BUS_EVENT_TOO_LARGE, BUS_INPUT_INVALID */
export function toBodies(publications: readonly Publication[]): readonly string[] {
  assertBatch(publications);
  return publications.map(({ envelope }) => {
    const body = encodeEventEnvelope(envelope);
    const fault = findSizeFault(body);
    if (fault === undefined) return body;
    throw busErrors.create('BUS_EVENT_TOO_LARGE', { eventId: envelope.eventId, reason: fault.message });
  });
}

function assertBatch(publications: readonly Publication[]): void {
  if (publications.length > busLimits.publishBatch)
    throw busErrors.create('BUS_INPUT_INVALID', {
      what: 'number of publications',
      value: publications.length,
      reason: `${busLimits.publishBatch} is the most at once`,
    });
  for (const { orderingKey } of publications) {
    if (orderingKey === undefined || (orderingKey !== '' && orderingKey.length <= busLimits.orderingKeyLength))
      continue;
    throw busErrors.create('BUS_INPUT_INVALID', {
      what: 'ordering key',
      value: orderingKey.slice(0, 40),
      reason: `it must have 1 to ${busLimits.orderingKeyLength} characters`,
    });
  }
}
