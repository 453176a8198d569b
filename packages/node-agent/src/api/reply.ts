/** What a route answers; the server writes it. */
import type { JobError, JobErrorCode, JobLogEvent } from '@switchyard/protocol/job-api';

export type Reply =
  | {
      readonly kind: 'json';
      readonly status: number;
      readonly value: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'text'; readonly type: string; readonly text: string }
  | { readonly kind: 'events'; readonly events: AsyncIterable<JobLogEvent> };

/** A request that gets an error as its answer. */
export class RequestRefused extends Error {
  readonly status: number;
  readonly error: JobError;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: JobError, headers: Readonly<Record<string, string>> = {}) {
    super(error.message);
    this.name = 'RequestRefused';
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

/** Ends the handling of a request. */
export function refuse(
  status: number,
  code: JobErrorCode,
  message: string,
  headers?: Readonly<Record<string, string>>,
): never {
  throw new RequestRefused(status, { code, message }, headers);
}
