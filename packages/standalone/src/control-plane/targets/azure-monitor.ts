/** Measurements of services in Azure: `SWITCHYARD_AZURE_MONITOR_ENDPOINT`. */
import type { Telemetry } from '@switchyard/control-plane';
import { openMonitor } from '@switchyard/control-plane/azure';
import type { Log } from '@switchyard/kernel';
import { openAzureAccess } from './azure.ts';
import type { AzureSettings } from './azure-settings.ts';

export interface AzureTelemetryDeps {
  readonly log: Log;
  readonly replicasOf: (serviceId: string) => Promise<number | undefined>;
}

/** By the names of compute targets. */
export async function openAzureTelemetry(
  deps: AzureTelemetryDeps,
  settings: AzureSettings,
  endpoint: string,
): Promise<ReadonlyMap<string, Telemetry>> {
  const { subscription: subscriptionId = '', resource_group: resourceGroup = '', site_prefix: namePrefix } = settings;
  const access = await openAzureAccess(settings);
  return openMonitor({ access, ...deps }, { subscriptionId, resourceGroup, endpoint, namePrefix });
}
