/**
 * Keeps measurements in memory, for status pages, tests and exporters.
 *
 * Ownership: one per process; many write, readers take snapshots.
 *
 * I1 A name with the same labels, in any order, is one series.
 * I2 There are never more than `maxSeries` series; what finds no place any more is counted as dropped.
 * I3 A snapshot does not change afterwards.
 */
import type { Meter, MetricLabels } from '@switchyard/kernel';

/** One series of measurements. */
export type MetricSeries =
  | { readonly kind: 'counter'; readonly name: string; readonly labels: MetricLabels; readonly value: number }
  | { readonly kind: 'gauge'; readonly name: string; readonly labels: MetricLabels; readonly value: number }
  | {
      readonly kind: 'distribution';
      readonly name: string;
      readonly labels: MetricLabels;
      readonly count: number;
      readonly sum: number;
      readonly minimum: number;
      readonly maximum: number;
    };

export interface MetricSnapshot {
  /** Every series, by name and labels. */
  readonly series: readonly MetricSeries[];
  /** Measurements that found no place. */
  readonly dropped: number;
}

export interface MemoryMeter extends Meter {
  snapshot(): MetricSnapshot;
}

/** Bounded labels keep real numbers far below this. */
const defaultMaxSeries = 10_000;

/** Makes a meter that remembers. */
export function createMemoryMeter(maxSeries: number = defaultMaxSeries): MemoryMeter {
  const series = new Map<string, MetricSeries>();
  let dropped = 0;

  const update = <Kind extends MetricSeries['kind']>(
    kind: Kind,
    name: string,
    labels: MetricLabels,
    next: (before: Extract<MetricSeries, { kind: Kind }> | undefined) => MetricSeries,
  ): void => {
    const key = keyOf(kind, name, labels);
    const before = series.get(key);
    if (before === undefined && series.size >= maxSeries) dropped += 1;
    else series.set(key, next(before as Extract<MetricSeries, { kind: Kind }> | undefined));
  };

  return {
    count: (name, by = 1, labels = {}) =>
      update('counter', name, labels, (before) => ({
        kind: 'counter',
        name,
        labels,
        value: (before?.value ?? 0) + by,
      })),
    gauge: (name, value, labels = {}) => update('gauge', name, labels, () => ({ kind: 'gauge', name, labels, value })),
    observe: (name, value, labels = {}) =>
      update('distribution', name, labels, (before) => ({
        kind: 'distribution',
        name,
        labels,
        count: (before?.count ?? 0) + 1,
        sum: (before?.sum ?? 0) + value,
        minimum: Math.min(before?.minimum ?? value, value),
        maximum: Math.max(before?.maximum ?? value, value),
      })),
    snapshot: () => ({
      series: [...series].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, entry]) => entry),
      dropped,
    }),
  };
}

/** Separates the parts of a key; a value that holds one is quoted. */
const separator = '\u0000';

function keyOf(kind: string, name: string, labels: MetricLabels): string {
  const names = Object.keys(labels);
  if (names.length > 1) names.sort();
  let key = `${name}${separator}${kind}`;
  for (const label of names) {
    const value = labels[label] ?? '';
    key += `${separator}${label}${separator}${value.includes(separator) ? JSON.stringify(value) : value}`;
  }
  return key;
}
