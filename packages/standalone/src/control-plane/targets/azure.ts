/** The compute targets in Azure: `SWITCHYARD_AZURE_*`. The SDKs are loaded for what is configured, and for nothing else. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { ComputeTarget } from '@switchyard/control-plane';
import { type AzureAccess, openAzureCredential, openContainerApps, openSites } from '@switchyard/control-plane/azure';
import { messageOf, systemClock } from '@switchyard/kernel';
import { createHttpExchange } from '@switchyard/protocol/http-exchange';
import { targetErrors } from '../errors.ts';
import type { AzureSettings } from './azure-settings.ts';
import type { OpenedTargets } from './open-targets.ts';

/** How long a site may take to answer when it is asked how it is. */
const probeTimeoutMs = 5_000;

/** Who asks, as the environment says. */
export async function openAzureAccess({ client_id: clientId, ca_file: caFile }: AzureSettings): Promise<AzureAccess> {
  const credential = await openAzureCredential(clientId === undefined ? {} : { clientId });
  return { credential, ...(caFile === undefined ? {} : { ca: await readAuthority(caFile) }) };
}

export async function openAzureTargets(settings: AzureSettings): Promise<OpenedTargets> {
  const { subscription, resource_group: resourceGroup, location, arm_endpoint: endpoint } = settings;
  const { installation, container_port: containerPort, health_path: healthPath, site_prefix: namePrefix } = settings;
  const { container_apps_environment: environmentId, functions_plan: functions, app_service_plan: web } = settings;
  const targets: ComputeTarget[] = [];
  const close = async (): Promise<void> => {};
  if (subscription === undefined || resourceGroup === undefined || location === undefined) return { targets, close };
  const access = await openAzureAccess(settings);
  const arm = { subscriptionId: subscription, ...(endpoint === undefined ? {} : { endpoint }) };
  const shared = { ...arm, resourceGroup, location, installation, containerPort };
  if (environmentId !== undefined) {
    const { container_apps_registry: server, container_apps_identity: identity } = settings;
    const registry = server === undefined || identity === undefined ? {} : { registry: { server, identity } };
    targets.push(await openContainerApps({ clock: systemClock, access }, { ...shared, environmentId, ...registry }));
  }
  const { ca } = access;
  const tls = { timeoutMs: probeTimeoutMs, ...(ca === undefined ? {} : { ca }) };
  const probe = createHttpExchange({ clock: systemClock, request }, tls);
  const plans = [
    ['functions', functions],
    ['web', web],
  ] as const;
  for (const [kind, planId] of plans) {
    if (planId === undefined) continue;
    const { site_identity: identity } = settings;
    const own = { kind, planId, namePrefix, healthPath, ...(identity === undefined ? {} : { identity }) };
    targets.push(await openSites({ clock: systemClock, access, probe }, { ...shared, ...own }));
  }
  return { targets, close };
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const details = { variable: 'SWITCHYARD_AZURE_CA_FILE', reason: messageOf(thrown) };
    throw targetErrors.create('TARGET_SETTING_INVALID', details, thrown);
  }
}
