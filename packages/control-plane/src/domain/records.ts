/**
 * The kinds of records that the control plane keeps. Each kind has one writer: the API writes what is desired and asks
 * (`workRequest`), each worker writes what it alone finds out or does. So no two writers ever fight over a record.
 */
import {
  type Alert,
  alertSchema,
  type ConfigurationSync,
  configurationSyncSchema,
  type Environment,
  environmentSchema,
  type Finding,
  findingSchema,
  type HealthRecord,
  healthRecordSchema,
  type RuntimeConfiguration,
  type RuntimeDeployment,
  type RuntimeService,
  runtimeConfigurationSchema,
  runtimeDeploymentSchema,
  runtimeServiceSchema,
  type ScalingPolicy,
  type ScalingState,
  type SecretBinding,
  type SecretRotation,
  type ServiceSpec,
  type SettingsRequest,
  scalingPolicySchema,
  scalingStateSchema,
  secretBindingSchema,
  secretRotationSchema,
  serviceSpecSchema,
  settingsRequestSchema,
  type TenantBinding,
  tenantBindingSchema,
  type WorkRequest,
  workRequestSchema,
} from '@switchyard/protocol/control-api';
import type { z } from 'zod';

export interface DomainRecords {
  environment: Environment;
  tenantBinding: TenantBinding;
  serviceSpec: ServiceSpec;
  service: RuntimeService;
  deployment: RuntimeDeployment;
  configuration: RuntimeConfiguration;
  configurationSync: ConfigurationSync;
  settingsRequest: SettingsRequest;
  secretBinding: SecretBinding;
  secretRotation: SecretRotation;
  scalingPolicy: ScalingPolicy;
  scalingState: ScalingState;
  health: HealthRecord;
  alert: Alert;
  finding: Finding;
  workRequest: WorkRequest;
}

export type RecordKind = keyof DomainRecords;

interface KindDefinition<Value> {
  readonly schema: z.ZodType<Value>;
  readonly idOf: (record: Value) => string;
  /** What a list of one service's records asks for. */
  readonly serviceOf?: (record: Value) => string;
}

export const recordKinds: { readonly [Kind in RecordKind]: KindDefinition<DomainRecords[Kind]> } = {
  environment: { schema: environmentSchema, idOf: ({ environmentId }) => environmentId },
  tenantBinding: { schema: tenantBindingSchema, idOf: ({ environmentId }) => environmentId },
  serviceSpec: {
    schema: serviceSpecSchema,
    idOf: ({ serviceId }) => serviceId,
    serviceOf: ({ serviceId }) => serviceId,
  },
  service: {
    schema: runtimeServiceSchema,
    idOf: ({ serviceId }) => serviceId,
    serviceOf: ({ serviceId }) => serviceId,
  },
  deployment: {
    schema: runtimeDeploymentSchema,
    idOf: ({ deploymentId }) => deploymentId,
    serviceOf: ({ serviceId }) => serviceId,
  },
  configuration: { schema: runtimeConfigurationSchema, idOf: ({ configurationId }) => configurationId },
  configurationSync: {
    schema: configurationSyncSchema,
    idOf: ({ configurationId, serviceId }) => `${serviceId}/${configurationId}`,
    serviceOf: ({ serviceId }) => serviceId,
  },
  settingsRequest: {
    schema: settingsRequestSchema,
    idOf: ({ requestId }) => requestId,
    serviceOf: ({ serviceId }) => serviceId,
  },
  secretBinding: { schema: secretBindingSchema, idOf: ({ secretBindingId }) => secretBindingId },
  secretRotation: { schema: secretRotationSchema, idOf: ({ secretBindingId }) => secretBindingId },
  scalingPolicy: {
    schema: scalingPolicySchema,
    idOf: ({ serviceId }) => serviceId,
    serviceOf: ({ serviceId }) => serviceId,
  },
  scalingState: {
    schema: scalingStateSchema,
    idOf: ({ serviceId }) => serviceId,
    serviceOf: ({ serviceId }) => serviceId,
  },
  health: { schema: healthRecordSchema, idOf: ({ serviceId }) => serviceId, serviceOf: ({ serviceId }) => serviceId },
  alert: { schema: alertSchema, idOf: ({ alertId }) => alertId },
  finding: { schema: findingSchema, idOf: ({ findingId }) => findingId, serviceOf: ({ serviceId }) => serviceId },
  workRequest: { schema: workRequestSchema, idOf: ({ requestId }) => requestId },
};

/** A record that is to be written. */
export type RecordPut = {
  [Kind in RecordKind]: { readonly kind: Kind; readonly record: DomainRecords[Kind] };
}[RecordKind];

export function put<Kind extends RecordKind>(kind: Kind, record: DomainRecords[Kind]): RecordPut {
  return { kind, record } as RecordPut;
}

/** The identity of a record within its kind. */
export function idOf({ kind, record }: RecordPut): string {
  // The union pairs each kind with its record.
  return (recordKinds[kind].idOf as (record: unknown) => string)(record);
}

export function serviceOf({ kind, record }: RecordPut): string | undefined {
  return (recordKinds[kind].serviceOf as ((record: unknown) => string) | undefined)?.(record);
}
