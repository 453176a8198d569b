/**
 * Reads what programming models hand over, of which nothing is known. Keys that were not set (null, undefined) read as
 * the default of the wire; a value of the wrong kind throws a WireValueError with the path to it.
 */
import { describeValue } from './describe-value.ts';

/** Says where something stands that cannot be sent. Whoever knows what is being sent turns it into an error of its own. */
export class WireValueError extends Error {
  override readonly name = 'WireValueError';
  readonly path: string;
  readonly found: string;
  readonly expected: string;

  constructor(path: string, value: unknown, expected: string) {
    super(`${path} is ${describeValue(value)}, expected ${expected}`);
    this.path = path;
    this.found = describeValue(value);
    this.expected = expected;
  }
}

/** An object whose members are read one by one. */
export type Members = Readonly<Record<string, unknown>>;

const int64Limit = 2n ** 63n;

export function readMembers(value: unknown, path: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw new WireValueError(path, value, 'an object');
}

export function readText(value: unknown, path: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw new WireValueError(path, value, 'a string');
}

export function readFlag(value: unknown, path: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw new WireValueError(path, value, 'a boolean');
}

export function readNumber(value: unknown, path: string): number {
  if (typeof value === 'number') return value;
  throw new WireValueError(path, value, 'a number');
}

export function readBytes(value: unknown, path: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new WireValueError(path, value, 'a Buffer or a Uint8Array');
}

export function readList<Item>(value: unknown, path: string, read: (item: unknown, path: string) => Item): Item[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new WireValueError(path, value, 'an array');
  return value.map((item, index) => read(item, `${path}[${index}]`));
}

export function readMap<Item>(
  value: unknown,
  path: string,
  read: (item: unknown, path: string) => Item,
): Map<string, Item> {
  if (value === undefined || value === null) return new Map();
  return new Map(
    Object.entries(readMembers(value, path)).map(([key, item]) => [key, read(item, `${path}.${key}`)] as const),
  );
}

/** Reads an optional message. */
export function readOptional<Item>(
  value: unknown,
  path: string,
  read: (value: unknown, path: string) => Item,
): Item | undefined {
  return value === undefined || value === null ? undefined : read(value, path);
}

/** A whole number as number, bigint or Long. */
export function readInteger(value: unknown, path: string): bigint {
  const integer = toBigInt(value);
  if (integer === undefined) throw new WireValueError(path, value, 'a whole number');
  if (integer >= int64Limit || integer < -int64Limit)
    throw new WireValueError(path, value, 'a whole number of 64 bits');
  return integer;
}

/** The wire number of a word. */
export function readWord<Value>(words: Readonly<Record<string, Value>>, value: unknown, path: string): Value {
  if (typeof value === 'string' && Object.hasOwn(words, value)) return words[value] as Value;
  throw new WireValueError(path, value, `one of ${Object.keys(words).join(', ')}`);
}

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'object' || value === null || !('low' in value) || !('high' in value)) return undefined;
  if (typeof value.low !== 'number' || typeof value.high !== 'number') return undefined;
  return (BigInt(value.high | 0) << 32n) | BigInt(value.low >>> 0);
}
