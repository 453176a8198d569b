/** Lines of an app's log as traces and exceptions: pure. */
import type { LogFields, LogLevel, LogRecord } from '@switchyard/kernel';
import { toPlainText } from '../text-line.ts';
import { type EnvelopeData, toException, toTrace } from './envelope.ts';

const levelNames: Readonly<Record<LogLevel, string>> = {
  trace: 'Trace',
  debug: 'Debug',
  information: 'Information',
  warning: 'Warning',
  error: 'Error',
  critical: 'Critical',
};

/** Fields that have names of their own there, or that are told of elsewhere. */
const placed: ReadonlySet<string> = new Set(['category', 'invocationId', 'exception', 'applicationId', 'stack']);

/** Fields of one line that are sent. */
const maxFields = 30;

/** Told of by the request of the invocation, with its exception. */
const failedRun = "Executed 'Functions.{functionName}' (Failed";

/** What a line becomes, before that is made of it; undefined for one that something else tells better. */
export function kindOfLine({ message, fields }: LogRecord): 'Trace' | 'Exception' | undefined {
  if (message.startsWith(failedRun)) return undefined;
  return fields.exception === undefined ? 'Trace' : 'Exception';
}

/** The item of a line. */
export function fromLine({ timeMs, level, message, fields }: LogRecord): EnvelopeData {
  const properties = { ...toProperties(fields), LogLevel: levelNames[level] };
  const { exception } = fields;
  const text = toPlainText({ message, fields: { ...onlyNamed(message, fields), exception: undefined } });
  if (exception === undefined) return toTrace(timeMs, { level, text, properties });
  const error = readException(exception);
  return toException(timeMs, error, { level, properties: { ...properties, FormattedMessage: text } });
}

/** The fields that the text names: the others go beside it, as properties. */
function onlyNamed(message: string, fields: LogFields): LogFields {
  const named = Object.entries(fields).filter(([name]) => name === 'category' || message.includes(`{${name}}`));
  return Object.fromEntries(named);
}

function toProperties(fields: LogFields): Readonly<Record<string, string>> {
  const { category, invocationId } = fields;
  const rest = Object.entries(fields).filter(([name, value]) => !placed.has(name) && isScalar(value));
  return {
    ...Object.fromEntries(rest.slice(0, maxFields).map(([name, value]) => [`prop__${name}`, String(value)])),
    ...(typeof category === 'string' ? { Category: category } : {}),
    ...(typeof invocationId === 'string' ? { InvocationId: invocationId } : {}),
  };
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}

/** A stack begins with the type and the message of its error in most languages: `TypeError: no such thing`. */
function readException(exception: unknown): { type: string; message: string; stack: string } {
  if (exception instanceof Error) {
    return { type: exception.name, message: exception.message, stack: exception.stack ?? '' };
  }
  const text = String(exception);
  const [first = ''] = text.split('\n', 1);
  const [, type = '', message = first] = /^([\w.$]*(?:Error|Exception)): (.*)$/.exec(first) ?? [];
  return { type, message, stack: text.includes('\n') ? text : '' };
}
