import type { ErrorDetails } from '@switchyard/kernel';
import { identityErrors, type RefusalCode } from './errors.ts';

/** Somebody is not let in. It is an expected outcome, and safe to show and to log. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  /** The gRPC status. */
  readonly status: number;
  /** The HTTP status. */
  readonly http: number;
  /** What to tell the caller: what is wrong, and how to make it right. */
  readonly reason: string;
}

/** Values of strangers are quoted up to this many characters. */
const maxQuotedLength = 120;

/** Makes a refusal from the catalogue. Texts among the details may come from a stranger. */
export function refuse(code: RefusalCode, details: ErrorDetails = {}): Refusal {
  const safe = Object.fromEntries(Object.entries(details).map(([name, value]) => [name, quotable(value)]));
  const { definition, message } = identityErrors.create(code, safe);
  return { kind: 'refused', code, status: definition.grpc, http: definition.http, reason: message };
}

function quotable(value: string | number | boolean): string | number | boolean {
  if (typeof value !== 'string') return value;
  const printable = value.replace(/[^\x20-\x7e]/g, '?');
  return printable.length > maxQuotedLength ? `${printable.slice(0, maxQuotedLength)}...` : printable;
}
