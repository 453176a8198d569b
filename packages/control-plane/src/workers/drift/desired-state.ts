/** Where it stands how an environment ought to be. */
import type { Environment } from '@switchyard/protocol/control-api';
import type { DomainView } from '../../frame/contract.ts';
import type { DesiredService } from './desired-service.ts';

export interface DesiredState {
  /** What it was read from: a commit, the hash of a file, or the applied specifications. */
  readonly revision: string;
  readonly services: readonly DesiredService[];
}

/** Reads the desired state from the source that the environment names. Throws DESIRED_STATE_UNREADABLE. */
export type DesiredStateReader = (environment: Environment, view: DomainView) => Promise<DesiredState>;

/** What was applied last. */
export const readAppliedState: DesiredStateReader = async ({ environmentId, tenantId }, view) => {
  const [all, configurations] = await Promise.all([
    view.list('serviceSpec', { tenantId, environmentId }),
    view.list('configuration', { tenantId, environmentId }),
  ]);
  const specs = all.filter(({ origin }) => origin === 'manifest');
  const versionOf = new Map(configurations.map(({ configurationId, version }) => [configurationId, version]));
  const services = specs.map(({ serviceId, computeTarget, version, limits, configurationId }): DesiredService => {
    const published = configurationId === undefined ? undefined : versionOf.get(configurationId);
    const isNamed = configurationId !== undefined && published !== undefined;
    return {
      ...{ serviceId, computeTarget, version, limits },
      ...(isNamed ? { configuration: { configurationId, version: published } } : {}),
    };
  });
  return { revision: 'applied', services };
};
