/** What becomes of a message whose function has ended. Pure. */
import type { InvocationOutcome } from '../contract.ts';
import type { RabbitMqProperties } from './rabbitmq-client.ts';

export type DeliveryDecision =
  | { readonly kind: 'acknowledge' }
  /** Put a copy that counts one more try at the end of the queue, then acknowledge. */
  | { readonly kind: 'republish'; readonly headers: Readonly<Record<string, unknown>> }
  /** Too many tries: a dead letter, where the queue has an exchange for them. */
  | { readonly kind: 'reject' }
  /** The function did not begin or was stopped: the message comes again, and no try counts. */
  | { readonly kind: 'give-back' };

/** The header in which the official extension counts. */
export const requeueCountHeader = 'x-ms-rabbitmq-requeuecount';

/** How often a message is run before it is rejected; the official extension has no setting for it. */
const maxTries = 5;

export function decideDelivery(
  outcome: InvocationOutcome,
  { headers }: Pick<RabbitMqProperties, 'headers'>,
): DeliveryDecision {
  if (outcome.kind === 'succeeded') return { kind: 'acknowledge' };
  if (!isTry(outcome)) return { kind: 'give-back' };
  const tries = countOf(headers[requeueCountHeader]) + 1;
  return tries >= maxTries
    ? { kind: 'reject' }
    : { kind: 'republish', headers: { ...headers, [requeueCountHeader]: tries } };
}

/** A worker that died of the message, or hangs in it, would do so for ever: those count as well. */
function isTry(outcome: InvocationOutcome): boolean {
  if (outcome.kind === 'lost') return outcome.reason === 'worker-lost' || outcome.reason === 'timeout';
  return outcome.kind === 'failed';
}

/** Anybody may write headers: what is no count is none. */
function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : 0;
}
