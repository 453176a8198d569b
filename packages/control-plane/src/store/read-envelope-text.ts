import { invariant } from '@switchyard/kernel';
import { decodeEventEnvelope, type EventEnvelope } from '@switchyard/protocol';

/** Reads an envelope that a store wrote itself; anything else is a defect or a damaged file. */
export function readEnvelopeText(text: string): EventEnvelope {
  const parsing = decodeEventEnvelope(text);
  invariant(parsing.kind === 'envelope', 'a stored event is no envelope');
  return parsing.envelope;
}
