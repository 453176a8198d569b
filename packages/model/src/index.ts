/** Identity, function metadata, bindings, host.json, settings, schedules and routes: pure. */
export {
  type ApplicationDefinition,
  isApplicationId,
  isTenantId,
  jobHostKey,
  type Stack,
  toApplicationId,
} from './application.ts';
export {
  type BindingData,
  type BindingExpression,
  type ExpressionScope,
  parseBindingExpression,
} from './binding-expression.ts';
export { isTriggerType, returnBindingName } from './binding-metadata.ts';
export { type Connection, resolveConnection } from './connection.ts';
export { formatDate } from './date-format.ts';
export { isFunctionDisabled } from './disabled.ts';
export { modelErrors } from './errors.ts';
export { buildFunctionIndex } from './function-index.ts';
export {
  type FunctionJsonFile,
  type FunctionJsonOptions,
  type ParsedFunction,
  parseFunctionJson,
} from './function-json.ts';
export type {
  BindingDataType,
  BindingDirection,
  BindingMetadata,
  FunctionIndex,
  FunctionMetadata,
  RejectedFunction,
  RetryPolicy,
} from './function-metadata.ts';
export { checkFunctionName } from './function-name.ts';
export { createHostId, type HostIdSource } from './host-id.ts';
export {
  type AggregatorSettings,
  type CustomHandlerSettings,
  type HealthMonitorSettings,
  type HostJson,
  type HostJsonScope,
  type HostLogLevel,
  type LoggingSettings,
  parseHostJson,
  type SingletonSettings,
} from './host-json.ts';
export type {
  ClientRetryOptions,
  EventHubsExtension,
  HostExtensions,
  HttpExtension,
  KafkaExtension,
  QueuesExtension,
  RabbitMqExtension,
  ServiceBusExtension,
  SqlExtension,
  WorkerModelExtension,
} from './host-json-extensions.ts';
export type { ApplicationInsightsSettings, SampledType, SamplingSettings } from './host-json-insights.ts';
export { type IndexedFunction, parseIndexedFunction } from './indexed-function.ts';
export { describeValue, isJsonObject, type JsonObject, parseJsonText, readKey } from './json-text.ts';
export { type LocalHostSettings, type LocalSettings, parseLocalSettings } from './local-settings.ts';
export { decodeRequestPath } from './request-path.ts';
export { matchRoute, type RouteParams } from './route-match.ts';
export { parseRouteTemplate, type RouteParameter, type RouteSegment, type RouteTemplate } from './route-template.ts';
export { createRouter, type Route, type RouteEntry, type RouteMatch, type Router } from './router.ts';
export { isSubMinute, nextOccurrence, parseSchedule, type Schedule } from './schedule.ts';
export { createSettingsView, type SettingsView } from './settings.ts';
export { formatTimeSpan, parseTimeSpan } from './time-span.ts';
export { createTimeZone, type OffsetSpan, type TimeZone, utcTimeZone } from './time-zone.ts';
