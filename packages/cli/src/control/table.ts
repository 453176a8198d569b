/** Lines of columns, each as wide as its widest cell; numbers stand at the right. */
export function toTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => String(row[column] ?? '').length)),
  );
  const toLine = (cells: readonly (string | number)[]): string =>
    widths
      .map((width, column) => {
        const cell = cells[column] ?? '';
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [head, ...rows].map((cells) => `${toLine(cells)}\n`).join('');
}

/** Longer texts make a table hard to read. */
const maxCellLength = 100;

/** A text on one line, cut where it is too long for a cell. */
export function toCell(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > maxCellLength ? `${line.slice(0, maxCellLength - 3)}...` : line;
}

/** A size for people. */
export function toSize(sizeBytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = sizeBytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1 file`, `2 files`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
