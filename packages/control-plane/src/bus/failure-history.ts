/** What an event remembers of its failed deliveries, and how adapters write it down. */
import type { FailedDelivery, FailureNote } from './contract.ts';
import { busLimits } from './limits.ts';

/** Reasons that the bus itself gives. */
export const busReasons = {
  /** The bytes are no envelope. */
  schemaInvalid: 'SCHEMA_INVALID',
  /** Its last lock ended unsettled: whoever had it crashed, hung or lost the connection. */
  lockExpired: 'LOCK_EXPIRED',
  /** It was given back without a reason. */
  abandoned: 'ABANDONED',
  /** The handler threw. */
  handlerFailed: 'HANDLER_FAILED',
} as const;

/** The history with one more entry, its oldest ones dropped beyond the limit. */
export function appendFailure(history: readonly FailedDelivery[], failure: FailedDelivery): readonly FailedDelivery[] {
  return [...history, { ...failure, ...clipNote(failure) }].slice(-busLimits.history);
}

/**
 * The history with the deliveries that left no note: their locks ended unsettled. For engines that do not tell.
 * @param deliveryCount the delivery that is going on
 */
export function withLostLocks(
  history: readonly FailedDelivery[],
  deliveryCount: number,
  nowMs: number,
): readonly FailedDelivery[] {
  const known = new Set(history.map((failure) => failure.deliveryCount));
  const complete = [...history];
  for (let count = Math.max(1, deliveryCount - busLimits.history); count < deliveryCount; count += 1) {
    if (known.has(count)) continue;
    const description = `The lock of delivery ${count} ended without a settlement.`;
    const reason = busReasons.lockExpired;
    complete.push({ deliveryCount: count, atMs: nowMs, outcome: 'lockExpired', reason, description });
  }
  return complete.sort((left, right) => left.deliveryCount - right.deliveryCount);
}

/** A note within its limits. */
export function clipNote({ reason, description }: FailureNote): FailureNote {
  return {
    reason: reason.slice(0, busLimits.reasonLength),
    description: description.slice(0, busLimits.descriptionLength).toWellFormed(),
  };
}

/** Reads a history back; what is no history is none. */
export function parseHistory(text: string | undefined): readonly FailedDelivery[] {
  if (text === undefined || text === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isFailure) : [];
  } catch {
    return [];
  }
}

function isFailure(value: unknown): value is FailedDelivery {
  if (typeof value !== 'object' || value === null) return false;
  const { deliveryCount, atMs, outcome, reason, description } = value as Readonly<Record<string, unknown>>;
  return (
    typeof deliveryCount === 'number' &&
    typeof atMs === 'number' &&
    typeof outcome === 'string' &&
    typeof reason === 'string' &&
    typeof description === 'string'
  );
}
