/** Checks what callers send. Every function names the parameter, what it got and what would do. */
import { libraryErrors } from './errors.ts';

/** The longest text or byte string that is taken where nothing else is said. */
export const maxTextLength = 4 * 1024 * 1024;

const maxShownLength = 60;

/** Fails with PARAMETER_INVALID. */
export function refuseParameter(what: string, reason: string): never {
  throw libraryErrors.create('PARAMETER_INVALID', { what, reason });
}

export function asText(value: unknown, what: string, maxLength = maxTextLength): string {
  if (typeof value !== 'string') refuseParameter(what, `it is ${describe(value)}, and must be a text`);
  if (value.length > maxLength) refuseParameter(what, `it is longer than ${maxLength} characters`);
  return value;
}

/** A name: not empty, and short. */
export function asName(value: unknown, what: string): string {
  const name = asText(value, what, 200);
  if (name.trim() === '') refuseParameter(what, 'it is empty');
  return name;
}

export function asInteger(value: unknown, what: string, minimum: number, maximum: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < minimum || value > maximum)
    refuseParameter(what, `it is ${describe(value)}, and must be a whole number from ${minimum} to ${maximum}`);
  return value;
}

export function asNumber(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    refuseParameter(what, `it is ${describe(value)}, and must be a finite number`);
  return value;
}

/** One of a fixed list. */
export function asOneOf<T extends string>(value: unknown, what: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) refuseParameter(what, `it is ${describe(value)}, and must be one of ${allowed.join(', ')}`);
  return found;
}

export function asList(value: unknown, what: string, maxLength = 100_000): readonly unknown[] {
  if (!Array.isArray(value)) refuseParameter(what, `it is ${describe(value)}, and must be a list`);
  if (value.length > maxLength) refuseParameter(what, `it has more than ${maxLength} items`);
  return value;
}

/** A plain object; a missing one is empty. Look into it with `fieldOf`, so that no inherited name is found. */
export function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array)
    refuseParameter(what, `it is ${describe(value)}, and must be an object`);
  return value as Readonly<Record<string, unknown>>;
}

/** A field of the object itself. */
export function fieldOf(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The bytes of a text in UTF-8, or of a byte array. */
export function asBytes(value: unknown, what: string, maxLength = maxTextLength): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  if (!(bytes instanceof Uint8Array)) refuseParameter(what, `it is ${describe(value)}, and must be a text or bytes`);
  if (bytes.length > maxLength) refuseParameter(what, `it is longer than ${maxLength} bytes`);
  return bytes;
}

/** A value for messages: its kind, and a little of its content. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'missing';
  if (typeof value === 'string') return `'${shorten(value)}'`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Uint8Array) return 'bytes';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** The beginning of a text, on one line. */
export function shorten(text: string, maxLength = maxShownLength): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`;
}
