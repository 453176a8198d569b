import { type StatusResult, StatusResult_Status } from '@switchyard/protocol';
import type { InvocationError } from '@switchyard/triggers';

/** True when a worker said that it went well. Failure is 0, so a result that was left out is a failure too. */
export function succeeded(result: StatusResult | undefined): boolean {
  return result?.status === StatusResult_Status.Success;
}

/** What a worker says went wrong. */
export function toError(result: StatusResult | undefined): InvocationError {
  const exception = result?.exception;
  return {
    message: exception?.message || result?.result || 'the worker gave no reason',
    stack: exception?.stackTrace ?? '',
    type: exception?.type ?? '',
  };
}
