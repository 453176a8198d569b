import { inspect } from 'node:util';
import { type StatusResult, StatusResult_Status } from '@switchyard/protocol';

/** What is said of something thrown that says nothing itself. */
const unknownError = 'Unknown error';

/** How deep causes are followed, and how many errors of an AggregateError are told. */
const maxCauses = 5;

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

/** Message and stack of anything that was thrown, with what caused it; also of an object that defends itself. */
export function describeThrown(thrown: unknown): { message: string; stackTrace: string } {
  try {
    if (isError(thrown))
      return { message: textOf(thrown.message), stackTrace: `${textOf(thrown.stack)}${causesOf(thrown)}` };
    if (thrown === undefined || thrown === null) return { message: unknownError, stackTrace: '' };
    const message = typeof thrown === 'object' ? objectText(thrown) : String(thrown);
    return { message: textOf(message), stackTrace: '' };
  } catch {
    return { message: unknownError, stackTrace: '' };
  }
}

/** Also of another realm, a `vm` context for example. */
function isError(thrown: unknown): thrown is Error {
  if (thrown instanceof Error) return true;
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown && 'stack' in thrown;
}

/** What stands behind an error, as Node.js itself prints it: causes of causes, and the errors of an AggregateError. */
function causesOf(error: Error, depth = 0): string {
  if (depth >= maxCauses) return '';
  const { cause, errors } = error as { readonly cause?: unknown; readonly errors?: unknown };
  const parts: (readonly [string, unknown])[] = cause === undefined ? [] : [['cause', cause]];
  if (Array.isArray(errors))
    parts.push(...errors.slice(0, maxCauses).map((one, index) => [`errors ${index}`, one] as const));
  return parts.map(([name, part]) => `\n[${name}]: ${causeText(part, depth)}`).join('');
}

function causeText(part: unknown, depth: number): string {
  if (!isError(part)) return describeThrown(part).message;
  return `${textOf(part.stack) || textOf(part.message)}${causesOf(part, depth + 1)}`;
}

function objectText(thrown: object): unknown {
  try {
    return JSON.stringify(thrown);
  } catch {
    // It leads back to itself, or holds a bigint.
    return inspect(thrown, { depth: 2, breakLength: Number.POSITIVE_INFINITY });
  }
}

/** The same error under another message, which tells what the first one says, with its frames: that one need not be told again. */
export function explain(error: Error, cause: unknown): Error {
  const frames = /(?:^|\n)\s+at [\s\S]*$/.exec(describeThrown(cause).stackTrace)?.[0] ?? '';
  error.stack = `Error: ${error.message}${frames.startsWith('\n') || frames === '' ? frames : `\n${frames}`}`;
  error.cause = undefined;
  return error;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : String(value);
}
