/**
 * What a service is in a cluster: one Service, which also remembers whose it is, one Secret with its settings, and a Deployment
 * for each version. Pure.
 *
 * With one version in traffic the Service selects the pods of that version; with several it selects those of all, and the
 * numbers of their pods are the weights.
 */
import type { ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';
import { z } from 'zod';
import type { ServiceOfTarget } from '../contract.ts';
import { servingOf, shareReplicas } from '../observed-shares.ts';
import { resourceNameOf as nameOf, shortDigestOf } from '../resource-name.ts';
import type { ClusterResource } from './cluster-client.ts';

export interface ClusterOptions {
  readonly namespace: string;
  /** Tells what belongs to this installation from everything else in the namespace. */
  readonly installation: string;
  readonly containerPort: number;
  /** Asked by the cluster to tell whether a pod takes requests. */
  readonly healthPath: string;
  /** A Secret of the namespace, for images of a private registry. */
  readonly pullSecret?: string;
}

/** What the Service remembers. */
export interface ClusterService extends ServiceOfTarget {
  readonly weights: readonly TrafficShare[];
  readonly limits: Partial<ServiceLimits>;
  /** Grows with each restart that was asked for. */
  readonly restarts: number;
}

export const clusterLabels = {
  installation: 'switchyard.dev/installation',
  service: 'switchyard.dev/service',
  version: 'switchyard.dev/version',
} as const;

const annotations = {
  serviceId: 'switchyard.dev/service-id',
  tenant: 'switchyard.dev/tenant',
  state: 'switchyard.dev/state',
  version: 'switchyard.dev/image',
  settings: 'switchyard.dev/settings',
  restarts: 'switchyard.dev/restarts',
} as const;

const stateSchema = z.object({
  weights: z.array(z.object({ version: z.string(), weight: z.number() })),
  limits: z.object({ minReplicas: z.number().exactOptional(), maxReplicas: z.number().exactOptional() }),
  restarts: z.number(),
});

/** Room is left for what is added to it: names and labels have 63 characters at most. */
const maxNameLength = 40;

export function resourceNameOf(serviceId: string): string {
  return nameOf(serviceId, maxNameLength);
}

export function deploymentNameOf(serviceId: string, version: string): string {
  return `${resourceNameOf(serviceId)}-${shortDigestOf(version)}`;
}

export function settingsNameOf(serviceId: string): string {
  return `${resourceNameOf(serviceId)}-settings`;
}

/** Undefined for a Service that no service of ours has made. */
export function parseClusterService({ metadata }: ClusterResource): ClusterService | undefined {
  const {
    [annotations.serviceId]: serviceId,
    [annotations.tenant]: tenantId,
    [annotations.state]: text,
  } = metadata.annotations;
  if (serviceId === undefined || tenantId === undefined || text === undefined) return undefined;
  return { serviceId, tenantId, ...stateSchema.parse(JSON.parse(text)) };
}

/** The version that a Deployment runs. */
export function versionOf({ metadata }: ClusterResource): string {
  return metadata.annotations[annotations.version] ?? '';
}

/** Which state of the settings the pods of a Deployment were made with. */
export function settingsStateOf({ spec }: ClusterResource): string {
  const reading = z
    .object({
      template: z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }) }),
    })
    .safeParse(spec);
  return reading.success ? (reading.data.template.metadata.annotations[annotations.settings] ?? '') : '';
}

/** Pods of each version. Where several have traffic the others have none: the Service would select them, too. */
export function replicasOf(
  { weights, limits }: ClusterService,
  versions: readonly string[],
): ReadonlyMap<string, number> {
  const serving = servingOf(weights);
  const counts = shareReplicas(versions, serving, Math.max(1, limits.minReplicas ?? 1));
  if (serving.length < 2) return counts;
  const isServing = new Set(serving.map(({ version }) => version));
  return new Map([...counts].map(([version, count]) => [version, isServing.has(version) ? count : 0]));
}

export function toServiceManifest(service: ClusterService, options: ClusterOptions) {
  const { serviceId, tenantId, weights, limits, restarts } = service;
  const name = resourceNameOf(serviceId);
  const serving = servingOf(weights);
  const [first] = serving;
  const one = serving.length === 1 && first !== undefined ? shortDigestOf(first.version) : 'none';
  const selector = { [clusterLabels.service]: name, ...(serving.length > 1 ? {} : { [clusterLabels.version]: one }) };
  return {
    ...{ apiVersion: 'v1', kind: 'Service' },
    metadata: {
      ...{ name, labels: labelsOf(serviceId, options) },
      annotations: {
        [annotations.serviceId]: serviceId,
        [annotations.tenant]: tenantId,
        [annotations.state]: JSON.stringify({ weights, limits, restarts }),
      },
    },
    spec: { selector, ports: [{ name: 'http', port: 80, targetPort: options.containerPort, protocol: 'TCP' }] },
  };
}

export function toSecretManifest(serviceId: string, data: Readonly<Record<string, string>>, options: ClusterOptions) {
  const metadata = { name: settingsNameOf(serviceId), labels: labelsOf(serviceId, options) };
  return { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data };
}

/** How long pods may take to become ready before the cluster says that they do not. */
const progressDeadlineSeconds = 120;

export function toDeploymentManifest(
  of: {
    readonly service: ClusterService;
    readonly version: string;
    readonly replicas: number;
    /** The state of the Secret; empty while there is none. */
    readonly settings: string;
  },
  options: ClusterOptions,
) {
  const { service, version, replicas, settings } = of;
  const { serviceId } = service;
  const labels = { ...labelsOf(serviceId, options), [clusterLabels.version]: shortDigestOf(version) };
  const { [clusterLabels.service]: name, [clusterLabels.version]: digest } = labels;
  const { containerPort, healthPath, pullSecret } = options;
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: { name: deploymentNameOf(serviceId, version), labels, annotations: { [annotations.version]: version } },
    spec: {
      ...{ replicas, progressDeadlineSeconds, revisionHistoryLimit: 1 },
      selector: { matchLabels: { [clusterLabels.service]: name, [clusterLabels.version]: digest } },
      // The new pods first: a change of settings is not to be noticed.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: {
          labels,
          annotations: { [annotations.settings]: settings, [annotations.restarts]: String(service.restarts) },
        },
        spec: {
          automountServiceAccountToken: false,
          ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
          containers: [
            {
              ...{ name: 'service', image: version },
              env: [{ name: 'PORT', value: String(containerPort) }],
              envFrom: [{ secretRef: { name: settingsNameOf(serviceId), optional: true } }],
              ports: [{ name: 'http', containerPort }],
              readinessProbe: { httpGet: { path: healthPath, port: containerPort }, periodSeconds: 2 },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    },
  };
}

function labelsOf(serviceId: string, { installation }: ClusterOptions) {
  return {
    'app.kubernetes.io/managed-by': 'switchyard',
    [clusterLabels.installation]: installation,
    [clusterLabels.service]: resourceNameOf(serviceId),
  };
}
