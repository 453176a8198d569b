/** What a service is in App Service and Azure Functions: one site with a slot beside it, whose tags say whose it is. Pure. */
import type { Site, SiteConfigResource } from '@azure/arm-appservice';
import type { ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';
import type { ServiceOfTarget } from '../../contract.ts';
import { resourceNameOf } from '../../resource-name.ts';
import { nextSlot } from './site-client.ts';

export type SiteKind = 'functions' | 'web';

export const siteTags = {
  installation: 'switchyard-installation',
  service: 'switchyard-service',
  tenant: 'switchyard-tenant',
} as const;

/** The setting that names the package of a site that runs no container. */
export const packageSetting = 'WEBSITE_RUN_FROM_PACKAGE';

/** Settings that are ours, and no service's. */
const ownSettings = new Set([packageSetting, 'WEBSITES_PORT', 'FUNCTIONS_EXTENSION_VERSION']);

const containerPrefix = 'DOCKER|';

/** With the name of a slot behind it, it is the label of a host name. */
const maxNameLength = 40;

/** Names of sites are the same for nobody in the world, so a prefix of one's own belongs before them. */
export function siteNameOf(prefix: string, serviceId: string): string {
  return `${prefix}${resourceNameOf(serviceId, maxNameLength - prefix.length)}`;
}

/** Undefined for a site that is none of ours. */
export function ownerOf({ tags }: Site): ServiceOfTarget | undefined {
  const { [siteTags.service]: serviceId, [siteTags.tenant]: tenantId } = tags ?? {};
  return serviceId === undefined || tenantId === undefined ? undefined : { serviceId, tenantId };
}

/** A package is named by its address, everything else is an image. */
export function isPackage(version: string): boolean {
  return version.startsWith('https://');
}

/** The version of a place: the image of its container, or its package. Empty while it has none. */
export function versionOf(
  configuration: SiteConfigResource | undefined,
  settings: Readonly<Record<string, string>>,
): string {
  const image = configuration?.linuxFxVersion ?? '';
  return image.startsWith(containerPrefix) ? image.slice(containerPrefix.length) : (settings[packageSetting] ?? '');
}

export function imageSettingOf(version: string): string {
  return isPackage(version) ? '' : `${containerPrefix}${version}`;
}

/** The settings of a place with this version: those of the service and our own. */
export function placeSettingsOf(
  settings: Readonly<Record<string, string>>,
  of: { readonly version: string; readonly kind: SiteKind; readonly containerPort: number },
): Readonly<Record<string, string>> {
  const { version, kind, containerPort } = of;
  return {
    ...serviceSettingsOf(settings),
    ...(kind === 'functions' ? { FUNCTIONS_EXTENSION_VERSION: '~4' } : {}),
    ...(isPackage(version) ? { [packageSetting]: version } : { WEBSITES_PORT: String(containerPort) }),
  };
}

export function serviceSettingsOf(settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !ownSettings.has(name)));
}

export function limitsOf(configuration: SiteConfigResource | undefined, kind: SiteKind): Partial<ServiceLimits> {
  const { minimumElasticInstanceCount: minReplicas } = configuration ?? {};
  const most = kind === 'functions' ? configuration?.functionAppScaleLimit : configuration?.elasticWebAppScaleLimit;
  // Zero means that nobody has limited it.
  const maxReplicas = most === 0 ? undefined : most;
  return {
    ...(minReplicas === undefined ? {} : { minReplicas }),
    ...(maxReplicas === undefined ? {} : { maxReplicas }),
  };
}

export function toLimits({ minReplicas, maxReplicas }: ServiceLimits, kind: SiteKind): SiteConfigResource {
  const most = kind === 'functions' ? { functionAppScaleLimit: maxReplicas } : { elasticWebAppScaleLimit: maxReplicas };
  return { minimumElasticInstanceCount: minReplicas, ...most };
}

/** Percent of the requests that production hands to the slot beside it. */
export function rerouted(configuration: SiteConfigResource | undefined): number {
  const rules = configuration?.experiments?.rampUpRules ?? [];
  return rules.find(({ name }) => name === nextSlot)?.reroutePercentage ?? 0;
}

export function toReroute(percent: number, hostName: string): SiteConfigResource {
  const rules = percent === 0 ? [] : [{ name: nextSlot, actionHostName: hostName, reroutePercentage: percent }];
  return { experiments: { rampUpRules: rules } };
}

/** Shares by version: what production has not handed on is its own. */
export function sharesOf(production: string, next: string, percent: number): readonly TrafficShare[] {
  const shares = [
    { version: production, weight: 100 - percent },
    { version: next, weight: percent },
  ];
  return shares.filter(({ version, weight }) => version !== '' && weight > 0);
}
