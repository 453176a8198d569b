/** Errors as callers of the API see them. */
import { isPlatformError, type PlatformError } from '@switchyard/kernel';
import type { Problem } from '@switchyard/protocol/control-api';
import type { WriteOutcome } from '../catalog/contract.ts';
import { controlErrors } from '../errors.ts';

/** A request that is answered with a problem; `more` stands in the problem beside what the error says. */
export class RequestRefused extends Error {
  readonly error: PlatformError;
  readonly more: { readonly status?: number; readonly path?: string; readonly currentRevision?: number };
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: PlatformError, more: RequestRefused['more'] = {}, headers: RequestRefused['headers'] = {}) {
    super(error.message);
    this.error = error;
    this.more = more;
    this.headers = headers;
  }
}

/** Refuses the request. */
export function refuseRequest(...[code, details]: Parameters<typeof controlErrors.create>): never {
  throw new RequestRefused(controlErrors.create(code, details));
}

/** The value of a write, or the refusal as the answer of the request. */
export function writtenValue<Value>(outcome: WriteOutcome<Value>): Value {
  if (outcome.kind === 'written') return outcome.value;
  const { error, currentRevision } = outcome;
  throw new RequestRefused(error, currentRevision === undefined ? {} : { currentRevision });
}

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly problem: Problem;
  /** True when nobody foresaw it, so that it must be logged. */
  readonly isUnexpected: boolean;
}

/** The first line of a message says what happened, the rest what to do. */
export function toProblem(error: PlatformError): Problem {
  const [message = '', ...fix] = error.message.split('\n');
  return { code: error.code, message, fix: fix.join('\n') };
}

/** The answer for anything that was thrown. What is no PlatformError is named by `requestId` alone. */
export function toProblemAnswer(thrown: unknown, requestId: string): ProblemAnswer {
  const refused = thrown instanceof RequestRefused ? thrown : undefined;
  const known = refused?.error ?? (isPlatformError(thrown) ? thrown : undefined);
  const error = known ?? controlErrors.create('CONTROL_UNEXPECTED', { requestId });
  const { status = error.definition.http, ...more } = refused?.more ?? {};
  const headers = { ...headersOf(error, status), ...refused?.headers };
  return { status, headers, problem: { ...toProblem(error), ...more }, isUnexpected: !known };
}

function headersOf({ retry }: PlatformError, status: number): Record<string, string> {
  return {
    ...(typeof retry === 'object' ? { 'retry-after': String(Math.ceil(retry.afterMs / 1_000)) } : {}),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  };
}
