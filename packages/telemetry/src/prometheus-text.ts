import type { MetricLabels } from '@switchyard/kernel';
import type { MetricSeries, MetricSnapshot } from './memory-meter.ts';

/** The type of an HTTP body that `toPrometheusText` makes (text exposition format 0.0.4). */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

const prefix = 'switchyard_';

/** Writes a snapshot as Prometheus reads it: counters end with `_total`, distributions become summaries. */
export function toPrometheusText({ series, dropped }: MetricSnapshot): string {
  const families = Map.groupBy(series, (one) => familyOf(one));
  const lines = [...families].flatMap(([name, members]) => {
    const [first] = members;
    return first === undefined
      ? []
      : [`# TYPE ${name} ${typeOf(first)}`, ...members.flatMap((one) => samplesOf(name, one))];
  });
  const lost = `${prefix}measurements_dropped_total`;
  return `${[...lines, `# TYPE ${lost} counter`, `${lost} ${dropped}`].join('\n')}\n`;
}

function familyOf({ kind, name }: MetricSeries): string {
  const safe = `${prefix}${name.replace(/[^a-zA-Z0-9_]/g, '_')}`;
  return kind === 'counter' && !safe.endsWith('_total') ? `${safe}_total` : safe;
}

function typeOf({ kind }: MetricSeries): string {
  return kind === 'distribution' ? 'summary' : kind;
}

function samplesOf(name: string, series: MetricSeries): readonly string[] {
  const labels = toLabels(series.labels);
  if (series.kind !== 'distribution') return [`${name}${labels} ${toNumber(series.value)}`];
  return [`${name}_sum${labels} ${toNumber(series.sum)}`, `${name}_count${labels} ${series.count}`];
}

function toLabels(labels: MetricLabels): string {
  const pairs = Object.entries(labels)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name.replace(/[^a-zA-Z0-9_]/g, '_')}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function toNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
