/**
 * Spans and metrics as OTLP over HTTP carries them in JSON (opentelemetry-proto: ids in hexadecimal, 64-bit numbers as
 * texts).
 */
import type { MetricLabels, Span } from '@switchyard/kernel';
import type { MetricSeries } from './memory-meter.ts';

/** Who sends: the attributes of the resource, `service.name` among them. */
export type OtlpResource = Readonly<Record<string, string>>;

const scope = { name: 'switchyard' };
const spanKinds = { internal: 1, server: 2, consumer: 5 } as const;
const statusError = 2;
const cumulative = 2;

/** The body of a POST to `/v1/traces`. */
export function toOtlpTraces(spans: readonly Span[], resource: OtlpResource): unknown {
  return {
    resourceSpans: [
      { resource: { attributes: toAttributes(resource) }, scopeSpans: [{ scope, spans: spans.map(toSpan) }] },
    ],
  };
}

/** The body of a POST to `/v1/metrics`. Sums count from `startMs` on. */
export function toOtlpMetrics(
  series: readonly MetricSeries[],
  resource: OtlpResource,
  { startMs, nowMs }: { readonly startMs: number; readonly nowMs: number },
): unknown {
  const times = { startTimeUnixNano: toNanos(startMs), timeUnixNano: toNanos(nowMs) };
  const groups = Map.groupBy(series, ({ kind, name }) => `${kind} ${name}`);
  const metrics = [...groups.values()].map((members) => toMetric(members, times));
  return {
    resourceMetrics: [{ resource: { attributes: toAttributes(resource) }, scopeMetrics: [{ scope, metrics }] }],
  };
}

function toSpan(span: Span): unknown {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: spanKinds[span.kind],
    startTimeUnixNano: toNanos(span.startMs),
    endTimeUnixNano: toNanos(span.endMs),
    attributes: toAttributes(span.attributes),
    status: span.isError ? { code: statusError } : {},
  };
}

function toMetric(members: readonly MetricSeries[], times: object): unknown {
  const [first] = members;
  const name = `switchyard.${first?.name ?? ''}`;
  const points = members.map((one) => ({ ...times, attributes: toAttributes(one.labels), ...toPoint(one) }));
  switch (first?.kind) {
    case 'counter':
      return { name, sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints: points } };
    case 'distribution':
      return { name, summary: { dataPoints: points } };
    default:
      return { name, gauge: { dataPoints: points } };
  }
}

function toPoint(series: MetricSeries): object {
  if (series.kind !== 'distribution') return { asDouble: series.value };
  const { count, sum, minimum, maximum } = series;
  return {
    count: String(count),
    sum,
    quantileValues: [
      { quantile: 0, value: minimum },
      { quantile: 1, value: maximum },
    ],
  };
}

function toAttributes(values: MetricLabels): readonly unknown[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

/** Whole milliseconds and what is between them, as nanoseconds without the error of a double. */
function toNanos(timeMs: number): string {
  const wholeMs = Math.floor(timeMs);
  return String(BigInt(wholeMs) * 1_000_000n + BigInt(Math.round((timeMs - wholeMs) * 1_000_000)));
}
