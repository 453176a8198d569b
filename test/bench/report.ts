/** Turns rows into the table of the console and into BENCHMARKS.md. */
import { cpus, totalmem } from 'node:os';
import type { BenchRow } from './bench-row.ts';
import { toSeedTable } from './seed-tables.ts';

/** What one part of the benchmark yields. */
export interface PartResult {
  readonly title: string;
  readonly rows: readonly BenchRow[];
  readonly notes: readonly string[];
}

/** The table of a part, as Markdown; it reads well on a console too. */
export function toTable(rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${toNumber(row.ours)} ${row.unit}`,
    `${toNumber(row.reference)} ${row.unit}`,
    row.against ?? 'grpc-js',
    toNumber(row.ratio),
    row.target,
  ]);
  const all = [['what', 'ours', 'reference', 'reference is', 'ratio', 'target'], ...cells];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(all[0] ?? []), rule, ...all.slice(1).map(line)].join('\n');
}

/** The whole page. */
export function toPage(parts: readonly PartResult[], date: string): string {
  const sections = parts.flatMap(({ title, rows, notes }) => [
    `## ${title}`,
    '',
    ...(rows.length > 0 ? [toTable(rows), ''] : []),
    ...notes.flatMap((note) => [note, '']),
  ]);
  return `${[
    '# Benchmarks',
    '',
    'Written by `npm run bench`. Every number is a median of several rounds; both numbers of a row, and so its ratio, come',
    'from the same run, in which the measured parts take turns. A reference that is a target, or was recorded before on',
    'another machine, says so. Ratios travel between machines, absolute times do not.',
    '',
    `Machine: ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, Node ${process.versions.node}. Date: ${date}.`,
    '',
    ...sections,
    '## Beside the tables of the founding documents',
    '',
    'Their numbers are estimates for other machines and for a host in .NET; what they call current is the model in which every',
    'app has a host of its own, which stands here as `switchyard dev` with one app.',
    '',
    toSeedTable(
      parts.flatMap(({ rows }) => rows),
      toNumber,
    ),
  ]
    .join('\n')
    .trimEnd()}\n`;
}

function toNumber(value: number): string {
  if (!Number.isFinite(value)) return '?';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
