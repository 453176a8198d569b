import type { Log } from '@switchyard/kernel';
import type { Telemetry } from '../../../workers/scaling/scaling-worker.ts';
import { appNameOf } from '../container-apps/app-shape.ts';
import { type AzureAccess, clientOptionsOf } from '../sdk/azure-access.ts';
import { loadSdk } from '../sdk/load-sdk.ts';
import { siteNameOf } from '../sites/site-shape.ts';
import { createMonitorTelemetry, monitoredKinds } from './monitor-telemetry.ts';

export interface MonitorDeps {
  readonly access: AzureAccess;
  readonly log: Log;
  readonly replicasOf: (serviceId: string) => Promise<number | undefined>;
}

export interface MonitorOptions {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  /** Where metrics of a region are asked for, such as `https://westeurope.metrics.monitor.azure.com`. */
  readonly endpoint: string;
  /** What names of sites begin with. */
  readonly namePrefix: string;
  readonly retryDelayMs?: number;
}

/**
 * The measurements of every compute target in Azure, by its name.
 * @throws PlatformError SDK_MISSING
 */
export async function openMonitor(deps: MonitorDeps, options: MonitorOptions): Promise<ReadonlyMap<string, Telemetry>> {
  const { access, log, replicasOf } = deps;
  const { subscriptionId, resourceGroup, endpoint, namePrefix, retryDelayMs } = options;
  const { MetricsClient } = await loadSdk(
    'Azure Monitor',
    '@azure/monitor-query-metrics',
    () => import('@azure/monitor-query-metrics'),
  );
  const client = new MetricsClient(endpoint, access.credential, clientOptionsOf(access, retryDelayMs));
  const group = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers`;
  return new Map(
    Object.entries(monitoredKinds).map(([target, kind]) => {
      const nameOf = target === 'container-apps' ? appNameOf : (id: string) => siteNameOf(namePrefix, id);
      const resourceIdOf = (serviceId: string): string => `${group}/${kind.namespace}/${nameOf(serviceId)}`;
      return [target, createMonitorTelemetry({ client, log, replicasOf }, { kind, resourceIdOf })] as const;
    }),
  );
}
