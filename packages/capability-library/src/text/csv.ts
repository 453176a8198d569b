import { describe, refuseParameter } from '../parameters.ts';

/**
 * Rows of CSV (RFC 4180): fields in quotes may hold separators, line breaks and doubled quotes. A line break at the end
 * starts no row. Fails with PARAMETER_INVALID, naming the line, where a quote is not closed or stands in the wrong place.
 */
export function parseCsv(text: string, separator = ','): string[][] {
  checkSeparator(separator);
  const rows: string[][] = [];
  let row: string[] = [];
  let position = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (position <= text.length) {
    if (position === text.length && row.length === 0) break;
    const field = readField(text, position, separator, line);
    row.push(field.value);
    line += field.lines;
    position = field.end;
    const next = text[position];
    if (next === separator) {
      position += 1;
      continue;
    }
    rows.push(row);
    row = [];
    if (next === undefined) break;
    position += text.startsWith('\r\n', position) ? 2 : 1;
    line += 1;
  }
  return rows;
}

/** Writes rows as CSV with CRLF line ends; fields are quoted where they must be. */
export function formatCsv(rows: readonly (readonly string[])[], separator = ','): string {
  checkSeparator(separator);
  const special = new RegExp(`["\r\n${separator === '\t' ? '\\t' : `\\${separator}`}]`);
  const quote = (field: string): string => (special.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  // A row of one empty field would read as no row at all.
  const format = (row: readonly string[]): string =>
    row.length === 1 && row[0] === '' ? '""' : row.map(quote).join(separator);
  const lines = rows.map((row) => `${format(row)}\r\n`);
  const text = lines.join('');
  return text.startsWith('\uFEFF') ? `\uFEFF${text}` : text;
}

interface Field {
  readonly value: string;
  readonly end: number;
  /** Line breaks inside. */
  readonly lines: number;
}

function readField(text: string, start: number, separator: string, line: number): Field {
  if (text[start] !== '"') return readBareField(text, start, separator, line);
  let value = '';
  for (let position = start + 1; ; ) {
    const quote = text.indexOf('"', position);
    if (quote < 0) refuseParameter('The CSV text', `the quote that opens in line ${line} is never closed`);
    value += text.slice(position, quote);
    if (text[quote + 1] !== '"') {
      const next = text[quote + 1];
      if (next !== undefined && next !== separator && next !== '\n' && next !== '\r')
        refuseParameter('The CSV text', `after the closing quote of a field in line ${line} comes ${describe(next)}`);
      return { value, end: quote + 1, lines: value.split('\n').length - 1 };
    }
    value += '"';
    position = quote + 2;
  }
}

function readBareField(text: string, start: number, separator: string, line: number): Field {
  let end = start;
  for (; end < text.length; end += 1) {
    const character = text[end];
    if (character === separator || character === '\n' || character === '\r') break;
    if (character === '"')
      refuseParameter('The CSV text', `a quote stands inside a field without quotes in line ${line}`);
  }
  return { value: text.slice(start, end), end, lines: 0 };
}

function checkSeparator(separator: string): void {
  if (!/^[,;|\t:]$/.test(separator))
    refuseParameter('The separator', `it is ${describe(separator)}, and must be one of , ; | : or a tab`);
}
