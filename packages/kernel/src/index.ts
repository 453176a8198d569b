/** Ids, clock, errors, limits, bounded queue, backoff, lifecycle, Secret: what every package stands on. */
export type {
  AppTelemetry,
  FunctionAggregate,
  FunctionRun,
  RunningFunction,
  TelemetryMetric,
} from './app-telemetry.ts';
export { assertNever, InvariantError, invariant } from './assert.ts';
export { type BackoffOptions, backoffMs } from './backoff.ts';
export { BoundedQueue } from './bounded-queue.ts';
export { type Clock, sleep, type Timer } from './clock.ts';
export { settlesWithin, withDeadline } from './deadline.ts';
export { createDeferred, type Deferred } from './deferred.ts';
export {
  type Blame,
  defineErrors,
  type ErrorCatalogue,
  type ErrorDefinition,
  type ErrorDetails,
  isPlatformError,
  messageOf,
  PlatformError,
  type Retry,
} from './errors.ts';
export { type Log, type LogFields, type LogLevel, type LogRecord, logLevels, silentLog } from './log.ts';
export { type Meter, type MetricLabels, silentMeter } from './meter.ts';
export { type Random, systemRandom } from './random.ts';
export { Secret } from './secret.ts';
export type { Span, SpanSink } from './spans.ts';
export { type Edges, StateMachine } from './state-machine.ts';
export { systemClock } from './system-clock.ts';
export { TransientMap } from './transient-map.ts';
export { TransientSet } from './transient-set.ts';
export { enterWalMode } from './write-ahead-log.ts';
