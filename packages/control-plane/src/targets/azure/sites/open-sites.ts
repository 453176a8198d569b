import type { Clock } from '@switchyard/kernel';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import type { ComputeTarget } from '../../contract.ts';
import type { ArmScope } from '../container-apps/open-container-apps.ts';
import { type AzureAccess, clientOptionsOf } from '../sdk/azure-access.ts';
import { loadSdk } from '../sdk/load-sdk.ts';
import { SiteClient } from './site-client.ts';
import { createSiteTarget, type SiteTargetOptions } from './site-target.ts';

/** What manifests call the targets. */
export const functionsTargetName = 'azure-functions';
export const appServiceTargetName = 'app-service';

export interface SitesDeps {
  readonly clock: Clock;
  readonly access: AzureAccess;
  readonly probe: HttpExchange;
}

export interface SitesOptions extends Omit<SiteTargetOptions, 'name'>, ArmScope {
  readonly resourceGroup: string;
}

const defaultPollMs = 2_000;

/** @throws PlatformError SDK_MISSING */
export async function openSites({ clock, access, probe }: SitesDeps, options: SitesOptions): Promise<ComputeTarget> {
  const { subscriptionId, endpoint, retryDelayMs, resourceGroup, ...rest } = options;
  const name = rest.kind === 'functions' ? functionsTargetName : appServiceTargetName;
  const { WebSiteManagementClient } = await loadSdk(
    `The compute target '${name}'`,
    '@azure/arm-appservice',
    () => import('@azure/arm-appservice'),
  );
  const sdk = new WebSiteManagementClient(access.credential, subscriptionId, {
    ...clientOptionsOf(access, retryDelayMs),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const { pollMs = defaultPollMs } = rest;
  const client = new SiteClient(sdk, { computeTarget: name, resourceGroup, pollMs });
  return createSiteTarget({ clock, client, probe }, { ...rest, name });
}
