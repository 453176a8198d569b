/** Reading the columns of a row. The tables are strict, so a wrong type is a defect, not input. */
import { invariant } from '@switchyard/kernel';

/** A row as node:sqlite gives it. */
export type Row = Readonly<Record<string, null | number | bigint | string | Uint8Array>>;

export function textOf(row: Row, column: string): string {
  const value = row[column];
  invariant(typeof value === 'string', `column ${column} holds no text`);
  return value;
}

export function optionalTextOf(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

export function integerOf(row: Row, column: string): number {
  const value = row[column];
  invariant(typeof value === 'number', `column ${column} holds no integer`);
  return value;
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  invariant(value instanceof Uint8Array, `column ${column} holds no bytes`);
  return value;
}
