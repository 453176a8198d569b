/**
 * What a service is in Azure Container Apps: one app, whose tags say whose it is, and a revision for each version and state of its
 * settings and limits. Pure.
 */
import type { ContainerApp, Revision, Template } from '@azure/arm-appcontainers';
import type { ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';
import type { ServiceOfTarget, VersionHealth } from '../../contract.ts';
import { resourceNameOf, shortDigestOf } from '../../resource-name.ts';

/** How all revisions of a service are made at the moment. */
export interface AppShape {
  readonly limits: Partial<ServiceLimits>;
  /** Names of the settings; their values are secrets of the app. */
  readonly settings: readonly string[];
  /** Grows whenever a value changes, so that a new revision takes it up. */
  readonly generation: number;
}

export const appTags = {
  installation: 'switchyard-installation',
  service: 'switchyard-service',
  tenant: 'switchyard-tenant',
  generation: 'switchyard-generation',
} as const;

/** The longest name of an app. */
const maxNameLength = 32;

export function appNameOf(serviceId: string): string {
  return resourceNameOf(serviceId, maxNameLength);
}

/** Names of secrets may hold less than names of settings. */
export function secretNameOf(setting: string): string {
  return `s-${shortDigestOf(setting)}`;
}

/** Undefined for an app that is none of ours. */
export function ownerOf({ tags }: ContainerApp): ServiceOfTarget | undefined {
  const { [appTags.service]: serviceId, [appTags.tenant]: tenantId } = tags ?? {};
  return serviceId === undefined || tenantId === undefined ? undefined : { serviceId, tenantId };
}

export function shapeOf({ tags, template }: ContainerApp): AppShape {
  const { minReplicas, maxReplicas, rules } = template?.scale ?? {};
  const concurrent = rules?.find(({ name }) => name === httpRule)?.http?.metadata?.concurrentRequests;
  return {
    limits: {
      ...(minReplicas === undefined ? {} : { minReplicas }),
      ...(maxReplicas === undefined ? {} : { maxReplicas }),
      ...(concurrent === undefined ? {} : { concurrency: Number(concurrent) }),
    },
    settings: (template?.containers?.[0]?.env ?? []).flatMap(({ name, secretRef }) =>
      name === undefined || secretRef === undefined ? [] : [name],
    ),
    generation: Number(tags?.[appTags.generation] ?? 1),
  };
}

/** The same version with the same shape always has the same revision, so that making it again changes nothing. */
export function revisionSuffixOf(version: string, { limits, settings, generation }: AppShape): string {
  const { minReplicas, maxReplicas, concurrency } = limits;
  const told = [version, minReplicas, maxReplicas, concurrency, [...settings].sort(), generation];
  return `r${shortDigestOf(JSON.stringify(told))}`;
}

export function revisionNameOf(serviceId: string, version: string, shape: AppShape): string {
  return `${appNameOf(serviceId)}--${revisionSuffixOf(version, shape)}`;
}

const httpRule = 'http';

export function toTemplate(version: string, shape: AppShape, containerPort: number): Template {
  const { limits, settings } = shape;
  const { minReplicas = 0, maxReplicas = 10, concurrency } = limits;
  const rules =
    concurrency === undefined
      ? []
      : [{ name: httpRule, http: { metadata: { concurrentRequests: String(concurrency) } } }];
  return {
    revisionSuffix: revisionSuffixOf(version, shape),
    scale: { minReplicas, maxReplicas, rules },
    containers: [
      {
        ...{ name: 'service', image: version },
        env: [
          { name: 'PORT', value: String(containerPort) },
          ...[...settings].sort().map((name) => ({ name, secretRef: secretNameOf(name) })),
        ],
      },
    ],
  };
}

export function versionOf({ template }: Pick<Revision, 'template'>): string {
  return template?.containers?.[0]?.image ?? '';
}

/** Shares by version, from the weights of revisions. */
export function sharesOf({ configuration }: ContainerApp, revisions: readonly Revision[]): readonly TrafficShare[] {
  const versions = new Map(revisions.map((revision) => [revision.name, versionOf(revision)]));
  const shares = new Map<string, number>();
  for (const { revisionName, weight = 0 } of configuration?.ingress?.traffic ?? []) {
    const version = versions.get(revisionName) ?? '';
    if (version !== '' && weight > 0) shares.set(version, (shares.get(version) ?? 0) + weight);
  }
  return [...shares].map(([version, weight]) => ({ version, weight }));
}

/** Whether a revision can take traffic. With no replica at all it can: one comes with the first request. */
export function healthOf({ active, provisioningState, healthState, runningState }: Revision): VersionHealth {
  if (active !== true) return 'unknown';
  if (provisioningState === 'Failed' || healthState === 'Unhealthy' || runningState === 'Failed') return 'unhealthy';
  if (provisioningState !== 'Provisioned') return 'unknown';
  return healthState === 'Healthy' || runningState === 'Running' || runningState === 'ScaledToZero'
    ? 'healthy'
    : 'unknown';
}
