import { isPlatformError, messageOf } from '@switchyard/kernel';
import { type StatusResult, StatusResult_Status } from '@switchyard/protocol';

/** The result of what went well. */
export const succeeded: StatusResult = {
  status: StatusResult_Status.Success,
  result: '',
  exception: undefined,
  logs: [],
};

/** The result of what failed. The handler's own errors are the app's; there is no stack of any use to it. */
export function toFailure(thrown: unknown): StatusResult {
  return {
    status: StatusResult_Status.Failure,
    result: '',
    exception: {
      source: '',
      stackTrace: '',
      message: messageOf(thrown),
      isUserException: isPlatformError(thrown) && thrown.blame === 'user',
      type: isPlatformError(thrown) ? thrown.code : 'Error',
    },
    logs: [],
  };
}

/** The result of what the host did not want any more. */
export function toCancelled(thrown: unknown): StatusResult {
  return { ...toFailure(thrown), status: StatusResult_Status.Cancelled };
}
