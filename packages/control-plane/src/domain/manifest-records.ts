/** From a manifest to the records that it means. Pure. */
import type {
  Environment,
  Manifest,
  ManifestService,
  RuntimeConfiguration,
  ScalingPolicy,
  SecretBinding,
  ServiceSpec,
  TenantBinding,
} from '@switchyard/protocol/control-api';
import { defaultEnvironmentId } from './default-environment.ts';

export interface ManifestRecords {
  readonly environment: Environment;
  readonly binding: TenantBinding;
  readonly specs: readonly ServiceSpec[];
  readonly policies: readonly ScalingPolicy[];
  /** Without version and time: those depend on what was published before. */
  readonly configurations: readonly Omit<RuntimeConfiguration, 'version' | 'publishedAt' | 'publishedBy'>[];
  readonly secrets: readonly SecretBinding[];
}

export function environmentIdOf({ tenant, environment }: Manifest): string {
  return environment.id ?? defaultEnvironmentId(tenant);
}

export function toManifestRecords(manifest: Manifest): ManifestRecords {
  const { tenant: tenantId, environment, services } = manifest;
  const environmentId = environmentIdOf(manifest);
  const { name, stage, region, projectId, desiredState, remediation, isolationModel, quota } = environment;
  const of = { tenantId, environmentId };
  return {
    environment: {
      ...{ ...of, name, stage, region, desiredState, remediation, status: 'provisioned' },
      ...(projectId === undefined ? {} : { projectId }),
    },
    binding: { ...of, isolationModel, quota },
    specs: services.map((service) => toSpec(service, of)),
    policies: services.flatMap(({ id, scaling }) =>
      scaling === undefined ? [] : [{ ...of, ...scaling, serviceId: id }],
    ),
    configurations: manifest.configurations.map(({ id, values }) => ({
      ...{ ...of, configurationId: id, values },
      serviceIds: services.filter(({ configuration }) => configuration === id).map((service) => service.id),
    })),
    secrets: manifest.secrets.map(({ id, setting, kind, connection, credentials, rotateEveryMs, graceMs }) => ({
      ...{ ...of, secretBindingId: id, settingName: setting, rotateEveryMs, graceMs },
      target: { kind, connection, credentials },
      serviceIds: services.filter(({ secrets }) => secrets.includes(id)).map((service) => service.id),
    })),
  };
}

function toSpec(
  {
    id,
    moduleId,
    target,
    version,
    limits,
    strategy,
    gateMs,
    configuration,
    secrets,
    probes,
    dependencies,
  }: ManifestService,
  of: { readonly tenantId: string; readonly environmentId: string },
): ServiceSpec {
  return {
    ...{ ...of, serviceId: id, computeTarget: target, version, limits, strategy, gateMs, probes, dependencies },
    secretBindings: secrets,
    origin: 'manifest',
    ...(moduleId === undefined ? {} : { moduleId }),
    ...(configuration === undefined ? {} : { configurationId: configuration }),
  };
}
