/** Digits of numbers in decimal notation, halves rounded away from zero. */

/** A number without its sign: the digits before the point and those behind it. */
interface Decimal {
  readonly whole: string;
  readonly fraction: string;
}

/** A double is told from all others long before this many digits, which is as many as `toFixed` writes. */
const exactFraction = 100;

export interface DigitOptions {
  /** Multiplies by ten to the power of this. */
  readonly shift?: number;
  /** Doubles are rounded to so many digits first; as exact as they are when left out. */
  readonly significant?: number;
}

/** The number without its sign, with so many digits behind the point. */
export function toFixedDigits(value: number | bigint, fraction: number, options: DigitOptions = {}): string {
  const { shift = 0, significant } = options;
  return round(move(toDecimal(value, significant), shift), fraction);
}

/** Puts a comma before every third digit of the whole part. */
export function group(text: string): string {
  const [whole = '', fraction] = text.split('.');
  const parts = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? parts : `${parts}.${fraction}`;
}

function toDecimal(value: number | bigint, significant: number | undefined): Decimal {
  if (typeof value === 'bigint' || Number.isInteger(value)) {
    return { whole: BigInt(value).toString().replace('-', ''), fraction: '' };
  }
  const rounded = significant === undefined ? value : Number(value.toPrecision(significant));
  const [whole = '0', fraction = ''] = Math.abs(rounded).toFixed(exactFraction).split('.');
  if (significant === undefined) return { whole, fraction };
  const places = Math.max(
    0,
    Math.min(exactFraction, significant - whole.replace(/^0+/, '').length + leadingZeros(whole, fraction)),
  );
  const [before = '0', after = ''] = Math.abs(rounded).toFixed(places).split('.');
  return { whole: before, fraction: after };
}

function leadingZeros(whole: string, fraction: string): number {
  return /[1-9]/.test(whole) ? 0 : (/^0*/.exec(fraction)?.[0].length ?? 0);
}

function move({ whole, fraction }: Decimal, shift: number): Decimal {
  if (shift >= 0) {
    const padded = fraction.padEnd(shift, '0');
    return { whole: whole + padded.slice(0, shift), fraction: padded.slice(shift) };
  }
  const padded = whole.padStart(1 - shift, '0');
  return { whole: padded.slice(0, shift), fraction: padded.slice(shift) + fraction };
}

function round({ whole, fraction }: Decimal, places: number): string {
  const kept = BigInt(whole + fraction.padEnd(places, '0').slice(0, places));
  const rounded = (fraction[places] ?? '0') >= '5' ? kept + 1n : kept;
  const digits = rounded.toString().padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
