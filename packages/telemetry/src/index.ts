/** Logs and metrics behind the kernel's ports. */
export {
  ApplicationInsights,
  type ApplicationInsightsDeps,
  type ApplicationInsightsOptions,
  type TrackPost,
} from './application-insights/application-insights.ts';
export {
  type ParsedConnection,
  parseInsightsConnection,
  parseInsightsIdentity,
} from './application-insights/connection-string.ts';
export {
  type ConsoleLogDeps,
  type ConsoleLogOptions,
  createConsoleLog,
  mergeFields,
  type RecordFilter,
  type TextSink,
  wantsColors,
} from './console-log.ts';
export { openJsonLog } from './json-log.ts';
export {
  createLevelFilter,
  developmentLevel,
  type LevelFilter,
  type LevelFilterOptions,
  type MinimumLevel,
} from './level-filter.ts';
export { createMemoryMeter, type MemoryMeter, type MetricSeries, type MetricSnapshot } from './memory-meter.ts';
export { OtlpExporter, type OtlpExporterDeps, type OtlpExporterOptions, type OtlpPost } from './otlp-exporter.ts';
export type { OtlpResource } from './otlp-json.ts';
export { prometheusContentType, toPrometheusText } from './prometheus-text.ts';
export { type TextLineOptions, toPlainText, toTextLine } from './text-line.ts';
