import type { Subscription, SubscriptionSpec } from './contract.ts';
import { busErrors } from './errors.ts';
import { subscriptionDefaults } from './limits.ts';

/** Letters, digits and `-`: what every engine takes as a name. */
const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?$/;

/** Checks the name of a topic or a subscription. @throws PlatformError BUS_INPUT_INVALID */
export function assertBusName(what: 'topic' | 'subscription', value: string): void {
  if (namePattern.test(value)) return;
  const reason = "a name has 1 to 50 letters, digits and '-', and no '-' at its ends";
  throw busErrors.create('BUS_INPUT_INVALID', { what, value, reason });
}

/** Decides what the spec leaves open. @throws PlatformError BUS_INPUT_INVALID */
export function resolveSubscription(spec: SubscriptionSpec): Subscription {
  assertBusName('topic', spec.topic);
  assertBusName('subscription', spec.name);
  const { maxDeliveries = subscriptionDefaults.maxDeliveries, lockMs = subscriptionDefaults.lockMs } = spec;
  if (!Number.isInteger(maxDeliveries) || maxDeliveries < 1 || maxDeliveries > 1_000)
    throw busErrors.create('BUS_INPUT_INVALID', {
      what: 'number of deliveries',
      value: maxDeliveries,
      reason: 'it must be a whole number from 1 to 1000',
    });
  if (!Number.isInteger(lockMs) || lockMs < 1_000 || lockMs > 300_000)
    throw busErrors.create('BUS_INPUT_INVALID', {
      what: 'duration of a lock',
      value: lockMs,
      reason: 'it must be 1000 to 300000 milliseconds, as Service Bus has it',
    });
  return {
    topic: spec.topic,
    name: spec.name,
    filter: spec.filter ?? {},
    ordered: spec.ordered ?? false,
    maxDeliveries,
    lockMs,
    backoff: spec.backoff ?? subscriptionDefaults.backoff,
  };
}
