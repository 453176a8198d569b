import { isPlatformError, messageOf, type PlatformError } from '@switchyard/kernel';
import { busErrors } from '../errors.ts';

/** Codes of the client that mean that somebody else has the message by now. */
const lostCodes: ReadonlySet<string> = new Set(['MessageLockLost', 'SessionLockLost']);

/** True when a settlement came too late. The client wraps what it tried several times. */
export function isLockLost(thrown: unknown): boolean {
  if (thrown instanceof AggregateError) return thrown.errors.some(isLockLost);
  if (!(thrown instanceof Error)) return false;
  if ('code' in thrown && lostCodes.has(String(thrown.code))) return true;
  // What the client says of a message that it settled before.
  return /already settled|link.*closed|receiver.*closed/i.test(thrown.message);
}

/** True when an entity or a session is not there. */
export function hasCode(thrown: unknown, code: string): boolean {
  if (thrown instanceof AggregateError) return thrown.errors.some((each) => hasCode(each, code));
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}

/** The failure as the platform's error; a message of the client never has the key. */
export function toBusError(thrown: unknown): PlatformError {
  if (isPlatformError(thrown)) return thrown;
  const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  return busErrors.create('BUS_UNAVAILABLE', { where: 'on Azure Service Bus', reason: messageOf(first) }, thrown);
}
