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
  const { fields, level, timeMs } = record;
  const { first, more, origin, rest } = describe(record, nothing);
  const application = options.showApplication && fields.applicationId !== undefined ? `${fields.applicationId}: ` : '';
  const stamp = `[${new Date(timeMs).toISOString()}]`;
  if (!options.colors) return `${stamp} ${application}${first}${origin}${rest}${more}`;
  const color = colorOf[level];
  const lines = more.split('\n').map((line) => paint(color, line));
  return `${paint(dim, stamp)} ${application}${paint(color, first)}${paint(dim, `${origin}${rest}`)}${lines.join('\n')}`;
}

function paint(color: string, part: string): string {
  return color === '' || part === '' ? part : `${color}${part}${reset}`;
}

/** Fields for which the readers of `toPlainText` have places of their own. */
const placedElsewhere: ReadonlySet<string> = new Set(['workerId', 'codeVersion']);

/** What a record says, in the words of `toTextLine`, without time, app, function, invocation and worker. */
export function toPlainText(record: Pick<LogRecord, 'message' | 'fields'>): string {
  const { first, more, rest } = describe(record, placedElsewhere);
  return `${first}${rest}${more}`;
}

const nothing: ReadonlySet<string> = new Set();

interface Description {
  /** The first line of the text. */
  readonly first: string;
  /** Its other lines, each with its line break before it. */
  readonly more: string;
  /** Where it comes from, unless the text says so. */
  readonly origin: string;
  /** The fields that stand nowhere else. */
  readonly rest: string;
}

function describe(
  { message, fields }: Pick<LogRecord, 'message' | 'fields'>,
  hidden: ReadonlySet<string>,
): Description {
  const isOfApp = isWrittenByApp(fields);
  const { texts, names } = isOfApp ? { texts: [message], names: [] } : templateOf(message);
  let text = texts[0] ?? '';
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at] ?? '';
    text += `${Object.hasOwn(fields, name) ? plain(fields[name]) : `{${name}}`}${texts[at + 1]}`;
  }
  const { exception, functionName, invocationId } = fields;
  if (exception !== undefined && !names.includes('exception')) text += `\n${plain(exception)}`;
  const isNamed = saysOf('functionName', names, fields) || saysOf('invocationId', names, fields);
  const source = isNamed ? '' : joined(functionName, invocationId);
  const end = text.indexOf('\n');
  return {
    first: end < 0 ? text : text.slice(0, end),
    more: end < 0 ? '' : text.slice(end),
    origin: source === '' ? '' : ` [${source}]`,
    rest: notesOf(fields, { names, hidden, isOfApp }),
  };
}

function saysOf(name: string, names: readonly string[], fields: LogFields): boolean {
  return names.includes(name) && Object.hasOwn(fields, name);
}

function joined(one: unknown, other: unknown): string {
  if (one === undefined || one === '') return other === undefined ? '' : `${other}`;
  return other === undefined || other === '' ? `${one}` : `${one} ${other}`;
}

interface Placed {
  /** What the text says already. */
  readonly names: readonly string[];
  readonly hidden: ReadonlySet<string>;
  readonly isOfApp: boolean;
}

function notesOf(fields: LogFields, { names, hidden, isOfApp }: Placed): string {
  let notes = '';
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value === undefined || placed.has(name) || hidden.has(name) || names.includes(name)) continue;
    // Which worker wrote an app's line is of no interest while reading the app's lines.
    if (isOfApp && name === 'workerId') continue;
    notes += ` ${name}=${quoted(plain(value))}`;
  }
  return notes;
}

/** Lines that an app wrote, through its logger or on its console. */
function isWrittenByApp({ category }: LogFields): boolean {
  return (
    typeof category === 'string' &&
    (category.startsWith('Host.Function.') || (category.startsWith('Function.') && userCategory.test(category)))
  );
}

const userCategory = /^Function\..+\.User$/;

/** A message with its places: `texts` has one more than `names`, around and between them. */
interface Template {
  readonly texts: readonly string[];
  readonly names: readonly string[];
}

/** Messages are constant, so there are only ever so many. */
const maxTemplates = 1_000;
const templates = new Map<string, Template>();

function templateOf(message: string): Template {
  const known = templates.get(message);
  if (known !== undefined) return known;
  // What is captured stands between what is not.
  const parts = message.split(/\{(\w+)\}/);
  const template = { texts: parts.filter((_, at) => at % 2 === 0), names: parts.filter((_, at) => at % 2 === 1) };
  if (templates.size < maxTemplates) templates.set(message, template);
  return template;
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
