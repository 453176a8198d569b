import { inspect } from 'node:util';
import type { LogFields, LogLevel, LogRecord } from '@switchyard/kernel';

export interface TextLineOptions {
  readonly colors: boolean;
  /** Puts the app's id before the text; of use when several apps share the console. */
  readonly showApplication: boolean;
}

/** Fields that the line shows in a place of their own, or that say nothing to a reader. */
const placed = new Set(['category', 'applicationId', 'functionName', 'invocationId', 'exception']);

const reset = '\u001b[0m';
const dim = '\u001b[2m';
const colorOf: Readonly<Record<LogLevel, string>> = {
  trace: dim,
  debug: dim,
  information: '',
  warning: '\u001b[33m',
  error: '\u001b[31m',
  critical: '\u001b[1;31m',
};

/**
 * One line of the developer's console, in the format of the official tools: `[2026-11-20T23:00:00.000Z] text`. A `{name}`
 * in a message of the platform is filled from the fields; the text of an app stays as it is. Function and invocation
 * follow in brackets, the other fields as `name=value`, all of them behind the message's first line; the stack of an
 * exception stands below.
 */
export function toTextLine(record: LogRecord, options: TextLineOptions): string {
  const { fields } = record;
  const { text, origin, rest } = describe(record, nothing);
  const [first = '', ...more] = text.split('\n');
  const application = options.showApplication && fields.applicationId !== undefined ? `${fields.applicationId}: ` : '';
  const paint = (color: string, part: string): string =>
    options.colors && color !== '' && part !== '' ? `${color}${part}${reset}` : part;
  const color = colorOf[record.level];
  const head = `${paint(dim, `[${new Date(record.timeMs).toISOString()}]`)} ${application}${paint(color, first)}`;
  return [`${head}${paint(dim, `${origin}${rest}`)}`, ...more.map((line) => paint(color, line))].join('\n');
}

/** Fields for which the readers of `toPlainText` have places of their own. */
const placedElsewhere: ReadonlySet<string> = new Set(['workerId', 'codeVersion']);

/** What a record says, in the words of `toTextLine`, without time, app, function, invocation and worker. */
export function toPlainText(record: Pick<LogRecord, 'message' | 'fields'>): string {
  const { text, rest } = describe(record, placedElsewhere);
  const [first = '', ...more] = text.split('\n');
  return [`${first}${rest}`, ...more].join('\n');
}

/** The text of a record; where it comes from, unless the text says so; and the fields that stand nowhere else. */
function describe(
  { message, fields }: Pick<LogRecord, 'message' | 'fields'>,
  hidden: ReadonlySet<string>,
): { readonly text: string; readonly origin: string; readonly rest: string } {
  const used = new Set<string>(hidden);
  const text = isWrittenByApp(fields) ? message : fill(message, fields, used);
  const below = fields.exception === undefined || used.has('exception') ? '' : `\n${plain(fields.exception)}`;
  return { text: `${text}${below}`, ...notesOf(fields, used) };
}

const nothing: ReadonlySet<string> = new Set();

/** Lines that an app wrote, through its logger or on its console. */
function isWrittenByApp({ category }: LogFields): boolean {
  return (
    typeof category === 'string' && (/^Function\..+\.User$/.test(category) || category.startsWith('Host.Function.'))
  );
}

function fill(message: string, fields: LogFields, used: Set<string>): string {
  return message.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    if (!Object.hasOwn(fields, name)) return placeholder;
    used.add(name);
    return plain(fields[name]);
  });
}

function notesOf(fields: LogFields, used: ReadonlySet<string>): { readonly origin: string; readonly rest: string } {
  const source = [fields.functionName, fields.invocationId].filter((part) => part !== undefined && part !== '');
  const isNamed = used.has('functionName') || used.has('invocationId');
  const origin = isNamed || source.length === 0 ? '' : ` [${source.join(' ')}]`;
  const rest = Object.entries(fields)
    .filter(([name, value]) => !placed.has(name) && !used.has(name) && value !== undefined)
    // Which worker wrote an app's line is of no interest while reading the app's lines.
    .filter(([name]) => name !== 'workerId' || !isWrittenByApp(fields))
    .map(([name, value]) => ` ${name}=${quoted(plain(value))}`);
  return { origin, rest: rest.join('') };
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.message;
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 4 });
}

/** A value with blanks or quotes is quoted, so that the end of each field can be seen. */
function quoted(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
