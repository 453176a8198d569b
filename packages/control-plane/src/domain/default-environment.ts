/** The environment that each tenant has without asking for one. */
import type { Environment, TenantBinding } from '@switchyard/protocol/control-api';
import { put, type RecordPut } from './records.ts';

export function defaultEnvironmentId(tenantId: string): string {
  return `${tenantId}.default`;
}

/** The records of it. */
export function createDefaultEnvironment(tenantId: string): readonly RecordPut[] {
  const environmentId = defaultEnvironmentId(tenantId);
  const environment: Environment = {
    ...{ environmentId, tenantId, name: 'default', stage: 'dev', region: 'local', status: 'provisioned' },
    desiredState: { kind: 'applied' },
    remediation: 'manual',
  };
  const binding: TenantBinding = {
    ...{ environmentId, tenantId, isolationModel: 'pool' },
    quota: { maxServices: 1_000, maxReplicas: 10_000 },
  };
  return [put('environment', environment), put('tenantBinding', binding)];
}
