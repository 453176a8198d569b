import type { TypedData } from '@switchyard/protocol';
import type { TriggerEvent } from '@switchyard/triggers';

/** The official host's words for every run that somebody asked for. */
const reason = 'This function was programmatically called via the host APIs.';

/** A timer's payload outside its schedule; the input does not count. */
const timerPayload = JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false });

/** What a manual run gives to a trigger, by its type in lower case; any other gets the input as text. */
const payloads: ReadonlyMap<string, () => TypedData> = new Map([
  ['timertrigger', () => ({ data: { $case: 'json', value: timerPayload } as const })],
]);

/** The event of a manual run (POST admin/functions/{name}). */
export function toManualEvent(triggerType: string, input: string): TriggerEvent {
  const payload = payloads.get(triggerType.toLowerCase());
  const data: TypedData = payload?.() ?? { data: { $case: 'string', value: input } };
  return { data, metadata: new Map(), reason };
}
