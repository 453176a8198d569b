import type { Log, LogLevel, Meter } from '@switchyard/kernel';
import { type RpcException, type RpcLog, RpcLog_RpcLogCategory, type TypedData } from '@switchyard/protocol';
import type { TelemetryTap } from '../job-host/telemetry-tap.ts';
import type { Worker } from '../worker-registry/worker.ts';

/** The levels of RpcLog in the order of their numbers; None means a line of no particular gravity. */
const levels: readonly LogLevel[] = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'information'];

/** Lines of an app's code that belong to no invocation. */
const consoleCategory = 'Host.Function.Console';

/** Takes the place of a metric's name once an app has used too many. */
const otherMetrics = 'other';

export interface LogRelayOptions {
  readonly applicationId: string;
  /** How many names of custom metrics are told apart. */
  readonly maxMetricNames: number;
  /** Where custom metrics go as well; nowhere else when left out. */
  readonly telemetry?: Pick<TelemetryTap, 'bareLog' | 'measured'>;
}

/**
 * Writes what an app's workers log to the platform's log.
 *
 * A line is written while its frame is handled, so the lines of an invocation stand in the order in which they were sent,
 * before its response takes effect. No line is dropped: one whose invocation is over, or that never had one, is written
 * with the app and the worker alone.
 */
export class LogRelay {
  readonly #log: Log;
  readonly #meter: Meter;
  readonly #options: LogRelayOptions;
  readonly #metricNames = new Set<string>();

  /** @param log carries the app's fields. */
  constructor(log: Log, meter: Meter, options: LogRelayOptions) {
    this.#log = log;
    this.#meter = meter;
    this.#options = options;
  }

  relay(worker: Worker, line: RpcLog): void {
    switch (line.logCategory) {
      case RpcLog_RpcLogCategory.CustomMetric:
        this.#measure(worker, line);
        return;
      case RpcLog_RpcLogCategory.System:
        this.#system(worker, line);
        return;
      default:
        this.#user(worker, line);
    }
  }

  #user(worker: Worker, line: RpcLog): void {
    const functionName = worker.inFlight.get(line.invocationId)?.functionName;
    const { telemetry } = this.#options;
    // A worker that sends its lines to the sink itself says so, and they would be there twice.
    const log = worker.capabilities.sendsTelemetry && telemetry !== undefined ? telemetry.bareLog : this.#log;
    log.write(levelOf(line), line.message, {
      category: functionName === undefined ? consoleCategory : `Function.${functionName}.User`,
      workerId: worker.workerId,
      ...(functionName === undefined ? {} : { functionName }),
      ...(line.invocationId === '' ? {} : { invocationId: line.invocationId }),
      ...exceptionOf(line.exception),
    });
  }

  #system(worker: Worker, line: RpcLog): void {
    this.#log.write(levelOf(line), line.message, {
      category: workerCategory(worker),
      workerId: worker.workerId,
      ...(line.invocationId === '' ? {} : { invocationId: line.invocationId }),
      ...exceptionOf(line.exception),
    });
  }

  #measure(worker: Worker, line: RpcLog): void {
    const name = textOf(line.propertiesMap.get('Name'));
    const value = numberOf(line.propertiesMap.get('Value'));
    if (name === '' || value === undefined) return;
    const { invocationId } = line;
    const functionName = worker.inFlight.get(invocationId)?.functionName ?? '';
    const properties = propertiesOf(line);
    this.#options.telemetry?.measured({ name, value, functionName, invocationId, properties });
    this.#meter.observe('function_custom_metric_value', value, {
      app: this.#options.applicationId,
      function: functionName,
      name: this.#nameWithinLimit(name),
    });
  }

  #nameWithinLimit(name: string): string {
    if (this.#metricNames.has(name)) return name;
    if (this.#metricNames.size >= this.#options.maxMetricNames) return otherMetrics;
    this.#metricNames.add(name);
    return name;
  }
}

/** The category of a worker's own lines. */
export function workerCategory(worker: Worker): string {
  return `Worker.LanguageWorkerChannel.${worker.runtimeName || 'unknown'}.${worker.workerId}`;
}

function levelOf(line: RpcLog): LogLevel {
  return levels[line.level] ?? 'information';
}

function exceptionOf(exception: RpcException | undefined): { readonly exception?: string } {
  if (exception === undefined) return {};
  return { exception: exception.stackTrace === '' ? exception.message : exception.stackTrace };
}

/** What a metric says beside its name and value. */
function propertiesOf({ propertiesMap }: RpcLog): Readonly<Record<string, string>> {
  const others = [...propertiesMap].filter(([name]) => name !== 'Name' && name !== 'Value');
  return Object.fromEntries(others.map(([name, value]) => [name, textOf(value)]).filter(([, text]) => text !== ''));
}

function textOf(typed: TypedData | undefined): string {
  return typed?.data?.$case === 'string' ? typed.data.value : '';
}

function numberOf(typed: TypedData | undefined): number | undefined {
  const data = typed?.data;
  if (data?.$case === 'double') return data.value;
  return data?.$case === 'int' ? Number(data.value) : undefined;
}
