/** Nothing is done in the name of a tenant to which the environment is not bound. */
import type { DomainView, GuardedEnvironment } from './contract.ts';

export type GuardVerdict =
  | ({ readonly kind: 'bound' } & GuardedEnvironment)
  | { readonly kind: 'refused'; readonly code: 'TENANT_MISMATCH'; readonly reason: string };

/** Holds a tenant against the environment's RuntimeTenantBinding. */
export async function guardTenant(
  view: DomainView,
  claim: { readonly tenantId: string; readonly environmentId: string | undefined },
): Promise<GuardVerdict> {
  const { tenantId, environmentId } = claim;
  if (environmentId === undefined) return refused(`the event of the tenant '${tenantId}' names no environment`);
  const [environment, binding] = await Promise.all([
    view.get('environment', environmentId),
    view.get('tenantBinding', environmentId),
  ]);
  if (environment === undefined) return refused(`there is no environment '${environmentId}'`);
  if (binding === undefined) return refused(`the environment '${environmentId}' is bound to no tenant`);
  if (binding.tenantId !== tenantId || environment.tenantId !== tenantId) {
    return refused(`the environment '${environmentId}' is bound to another tenant than '${tenantId}'`);
  }
  return { kind: 'bound', environment, binding };
}

function refused(reason: string): GuardVerdict {
  return { kind: 'refused', code: 'TENANT_MISMATCH', reason };
}
