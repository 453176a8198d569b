/** The specification of a service that no manifest names. */
import type { ServiceSpec } from '@switchyard/protocol/control-api';
import { defaultEnvironmentId } from './default-environment.ts';

/** All the traffic at once, as soon as a version has come up. */
export function createLooseService(
  of: Pick<ServiceSpec, 'serviceId' | 'tenantId' | 'computeTarget' | 'version'>,
): ServiceSpec {
  return {
    ...{ ...of, environmentId: defaultEnvironmentId(of.tenantId) },
    ...{ limits: { minReplicas: 0, maxReplicas: 100 }, strategy: { kind: 'rolling', batches: 1 }, gateMs: 0 },
    ...{ secretBindings: [], probes: [], dependencies: [], origin: 'deployment' },
  };
}
