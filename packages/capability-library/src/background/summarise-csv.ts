import { asList, asName, asRecord, asText, fieldOf, refuseParameter } from '../parameters.ts';
import { parseCsv } from '../text/csv.ts';

/** One group of rows. */
export interface CsvGroup {
  readonly key: string;
  readonly rows: number;
  /** By column: the sum of its numbers, and how many cells held none. */
  readonly sums: Readonly<Record<string, { readonly sum: number; readonly skipped: number }>>;
}

const maxGroups = 100_000;

/** Adds up columns of a CSV text by the values of another: `{csv, groupBy, sum: [...], separator?}`. */
export function summariseCsv(payload: unknown): CsvGroup[] {
  const given = asRecord(payload, 'The payload');
  const [head, ...rows] = parseCsv(
    asText(fieldOf(given, 'csv'), 'The CSV text'),
    asText(fieldOf(given, 'separator') ?? ',', 'The separator', 1),
  );
  const columnOf = (name: string): number => {
    const column = head?.indexOf(name) ?? -1;
    return column >= 0 ? column : refuseParameter('The CSV text', `it has no column '${name}'`);
  };
  const keyColumn = columnOf(asName(fieldOf(given, 'groupBy'), 'groupBy'));
  const names = asList(fieldOf(given, 'sum'), 'sum', 100).map((name) => asName(name, 'A column of sum'));
  const summed = names.map((name) => ({ name, column: columnOf(name) }));
  const groups = new Map<string, { rows: number; sums: { sum: number; skipped: number }[] }>();
  for (const row of rows) {
    const key = row[keyColumn] ?? '';
    const group = groups.get(key) ?? { rows: 0, sums: summed.map(() => ({ sum: 0, skipped: 0 })) };
    groups.set(key, group);
    if (groups.size > maxGroups) refuseParameter('The CSV text', `it has more than ${maxGroups} groups`);
    group.rows += 1;
    summed.forEach(({ column }, index) => {
      const total = group.sums[index];
      const cell = row[column]?.trim() ?? '';
      if (total === undefined) return;
      if (cell === '' || !Number.isFinite(Number(cell))) total.skipped += 1;
      else total.sum += Number(cell);
    });
  }
  return [...groups].map(([key, { rows: count, sums }]) => {
    const byName = summed.map(({ name }, index) => [name, sums[index] ?? { sum: 0, skipped: 0 }]);
    return { key, rows: count, sums: Object.fromEntries(byName) };
  });
}
