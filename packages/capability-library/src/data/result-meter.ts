import type { SqlRow, SqlValue } from '@switchyard/capabilities';

/** What a number or the frame of a row weighs, about. */
const smallBytes = 8;

/**
 * Counts the rows of one call while they come in, so that a result that is too large is given up before it is held.
 * It has no imports at run time, because it also runs in the thread of SQLite.
 */
export class ResultMeter {
  readonly #maxRows: number;
  readonly #maxBytes: number;
  #rows = 0;
  #bytes = 0;

  constructor({ maxRows, maxResultBytes }: { readonly maxRows: number; readonly maxResultBytes: number }) {
    this.#maxRows = maxRows;
    this.#maxBytes = maxResultBytes;
  }

  /** The limit that the row breaks, or undefined. */
  add(row: SqlRow): string | undefined {
    this.#rows += 1;
    if (this.#rows > this.#maxRows) return `${this.#maxRows} rows`;
    this.#bytes += smallBytes;
    for (const [name, value] of Object.entries(row)) this.#bytes += name.length + weightOf(value);
    return this.#bytes > this.#maxBytes ? `${this.#maxBytes} bytes` : undefined;
  }
}

function weightOf(value: SqlValue): number {
  if (typeof value === 'string') return value.length;
  return value instanceof Uint8Array ? value.byteLength : smallBytes;
}
