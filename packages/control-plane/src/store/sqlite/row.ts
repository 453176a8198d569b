/** Reading the columns of a row. The tables are strict, so a wrong type is a defect, not input. */
import { invariant } from '@switchyard/kernel';
import type { SqliteRow } from './sqlite-file.ts';

export function textOf(row: SqliteRow, column: string): string {
  const value = row[column];
  invariant(typeof value === 'string', `column ${column} holds no text`);
  return value;
}

export function optionalTextOf(row: SqliteRow, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

export function integerOf(row: SqliteRow, column: string): number {
  const value = row[column];
  invariant(typeof value === 'number', `column ${column} holds no integer`);
  return value;
}

export function optionalIntegerOf(row: SqliteRow, column: string): number | undefined {
  return row[column] === null ? undefined : integerOf(row, column);
}
