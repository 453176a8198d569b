import type { Clock } from '@switchyard/kernel';
import type { ComputeTarget } from '../../contract.ts';
import { type AzureAccess, clientOptionsOf } from '../sdk/azure-access.ts';
import { loadSdk } from '../sdk/load-sdk.ts';
import { type ContainerAppsOptions, createContainerAppsTarget } from './container-apps-target.ts';

export interface ArmScope {
  readonly subscriptionId: string;
  /** The address of the resource manager; the public cloud's when left out. */
  readonly endpoint?: string;
  /** How long the SDK waits before it tries again, where the service does not say. */
  readonly retryDelayMs?: number;
}

/** @throws PlatformError SDK_MISSING */
export async function openContainerApps(
  { clock, access }: { readonly clock: Clock; readonly access: AzureAccess },
  options: ContainerAppsOptions & ArmScope,
): Promise<ComputeTarget> {
  const { subscriptionId, endpoint, retryDelayMs, ...rest } = options;
  const { ContainerAppsAPIClient } = await loadSdk(
    "The compute target 'container-apps'",
    '@azure/arm-appcontainers',
    () => import('@azure/arm-appcontainers'),
  );
  const client = new ContainerAppsAPIClient(access.credential, subscriptionId, {
    ...clientOptionsOf(access, retryDelayMs),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  return createContainerAppsTarget({ clock, client }, rest);
}
