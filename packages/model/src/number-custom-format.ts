/**
 * Numbers in .NET's custom format strings, such as `#,##0.00` or `000-00`: invariant culture.
 *
 * `0` and `#` stand for digits, `.` for the point. A comma between digits groups them, commas before the point divide by a
 * thousand each; `%` and `‰` multiply. `E0`, `E+0` and `E-0` write an exponent. Up to three sections, parted by semicolons, are for
 * positive numbers, negative ones and zero. Everything else stands for itself, quoted or not.
 */
import { toFixedDigits } from './number-digits.ts';

type Token =
  | { readonly kind: 'digit'; readonly isZero: boolean }
  | { readonly kind: 'point' }
  | { readonly kind: 'exponent'; readonly letter: string; readonly sign: string; readonly digits: number }
  | { readonly kind: 'text'; readonly text: string };

/** A section of a format, read once. */
interface Section {
  readonly tokens: readonly Token[];
  readonly whole: number;
  readonly fraction: number;
  /** Digits that are written even if they are zeros. */
  readonly minWhole: number;
  readonly minFraction: number;
  readonly isGrouped: boolean;
  /** The power of ten that percents and thousands make. */
  readonly shift: number;
}

/** Doubles have no more digits than this in custom formats. */
const significant = 15;

const sectionPattern = /(?:'[^']*'|"[^"]*"|\\.|[^;'"\\])*(?:;|$)/gsu;
const tokenPattern = /'([^']*)'|"([^"]*)"|\\(.)|(e)([+-]?)(0+)|([\s\S])/giu;

export function writeCustomNumber(value: number | bigint, format: string): string | undefined {
  if (/^(?:'[^']*'|"[^"]*"|\\[\s\S]|[^'"\\])*$/u.test(format) === false) return undefined;
  const [first = '', second, third] = (format.match(sectionPattern) ?? []).map((text) => text.replace(/;$/, ''));
  const isNegative = value < 0;
  const own = isNegative && second ? second : first;
  const digits = write(value, readSection(own));
  if (!/[1-9]/.test(digits.number)) {
    const zero = third || first;
    return zero === own ? digits.text : write(0, readSection(zero)).text;
  }
  return isNegative && own === first ? `-${digits.text}` : digits.text;
}

function readSection(format: string): Section {
  const tokens: Token[] = [];
  let [whole, fraction, minWhole, minFraction, shift, commas] = [0, 0, 0, 0, 0, 0];
  let [hasPoint, isGrouped] = [false, false];
  for (const [, single, double, escaped, e, sign = '', zeros = '', other] of format.matchAll(tokenPattern)) {
    if (e !== undefined && whole + fraction > 0) {
      tokens.push({ kind: 'exponent', letter: e, sign, digits: zeros.length });
    } else if (other === '0' || other === '#') {
      const isZero = other === '0';
      tokens.push({ kind: 'digit', isZero });
      if (commas > 0 && !hasPoint) isGrouped = true;
      commas = 0;
      if (hasPoint) {
        fraction += 1;
        if (isZero) minFraction = fraction;
      } else {
        whole += 1;
        if (isZero || minWhole > 0) minWhole += 1;
      }
    } else if (other === '.') {
      if (!hasPoint) tokens.push({ kind: 'point' });
      if (!hasPoint) shift -= 3 * commas;
      [hasPoint, commas] = [true, 0];
    } else if (other === ',') {
      if (whole > 0 && !hasPoint) commas += 1;
    } else {
      if (other === '%') shift += 2;
      if (other === '‰') shift += 3;
      tokens.push({ kind: 'text', text: single ?? double ?? escaped ?? other ?? `${e}${sign}${zeros}` });
    }
  }
  if (!hasPoint) shift -= 3 * commas;
  return { tokens, whole, fraction, minWhole, minFraction, isGrouped, shift };
}

/** The text, and the digits alone, which tell whether it is zero. */
function write(value: number | bigint, section: Section): { readonly text: string; readonly number: string } {
  const { whole, fraction, shift } = section;
  const hasExponent = section.tokens.some(({ kind }) => kind === 'exponent');
  if (whole + fraction === 0)
    return { text: fill(section, '', '', 0), number: value === 0 || value === 0n ? '0' : '1' };
  const power = hasExponent ? exponentOf(value, section) : 0;
  const number = toFixedDigits(value, fraction, { shift: shift - power, significant });
  const [before = '', after = ''] = number.split('.');
  return { text: fill(section, before.replace(/^0+/, ''), after.replace(/0+$/, ''), power), number };
}

/** What leaves as many digits before the point as the section has. */
function exponentOf(value: number | bigint, { whole, fraction }: Section): number {
  if (value === 0 || value === 0n) return 0;
  const digits = Math.min(significant, Math.max(1, whole + fraction));
  const power = Number(
    Number(value)
      .toExponential(digits - 1)
      .split('e')[1],
  );
  return power + 1 - whole;
}

/** Puts digits into the places of a section; the first place takes all that are before it. */
function fill(section: Section, whole: string, fraction: string, power: number): string {
  const digits = whole.padStart(section.minWhole, '0');
  const decimals = fraction.padEnd(section.minFraction, '0');
  let [text, place, decimal, isBehind] = ['', 0, 0, false];
  for (const token of section.tokens) {
    if (token.kind === 'text') text += token.text;
    else if (token.kind === 'exponent') text += writePower(token, power);
    else if (token.kind === 'point') {
      // Digits without a place of their own stand before the point.
      if (section.whole === 0 && !isBehind) text += grouped(section, digits, 0, digits.length);
      if (decimals !== '') text += '.';
      isBehind = true;
    } else if (isBehind) {
      text += decimals[decimal] ?? '';
      decimal += 1;
    } else {
      const from = place === 0 ? 0 : digits.length - section.whole + place;
      const to = digits.length - section.whole + place + 1;
      text += grouped(section, digits, Math.max(0, from), Math.max(0, to));
      place += 1;
    }
  }
  return text;
}

/** Some of the digits, each third one from the right followed by a comma where the section wants that. */
function grouped({ isGrouped }: Section, digits: string, from: number, to: number): string {
  return [...digits.slice(from, to)]
    .map((digit, index) => {
      const left = digits.length - (from + index) - 1;
      return isGrouped && left > 0 && left % 3 === 0 ? `${digit},` : digit;
    })
    .join('');
}

function writePower({ letter, sign, digits }: Extract<Token, { kind: 'exponent' }>, power: number): string {
  const shownSign = power < 0 ? '-' : sign === '+' ? '+' : '';
  return `${letter}${shownSign}${String(Math.abs(power)).padStart(digits, '0')}`;
}
