/**
 * Azure Monitor as the measurements of services in Azure: per replica, from the last minutes that it knows.
 *
 * I1 What was not measured lately is undefined, and so is a metric that nobody knows: a policy then holds what there is.
 * I2 A total is divided by the replicas; an average is one of a replica already.
 */
import type { MetricsClient } from '@azure/monitor-query-metrics';
import { type Log, messageOf } from '@switchyard/kernel';
import type { Telemetry } from '../../../workers/scaling/scaling-worker.ts';

/** What a metric of a policy is in Azure Monitor. */
interface AzureMetric {
  readonly name: string;
  readonly aggregation: 'Average' | 'Total';
}

export interface MonitoredKind {
  /** The namespace of the metrics, which is the type of the resource. */
  readonly namespace: string;
  readonly metrics: Readonly<Record<string, AzureMetric>>;
}

/** By the name of the compute target. */
export const monitoredKinds: Readonly<Record<'container-apps' | 'azure-functions' | 'app-service', MonitoredKind>> = {
  'container-apps': {
    namespace: 'Microsoft.App/containerApps',
    metrics: {
      /** In a minute. */
      requests: { name: 'Requests', aggregation: 'Total' },
      /** Billionths of a processor. */
      cpu: { name: 'UsageNanoCores', aggregation: 'Average' },
      /** Bytes. */
      memory: { name: 'WorkingSetBytes', aggregation: 'Average' },
    },
  },
  'azure-functions': {
    namespace: 'Microsoft.Web/sites',
    metrics: {
      requests: { name: 'Requests', aggregation: 'Total' },
      /** Executions in a minute. */
      executions: { name: 'FunctionExecutionCount', aggregation: 'Total' },
      memory: { name: 'AverageMemoryWorkingSet', aggregation: 'Average' },
    },
  },
  'app-service': {
    namespace: 'Microsoft.Web/sites',
    metrics: {
      requests: { name: 'Requests', aggregation: 'Total' },
      /** Seconds of a processor in a minute. */
      cpu: { name: 'CpuTime', aggregation: 'Total' },
      memory: { name: 'AverageMemoryWorkingSet', aggregation: 'Average' },
    },
  },
};

export interface MonitorTelemetryDeps {
  readonly client: Pick<MetricsClient, 'queryResources'>;
  readonly log: Log;
  /** How many replicas a service has; undefined while nobody knows. */
  readonly replicasOf: (serviceId: string) => Promise<number | undefined>;
}

export interface MonitorTelemetryOptions {
  readonly kind: MonitoredKind;
  /** The resource of a service. */
  readonly resourceIdOf: (serviceId: string) => string;
}

/** Azure tells a minute some time after it is over. */
const windowMs = 10 * 60_000;
const freshMs = 5 * 60_000;

export function createMonitorTelemetry(deps: MonitorTelemetryDeps, options: MonitorTelemetryOptions): Telemetry {
  const { client, log, replicasOf } = deps;
  const { kind, resourceIdOf } = options;
  const latestOf = async (serviceId: string, metric: AzureMetric, nowMs: number): Promise<number | undefined> => {
    const [result] = await client.queryResources([resourceIdOf(serviceId)], [metric.name], kind.namespace, {
      startTime: new Date(nowMs - windowMs),
      endTime: new Date(nowMs),
      interval: 'PT1M',
      aggregation: metric.aggregation,
    });
    const points = result?.getMetricByName(metric.name)?.timeseries.flatMap(({ data = [] }) => data) ?? [];
    const known = points.flatMap(({ timeStamp, average, total }) => {
      const value = metric.aggregation === 'Average' ? average : total;
      return value === undefined || value === null ? [] : [{ atMs: timeStamp.getTime(), value }];
    });
    const latest = known.sort((left, right) => right.atMs - left.atMs)[0];
    return latest !== undefined && nowMs - latest.atMs <= freshMs ? latest.value : undefined;
  };
  return {
    async read(serviceId, name, nowMs) {
      const metric = Object.hasOwn(kind.metrics, name) ? kind.metrics[name] : undefined;
      if (metric === undefined) return undefined;
      try {
        const value = await latestOf(serviceId, metric, nowMs);
        if (value === undefined || metric.aggregation === 'Average') return value;
        const replicas = await replicasOf(serviceId);
        return replicas === undefined ? undefined : value / Math.max(1, replicas);
      } catch (thrown) {
        log.write('warning', 'Azure Monitor does not answer', { serviceId, metric: name, reason: messageOf(thrown) });
        return undefined;
      }
    },
  };
}
