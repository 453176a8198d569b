/**
 * Binding expressions: `%SETTING%` when an app is indexed, `{name}` at each invocation (WebJobs binding templates).
 *
 * A template is parsed once. `{name}` and `{a.b}` read binding data, whatever the case of the names; `{name:format}` writes
 * a date or a number in a .NET format. What the binding data does not hold may be built in: `{rand-guid}`, `{datetime}`,
 * and the members of `sys`. `{{` and `}}` are single braces.
 */
import type { Clock, Random } from '@switchyard/kernel';
import { formatDate } from './date-format.ts';
import { modelErrors } from './errors.ts';
import { formatNumber } from './number-format.ts';
import type { SettingsView } from './settings.ts';

/** The values that `{name}` may read: texts, numbers, truth values, Dates, and JSON objects for `{a.b}`. */
export type BindingData = ReadonlyMap<string, unknown>;

/** Where the built-in values come from. */
export interface ExpressionScope {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'uuid'>;
  /** `{sys.MethodName}`. */
  readonly functionName: string;
}

/** A parsed template. */
export interface BindingExpression {
  /** The template, its settings replaced. */
  readonly text: string;
  /** The first name of each `{...}`, in order; empty when the text never changes. */
  readonly parameters: readonly string[];
  /** Fills the template. @throws PlatformError EXPRESSION_VALUE_MISSING, EXPRESSION_VALUE_UNUSABLE, EXPRESSION_FORMAT_INVALID */
  resolve(data: BindingData, scope: ExpressionScope): string;
}

/** `{datetime}` without a format; the hyphens of the time keep it legal in names of blobs. */
const defaultDateFormat = 'yyyy-MM-ddTHH-mm-ssK';

type Token =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'value';
      readonly path: readonly string[];
      readonly format: string | undefined;
      readonly builtIn: 'rand-guid' | 'datetime' | undefined;
    };

const tokenPattern = /(\{\{|\}\})|\{([^{}]*)\}|([^{}]+)|[{}]/gu;
const namePattern = /^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}\p{Pc}\p{Mn}\p{Mc}\p{Cf}-]*$/u;

/**
 * Parses a template; `where` names it in errors. With `settings`, every `%NAME%` is replaced first.
 * @throws PlatformError EXPRESSION_INVALID, SETTING_MISSING, SETTING_REFERENCE_INVALID
 */
export function parseBindingExpression(text: string, where: string, settings?: SettingsView): BindingExpression {
  const expanded = settings === undefined ? text : settings.expand(text, where);
  const tokens = [...expanded.matchAll(tokenPattern)].map((match) => toToken(match, expanded, where));
  return {
    text: expanded,
    parameters: tokens.flatMap((token) => (token.kind === 'value' ? [token.path[0] ?? ''] : [])),
    resolve: (data, scope) =>
      tokens.map((token) => (token.kind === 'literal' ? token.text : resolveToken(token, data, scope, where))).join(''),
  };
}

function toToken(match: RegExpExecArray, text: string, where: string): Token {
  const [whole, escaped, inside, literal] = match;
  if (literal !== undefined) return { kind: 'literal', text: literal };
  if (escaped !== undefined) return { kind: 'literal', text: escaped.slice(1) };
  const fail = (problem: string): Error =>
    modelErrors.create('EXPRESSION_INVALID', { where, text, position: match.index + 1, problem });
  if (inside === undefined)
    throw fail(`a "${whole}" has no partner; write "${whole}${whole}" for the character itself`);
  if (inside === '') throw fail('no name stands between the braces');
  const colon = inside.indexOf(':');
  const name = colon > 0 ? inside.slice(0, colon) : inside;
  const format = colon > 0 ? inside.slice(colon + 1) : undefined;
  const builtIn = toBuiltIn(name);
  const path = name.split('.');
  if (!path.every((part) => namePattern.test(part)) || (builtIn === undefined && path[0]?.includes('-'))) {
    throw fail(`"${name}" is no name; names are letters, digits and "_", joined by "."`);
  }
  return { kind: 'value', path, format, builtIn };
}

