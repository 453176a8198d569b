/** Numbers written in .NET's format strings, standard or custom: invariant culture. Whole numbers are its longs, others its doubles. */
import { writeCustomNumber } from './number-custom-format.ts';
import { group, toFixedDigits } from './number-digits.ts';

type Write = (value: number | bigint, precision: number | undefined) => string | undefined;

/** A letter and a precision: `N2`. */
const standardPattern = /^([a-z])(\d{0,2})$/i;
const maxPrecision = 99;

/** By the letter, in upper case; the exponents and hexadecimal digits of lower-case ones are in lower case. */
const standard: Readonly<Record<string, Write>> = {
  C: (value, precision = 2) => withSign(value, `¤${grouped(value, precision)}`, (text) => `(${text})`),
  D: (value, precision = 0) =>
    isWhole(value) ? withSign(value, magnitude(value).padStart(precision, '0')) : undefined,
  E: (value, precision = 6) => writeExponent(value, precision, 3),
  F: (value, precision = 2) => withSign(value, toFixedDigits(value, precision)),
  G: writeGeneral,
  N: (value, precision = 2) => withSign(value, grouped(value, precision)),
  P: (value, precision = 2) => withSign(value, `${group(toFixedDigits(value, precision, { shift: 2 }))} %`),
  R: (value) => (isWhole(value) ? undefined : writeGeneral(value, undefined)),
  X: (value, precision = 0) =>
    isWhole(value) ? BigInt.asUintN(64, BigInt(value)).toString(16).toUpperCase().padStart(precision, '0') : undefined,
};

/** Writes a finite number. Returns undefined for a format that .NET refuses for it. */
export function formatNumber(value: number | bigint, format: string): string | undefined {
  if (format === '') return writeGeneral(value, undefined);
  const [, letter = '', digits = ''] = standardPattern.exec(format) ?? [];
  if (letter === '') return writeCustomNumber(value, format);
  const write = Object.hasOwn(standard, letter.toUpperCase()) ? standard[letter.toUpperCase()] : undefined;
  const precision = digits === '' ? undefined : Math.min(Number(digits), maxPrecision);
  const text = write?.(value, precision);
  return /[egx]/.test(letter) ? text?.toLowerCase() : text;
}

function isWhole(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

/** Without its sign. */
function magnitude(value: number | bigint): string {
  return toFixedDigits(value, 0);
}

function grouped(value: number | bigint, precision: number): string {
  return group(toFixedDigits(value, precision));
}

/** A number that is rounded to zero has no sign. */
function withSign(value: number | bigint, text: string, negative = (given: string) => `-${given}`): string {
  return value < 0 && /[1-9]/.test(text) ? negative(text) : text;
}

function writeExponent(value: number | bigint, precision: number, exponentDigits: number): string {
  const [mantissa = '', exponent = '+0'] = Number(value).toExponential(precision).split('e');
  return `${mantissa}E${exponent[0]}${exponent.slice(1).padStart(exponentDigits, '0')}`;
}

/** The shorter one of both notations. */
function writeGeneral(value: number | bigint, precision: number | undefined): string {
  if (precision === undefined || precision === 0) {
    if (isWhole(value)) return withSign(value, magnitude(value));
    return Math.abs(Number(value)) < 1e-4
      ? withoutZeros(writeExponent(value, shortestPrecision(value), 2))
      : String(value);
  }
  const number = Number(value);
  const exponent = number === 0 ? 0 : Number(number.toExponential(precision - 1).split('e')[1]);
  if (exponent < -4 || exponent >= precision) return withoutZeros(writeExponent(number, precision - 1, 2));
  return withSign(value, withoutZeros(toFixedDigits(value, precision - 1 - exponent)));
}

/** Digits behind the point that tell the number from every other. */
function shortestPrecision(value: number | bigint): number {
  return Number(value)
    .toExponential()
    .replace(/e.*/, '')
    .replace(/^-?\d\.?/, '').length;
}

/** Without the zeros at the end of a fraction. */
function withoutZeros(text: string): string {
  return text.replace(/(\.\d*?)0+(?=E|$)/, '$1').replace(/\.(?=E|$)/, '');
}
