import type { DeadLetter, DeadLetterQuery } from './contract.ts';

/** Whether a dead letter is one of those that a query asks for. */
export function matchesDeadLetter(query: DeadLetterQuery, letter: DeadLetter): boolean {
  const { envelope } = letter;
  return (
    same(query.topic, letter.topic) &&
    same(query.subscription, letter.subscription) &&
    same(query.reason, letter.reason) &&
    same(query.tenantId, envelope?.tenantId) &&
    same(query.eventType, envelope?.eventType) &&
    same(query.correlationId, envelope?.correlationId)
  );
}

function same(wanted: string | undefined, found: string | undefined): boolean {
  return wanted === undefined || wanted === found;
}
