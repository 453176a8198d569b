import { RpcTarget } from '@switchyard/capabilities';

/** What a payload may be. */
export interface PayloadLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

export type PayloadMeasure =
  | { readonly kind: 'fits'; readonly bytes: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** What a number, a date or the frame of an object weighs, about. */
const smallBytes = 8;

/** Classes that travel by value or as streams, and hold nothing to look into. */
const carried = [Date, URL, Error, Blob, ReadableStream, WritableStream, Headers, Request, Response];

/**
 * Weighs data before it travels: its size, about, and its depth. Cycles and classes that cannot travel are refused here,
 * because in the library they would fail late and leave unhandled rejections behind. The work is bounded by `maxBytes`.
 */
export function measurePayload(value: unknown, { maxBytes, maxDepth }: PayloadLimits): PayloadMeasure {
  const ancestors = new Set<object>();
  let bytes = 0;
  const visit = (item: unknown, depth: number): string | undefined => {
    bytes += weightOf(item);
    if (bytes > maxBytes) return `it is larger than ${maxBytes} bytes`;
    if (typeof item !== 'object' || item === null || isCarried(item)) return undefined;
    if (depth >= maxDepth) return `it nests deeper than ${maxDepth} levels`;
    if (ancestors.has(item)) return 'it contains itself';
    const prototype: unknown = Object.getPrototypeOf(item);
    if (!Array.isArray(item) && prototype !== Object.prototype && prototype !== null)
      return `it holds ${article(nameOf(prototype))}, which cannot travel; send plain data`;
    ancestors.add(item);
    for (const key of Object.keys(item)) {
      if (!Array.isArray(item)) bytes += key.length;
      const refused = visit((item as Readonly<Record<string, unknown>>)[key], depth + 1);
      if (refused !== undefined) return refused;
    }
    ancestors.delete(item);
    return undefined;
  };
  const reason = visit(value, 0);
  return reason === undefined ? { kind: 'fits', bytes } : { kind: 'refused', reason };
}

function weightOf(item: unknown): number {
  if (typeof item === 'string') return item.length + 2;
  if (typeof item === 'bigint') return smallBytes;
  if (item instanceof ArrayBuffer || ArrayBuffer.isView(item)) return item.byteLength;
  return smallBytes;
}

function isCarried(item: object): boolean {
  return (
    item instanceof RpcTarget ||
    item instanceof ArrayBuffer ||
    ArrayBuffer.isView(item) ||
    carried.some((type) => item instanceof type)
  );
}

function nameOf(prototype: unknown): string {
  const maker: unknown = typeof prototype === 'object' && prototype !== null ? prototype.constructor : undefined;
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'object of an unknown class';
}

function article(name: string): string {
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`;
}
