/** Constraints of route parameters, with the tests that ASP.NET Core makes. */
import { isDateText } from './date-text.ts';
import { compileLinearRegex } from './linear-regex/linear-regex.ts';

/** Decides whether the text of a parameter may match. */
export interface RouteConstraint {
  /** As the template has it, for example `range(1,5)`. */
  readonly text: string;
  matches(value: string): boolean;
}

type Test = (value: string) => boolean;

const tests: Readonly<Record<string, Test>> = {
  alpha: (value) => /^[a-z]*$/i.test(value),
  bool: (value) => /^\s*(true|false)\s*$/i.test(value),
  datetime: isDateText,
  decimal: (value) =>
    /^\s*[+-]?(?=[\d.,]*\d)\d*(,\d*)*(\.\d*)?[+-]?\s*$/.test(value) && Math.abs(toNumber(value)) < 7.93e28,
  double: isFloat,
  file: (value) => isFile(value),
  float: isFloat,
  guid: isGuid,
  int: (value) => isInteger(value, 31n),
  long: (value) => isInteger(value, 63n),
  nonfile: (value) => !isFile(value),
  required: (value) => value !== '',
};

/** Constraints with arguments: how many they take, and the test that they make. */
const factories: Readonly<
  Record<string, { readonly counts: readonly number[]; make(numbers: readonly bigint[]): Test }>
> = {
  length: {
    counts: [1, 2],
    make:
      ([from = 0n, to = from]) =>
      (value) =>
        value.length >= from && value.length <= to,
  },
  max: {
    counts: [1],
    make:
      ([limit = 0n]) =>
      (value) =>
        isInteger(value, 63n) && toBigInt(value) <= limit,
  },
  maxlength: {
    counts: [1],
    make:
      ([limit = 0n]) =>
      (value) =>
        value.length <= limit,
  },
  min: {
    counts: [1],
    make:
      ([limit = 0n]) =>
      (value) =>
        isInteger(value, 63n) && toBigInt(value) >= limit,
  },
  minlength: {
    counts: [1],
    make:
      ([limit = 0n]) =>
      (value) =>
        value.length >= limit,
  },
  range: {
    counts: [2],
    make:
      ([from = 0n, to = 0n]) =>
      (value) => {
        return isInteger(value, 63n) && toBigInt(value) >= from && toBigInt(value) <= to;
      },
  },
};

/** Makes a constraint from its text, or says what is wrong with it. */
export function createRouteConstraint(text: string): RouteConstraint | string {
  const [, name = '', inside] = /^([^(]*)(?:\((.*)\))?$/s.exec(text) ?? [];
  const key = name.trim().toLowerCase();
  if (key === 'regex') return createRegexConstraint(text, inside);
  const test = Object.hasOwn(tests, key) ? tests[key] : undefined;
  if (test !== undefined && inside === undefined) return { text, matches: test };
  const factory = Object.hasOwn(factories, key) ? factories[key] : undefined;
  if (factory === undefined) {
    const known = [...Object.keys(tests), ...Object.keys(factories), 'regex'].sort().join(', ');
    return `"${text}" is no constraint; there are ${known}`;
  }
  const numbers = (inside ?? '').split(',').map((argument) => argument.trim());
  if (!numbers.every((argument) => /^[+-]?\d{1,18}$/.test(argument)) || !factory.counts.includes(numbers.length)) {
    return `"${text}" needs ${factory.counts.join(' or ')} whole numbers in its parentheses`;
  }
  return { text, matches: factory.make(numbers.map(toBigInt)) };
}

function createRegexConstraint(text: string, pattern: string | undefined): RouteConstraint | string {
  if (pattern === undefined || pattern === '') return `"${text}" needs a regular expression in its parentheses`;
  const regex = compileLinearRegex(pattern);
  if (typeof regex === 'string') return `"${text}" ${regex}`;
  return { text, matches: (value) => regex.test(value) };
}

/** A whole number of `bits` bits and a sign, blanks around it allowed. */
function isInteger(value: string, bits: bigint): boolean {
  if (!/^\s*[+-]?\d{1,64}\s*$/.test(value)) return false;
  const number = toBigInt(value);
  return number >= -(1n << bits) && number < 1n << bits;
}

function toBigInt(value: string): bigint {
  return BigInt(value.trim().replace(/^\+/, ''));
}

function isFloat(value: string): boolean {
  return /^\s*([+-]?(?=[\d.,]*\d)\d*(,\d*)*(\.\d*)?(e[+-]?\d+)?|[+-]?infinity|[+-]?nan|[+-]?∞)\s*$/i.test(value);
}

function toNumber(value: string): number {
  return Number(value.replace(/[\s,+-]/g, ''));
}

function isGuid(value: string): boolean {
  const groups = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
  return new RegExp(`^\\s*([0-9a-f]{32}|${groups}|\\{${groups}\\}|\\(${groups}\\))\\s*$`, 'i').test(value);
}

/** A last segment with a dot and something behind it. */
function isFile(value: string): boolean {
  const last = value.slice(value.lastIndexOf('/') + 1);
  const dot = last.lastIndexOf('.');
  return dot >= 0 && dot < last.length - 1;
}
