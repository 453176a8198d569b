/** The tables of benefits and of success metrics that the design began with, row by row, beside what was measured in this run. */
import type { BenchRow } from './bench-row.ts';

interface SeedRow {
  readonly metric: string;
  /** What the founding documents say of today's coupled host, and what they aim at. */
  readonly current: string;
  readonly aim: string;
  /** The measured row that answers it; its reference is the coupled model on this machine where `coupled` says so. */
  readonly row?: string;
  readonly coupled?: 'reference' | string;
  /** What stands instead of a measurement. */
  readonly instead?: string;
}

const firstAnswer = 'switchyard dev to first 200';

const metrics: readonly SeedRow[] = [
  {
    metric: 'memory per app',
    current: '400-880 MB',
    aim: '150-200 MB',
    row: 'memory per warm app, 50 apps',
    coupled: 'reference',
  },
  { metric: 'apps per node, 7 GiB', current: '14-28', aim: '45-90', row: 'apps on 7 GiB', coupled: 'reference' },
  { metric: 'apps per node, 14 GiB', current: '', aim: '', row: 'apps on 14 GiB', coupled: 'reference' },
  { metric: 'memory saved', current: '', aim: '60-75 %', row: 'saved per app' },
  {
    metric: 'cold start',
    current: '11-23 s',
    aim: '2-5 s',
    row: 'Placeholder to first answer, p50',
    coupled: firstAnswer,
  },
  { metric: 'scale-out, 1 to 10', current: '50-100 s', aim: '4-10 s', row: '1 -> 10 workers, pool warm, p50' },
  {
    metric: 'placeholders of five languages',
    current: '28.9 GB for 90',
    aim: '14.2 GB for 90',
    row: '90 placeholders of five stacks',
    coupled: 'reference',
    instead: 'for 90, of the five stacks that run here',
  },
  {
    metric: 'image of a Node.js worker',
    current: '480 MB',
    aim: '200 MB',
    instead: '2 MB on top of the base; deploy/images/README.md',
  },
  {
    metric: 'cost, as it follows from memory',
    current: '100 %',
    aim: '32 %',
    row: 'memory per warm app, 50 apps',
    instead: 'ratio',
  },
  { metric: 'worker reconnection', current: '', aim: '< 1 s', row: 'cut connection to Ready, p50' },
  { metric: 'health check interval', current: '', aim: '15-30 s', instead: '15 s' },
  { metric: 'JobHost creation', current: '', aim: '< 500 ms', row: 'JobHost creation, p50' },
  {
    metric: 'message routing',
    current: '',
    aim: '< 5 ms',
    row: 'request to invocation on its way (routing), p50',
  },
];

/** A Markdown table; rows whose part did not run say so. */
export function toSeedTable(rows: readonly BenchRow[], toNumber: (value: number) => string): string {
  const find = (name: string | undefined): BenchRow | undefined => rows.find((row) => row.name === name);
  const lines = metrics.map(({ metric, current, aim, row: name, coupled, instead }) => {
    const row = find(name);
    const amount = (value: number | undefined): string =>
      row && value !== undefined ? `${toNumber(value)} ${row.unit}` : '';
    const here = coupled === 'reference' ? amount(row?.reference) : amount(find(coupled)?.ours);
    return `| ${metric} | ${current} | ${aim} | ${here} | ${oursOf(row, instead, toNumber, name !== undefined)} |`;
  });
  return [
    '| metric | founding documents: current | founding documents: aim | coupled, here | ours |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function oursOf(
  row: BenchRow | undefined,
  instead: string | undefined,
  toNumber: (value: number) => string,
  isMeasured: boolean,
): string {
  if (row === undefined) return isMeasured ? 'not measured in this run' : (instead ?? '');
  if (instead === 'ratio') return `${toNumber(row.ratio * 100)} %`;
  const amount = `${toNumber(row.ours)} ${row.unit}`;
  return instead === undefined ? amount : `${amount} ${instead}`;
}
