/** How PostgreSQL's values become values of rows; whatever is not listed stays the text that PostgreSQL writes. */
import type { SqlValue } from '@switchyard/capabilities';

/** Object ids of types, from pg_type; they never change. */
const oid = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, oidType: 26, float4: 700, float8: 701 };

const readers = new Map<number, (text: string) => SqlValue>([
  [oid.bool, (text) => text === 't'],
  [oid.bytea, (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))],
  [oid.int2, Number],
  [oid.int4, Number],
  [oid.oidType, Number],
  [oid.int8, (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text))],
  [oid.float4, Number],
  [oid.float8, Number],
]);

/** In the shape that the driver asks for. */
export const postgresqlTypes = {
  getTypeParser: (type: number) => readers.get(type) ?? ((text: string): SqlValue => text),
};

/** A parameter as the driver takes it. */
export function toParameter(value: SqlValue): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}
