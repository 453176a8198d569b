/**
 * Faults of the storage libraries as errors of ours.
 *
 * I1 No message holds a key, a signature or an address with one, and no fault of a library becomes a cause: it may quote
 *    one.
 */
import { messageOf, type PlatformError } from '@switchyard/kernel';
import { triggerErrors } from '../errors.ts';
import type { CallName } from '../storage/storage-call.ts';

/** The service's own name for what went wrong, where it answered at all. */
export function serviceCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code, details } = thrown as Error & { code?: unknown; details?: unknown };
  const name = detailCode(details) ?? code;
  return typeof name === 'string' ? name : undefined;
}

/** The HTTP status of the service's answer, where there was one. */
export function serviceStatus(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return undefined;
  const status = Number(thrown.statusCode);
  return Number.isNaN(status) ? undefined : status;
}

/** STORAGE_CALL_REFUSED where trying again changes nothing, else STORAGE_CALL_FAILED. */
export function toStorageFault(name: CallName, thrown: unknown): PlatformError {
  const status = serviceStatus(thrown);
  const parts = [serviceCode(thrown), status === undefined ? undefined : `status ${status}`];
  const known = parts.filter((part) => part !== undefined).join(', ');
  const reason = known === '' ? withoutQueries(messageOf(thrown)) : known;
  const isRefusal = status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
  return triggerErrors.create(isRefusal ? 'STORAGE_CALL_REFUSED' : 'STORAGE_CALL_FAILED', { ...name, reason });
}

/** Blobs name the code `errorCode`; tables put it into `odataError`. */
function detailCode(details: unknown): unknown {
  if (typeof details !== 'object' || details === null) return undefined;
  if ('errorCode' in details) return details.errorCode;
  const error = 'odataError' in details ? details.odataError : undefined;
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** A text without what follows the question mark of an address, where a signature would stand. */
function withoutQueries(text: string): string {
  return text.replace(/\?\S*/g, '?***');
}