function toBuiltIn(name: string): 'rand-guid' | 'datetime' | undefined {
  const lower = name.toLowerCase();
  return lower === 'rand-guid' || lower === 'datetime' ? lower : undefined;
}

type ValueToken = Extract<Token, { kind: 'value' }>;

function resolveToken(token: ValueToken, data: BindingData, scope: ExpressionScope, where: string): string {
  const name = token.path.join('.');
  const value = lookUp(token, data, scope);
  if (value === undefined || value === null) {
    const available = [...data.keys()].join(', ') || 'none';
    throw modelErrors.create('EXPRESSION_VALUE_MISSING', { where, name, available });
  }
  if (typeof value === 'object' && !(value instanceof Date)) {
    const kind = Array.isArray(value) ? 'an array' : 'an object';
    throw modelErrors.create('EXPRESSION_VALUE_UNUSABLE', { where, name, kind });
  }
  const text = writeValue(value, token);
  if (text === undefined) {
    throw modelErrors.create('EXPRESSION_FORMAT_INVALID', { where, name, format: token.format ?? '' });
  }
  return text;
}

/** Binding data wins over what is built in. */
function lookUp(token: ValueToken, data: BindingData, scope: ExpressionScope): unknown {
  const [first = '', ...rest] = token.path;
  const found = readEntry(data, first);
  if (found !== undefined) return rest.reduce<unknown>((value, part) => readMember(value, part), found);
  if (token.builtIn === 'rand-guid') return scope.random.uuid();
  if (token.builtIn === 'datetime') return new Date(scope.clock.now());
  if (first.toLowerCase() !== 'sys' || rest.length !== 1) return undefined;
  switch (rest[0]?.toLowerCase()) {
    case 'methodname':
      return scope.functionName;
    case 'utcnow':
      return new Date(scope.clock.now());
    case 'randguid':
      return scope.random.uuid();
    default:
      return undefined;
  }
}

function readEntry(data: BindingData, name: string): unknown {
  const exact = data.get(name);
  if (exact !== undefined) return exact;
  const wanted = name.toLowerCase();
  for (const [key, value] of data) if (key.toLowerCase() === wanted) return value;
  return undefined;
}

function readMember(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return readEntry(new Map(Object.entries(value)), name);
}

/** Texts ignore the format, as .NET's do, but for the GUIDs that `{rand-guid:N}` asks for. */
function writeValue(value: unknown, token: ValueToken): string | undefined {
  if (value instanceof Date) return formatDate(value.getTime(), token.format ?? defaultDateFormat);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'bigint') return formatNumber(value, token.format ?? '');
  const isGuid = token.builtIn === 'rand-guid' || token.path.join('.').toLowerCase() === 'sys.randguid';
  return isGuid ? writeGuid(String(value), token.format) : String(value);
}

function writeGuid(guid: string, format: string | undefined): string | undefined {
  switch (format?.toUpperCase() ?? 'D') {
    case '':
    case 'D':
      return guid;
    case 'N':
      return guid.replaceAll('-', '');
    case 'B':
      return `{${guid}}`;
    case 'P':
      return `(${guid})`;
    case 'X':
      return writeHexGuid(guid.replaceAll('-', ''));
    default:
      return undefined;
  }
}

/** .NET's structure of hexadecimal numbers: `{0x...,0x...,0x...,{0x..,...}}`. */
function writeHexGuid(digits: string): string {
  const bytes = digits.slice(16).match(/../g) ?? [];
  const last = bytes.map((byte) => `0x${byte}`).join(',');
  return `{0x${digits.slice(0, 8)},0x${digits.slice(8, 12)},0x${digits.slice(12, 16)},{${last}}}`;
}
