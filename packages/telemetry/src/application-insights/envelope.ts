/**
 * Telemetry as the ingestion service of Application Insights takes it: one JSON envelope for each item, with the schema's own
 * limits on texts (Breeze schema, version 2). Pure.
 */
import type { FunctionAggregate, FunctionRun, LogLevel, TelemetryMetric } from '@switchyard/kernel';
import type { SampledType } from '@switchyard/model';

export type TelemetryKind = Extract<SampledType, 'Request' | 'Trace' | 'Exception'> | 'Metric';

/** What all items of an app have in common. */
export interface EnvelopeSource {
  readonly instrumentationKey: string;
  /** `ai.cloud.role`: what the application map shows. */
  readonly role: string;
  readonly roleInstance: string;
  readonly version: string;
}

/** Where an item belongs in a trace. */
export interface Operation {
  readonly traceId: string;
  readonly parentId: string | undefined;
  readonly name: string | undefined;
}

export interface EnvelopeData {
  readonly kind: TelemetryKind;
  readonly timeMs: number;
  readonly baseData: Readonly<Record<string, unknown>>;
}

const limits = { message: 32_768, name: 1_024, url: 2_048, property: 8_192, propertyName: 150 } as const;

/** The kind of a metric that was not added up. */
const measurement = 0;

const severities: Readonly<Record<LogLevel, number>> = {
  trace: 0,
  debug: 0,
  information: 1,
  warning: 2,
  error: 3,
  critical: 4,
};

/** The envelope of an item; `sampledPercent` is the share of its kind that is sent. */
export function toEnvelope(
  { kind, timeMs, baseData }: EnvelopeData,
  operation: Operation | undefined,
  source: EnvelopeSource,
  sampledPercent: number,
): Readonly<Record<string, unknown>> {
  const tags: Record<string, string> = {
    'ai.cloud.role': source.role,
    'ai.cloud.roleInstance': source.roleInstance,
    'ai.internal.sdkVersion': `switchyard:${source.version}`,
    'ai.location.ip': '0.0.0.0',
  };
  if (operation !== undefined) {
    tags['ai.operation.id'] = operation.traceId;
    if (operation.parentId !== undefined) tags['ai.operation.parentId'] = operation.parentId;
    if (operation.name !== undefined) tags['ai.operation.name'] = operation.name;
  }
  return {
    ver: 1,
    name: `Microsoft.ApplicationInsights.${kind === 'Trace' ? 'Message' : kind}`,
    time: new Date(timeMs).toISOString(),
    sampleRate: sampledPercent,
    iKey: source.instrumentationKey,
    tags,
    data: { baseType: `${kind === 'Trace' ? 'Message' : kind}Data`, baseData: { ver: 2, ...baseData } },
  };
}

/** One try of an invocation, in the shape of the official host's requests. */
export function toRequest(run: FunctionRun): EnvelopeData {
  const { http } = run;
  return {
    kind: 'Request',
    timeMs: run.startMs,
    baseData: {
      id: run.spanId,
      name: cut(run.functionName, limits.name),
      duration: toDuration(run.durationMs),
      success: run.isSuccess,
      responseCode: String(http?.statusCode ?? 0),
      ...(http && { url: cut(withoutKey(http.url), limits.url) }),
      properties: toProperties({
        Category: 'Host.Results',
        LogLevel: run.isSuccess ? 'Information' : 'Error',
        InvocationId: run.invocationId,
        FullName: `Functions.${run.functionName}`,
        TriggerReason: run.reason,
        FunctionExecutionTimeMs: String(run.durationMs),
        ...(http && { HttpMethod: http.method, HttpPath: pathOf(http.url) }),
      }),
    },
  };
}

/** A line of the log. */
export function toTrace(
  timeMs: number,
  { level, text, properties }: { level: LogLevel; text: string; properties: Readonly<Record<string, string>> },
): EnvelopeData {
  const message = cut(text, limits.message);
  return {
    kind: 'Trace',
    timeMs,
    baseData: { message, severityLevel: severities[level], properties: toProperties(properties) },
  };
}

/** What went wrong, in a line of the log or in a function. */
export function toException(
  timeMs: number,
  error: { readonly type: string; readonly message: string; readonly stack: string },
  { level, properties }: { level: LogLevel; properties: Readonly<Record<string, string>> },
): EnvelopeData {
  const { type, message, stack } = error;
  return {
    kind: 'Exception',
    timeMs,
    baseData: {
      exceptions: [
        {
          typeName: cut(type === '' ? 'Error' : type, limits.name),
          message: cut(message === '' ? 'No message' : message, limits.message),
          hasFullStack: stack !== '' && stack.length <= limits.message,
          ...(stack === '' ? {} : { stack: cut(stack, limits.message) }),
        },
      ],
      severityLevel: severities[level],
      properties: toProperties(properties),
    },
  };
}

/** What a function measured. */
export function toMetric(timeMs: number, metric: TelemetryMetric): EnvelopeData {
  const { name, value, functionName, invocationId, properties } = metric;
  const own = { Category: `Function.${functionName}.User`, InvocationId: invocationId, ...properties };
  return toMetricData(timeMs, name, value, own);
}

/** The sums of a function's runs, by the names under which the official host sends them. */
export function toAggregateMetrics(timeMs: number, aggregate: FunctionAggregate): readonly EnvelopeData[] {
  const { functionName } = aggregate;
  const values: Readonly<Record<string, number>> = {
    Count: aggregate.count,
    Successes: aggregate.successes,
    Failures: aggregate.failures,
    SuccessRate: aggregate.successRate,
    MinDurationMs: aggregate.minimumDurationMs,
    MaxDurationMs: aggregate.maximumDurationMs,
    AvgDurationMs: aggregate.averageDurationMs,
  };
  const properties = { Category: 'Host.Aggregator', LogLevel: 'Information' };
  return Object.entries(values).map(([name, value]) =>
    toMetricData(timeMs, `${functionName} ${name}`, value, properties),
  );
}

function toMetricData(
  timeMs: number,
  name: string,
  value: number,
  properties: Readonly<Record<string, string>>,
): EnvelopeData {
  const metric = { name: cut(name, limits.name), kind: measurement, value, count: 1 };
  return { kind: 'Metric', timeMs, baseData: { metrics: [metric], properties: toProperties(properties) } };
}

/** `days.hours:minutes:seconds.fraction`, as the service reads durations. */
export function toDuration(durationMs: number): string {
  const microseconds = Math.max(0, Math.round(durationMs * 1_000));
  const seconds = Math.floor(microseconds / 1_000_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':');
  return `${days > 0 ? `${days}.` : ''}${clock}.${String(microseconds % 1_000_000).padStart(6, '0')}0`;
}

/** The address without the function key that a caller may show in it. */
function withoutKey(url: string): string {
  return url.replace(/([?&]code=)[^&#]*/gi, '$1***');
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : '';
}

function toProperties(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [cut(name, limits.propertyName), cut(value, limits.property)]),
  );
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length);
}
