import { refuseParameter, shorten } from '../parameters.ts';

/** The parts of a JSON pointer (RFC 6901), unescaped. Fails with PARAMETER_INVALID for what is none. */
export function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) refuseParameter('The pointer', `'${shorten(pointer)}' does not begin with '/'`);
  if (/~(?![01])/.test(pointer)) refuseParameter('The pointer', `'${shorten(pointer)}' holds a '~' without 0 or 1`);
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A JSON pointer to these parts. */
export function formatPointer(parts: readonly string[]): string {
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The value at a pointer; undefined when there is none. Only what the document itself holds is found. */
export function valueAt(json: unknown, pointer: string): unknown {
  let value = json;
  for (const part of parsePointer(pointer)) {
    value = childOf(value, part);
    if (value === undefined) return undefined;
  }
  return value;
}

/** What one part of a pointer leads to, or undefined. */
export function childOf(value: unknown, part: string): unknown {
  if (Array.isArray(value)) return isIndex(part) ? value[Number(part)] : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[part];
}

/** RFC 6901: no leading zeros, no sign. */
export function isIndex(part: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(part);
}
