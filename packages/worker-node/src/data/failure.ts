import { type StatusResult, StatusResult_Status } from '@switchyard/protocol';

/** What is said of something thrown that says nothing itself. */
const unknownError = 'Unknown error';

/** The result of something that went well. */
export const success: StatusResult = {
  status: StatusResult_Status.Success,
  result: '',
  exception: undefined,
  logs: [],
};

/** The result of something that threw: message and stack, whatever was thrown. Never throws itself. */
export function toFailure(thrown: unknown, status: StatusResult_Status = StatusResult_Status.Failure): StatusResult {
  const { message, stackTrace } = describeThrown(thrown);
  return {
    status,
    result: '',
    exception: { source: '', stackTrace, message, isUserException: false, type: '' },
    logs: [],
  };
}

/** Message and stack of anything that was thrown, also of an object that defends itself. */
export function describeThrown(thrown: unknown): { message: string; stackTrace: string } {
  try {
    if (thrown instanceof Error) return { message: textOf(thrown.message), stackTrace: textOf(thrown.stack) };
    // An error of another realm, a `vm` context for example.
    if (typeof thrown === 'object' && thrown !== null && 'message' in thrown && 'stack' in thrown)
      return { message: textOf(thrown.message), stackTrace: textOf(thrown.stack) };
    if (thrown === undefined || thrown === null) return { message: unknownError, stackTrace: '' };
    const message = typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown);
    return { message: textOf(message), stackTrace: '' };
  } catch {
    return { message: unknownError, stackTrace: '' };
  }
}

/** The same error under another message, with the frames of the first one. */
export function explain(error: Error, cause: unknown): Error {
  const frames = /(?:^|\n)\s+at [\s\S]*$/.exec(describeThrown(cause).stackTrace)?.[0] ?? '';
  error.stack = `Error: ${error.message}${frames.startsWith('\n') || frames === '' ? frames : `\n${frames}`}`;
  return error;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : String(value);
}
