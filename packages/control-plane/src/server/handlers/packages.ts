import { packageType, toCodeVersion } from '@switchyard/protocol/control-api';
import type { PackageGrants } from '../../catalog/contract.ts';
import type { Caller, ControlHandlers } from '../control-call.ts';
import { json } from '../control-call.ts';
import { RequestRefused, refuseRequest } from '../problem.ts';

/** The holder of packages that a caller for all tenants has uploaded. No tenant can have that name. */
const everyTenant = '*';

/** Packages by their hash. Who has not uploaded one does not see it. */
export const packageHandlers: ControlHandlers<'putPackage' | 'getPackage'> = {
  async putPackage({ deps, caller, parameters: { sha256 }, body, signal }) {
    const outcome = await deps.packages.put(sha256, body, signal);
    if (outcome.kind === 'refused') throw new RequestRefused(outcome.error);
    deps.catalog.packageGrants.grant(sha256, caller.tenants === '*' ? [everyTenant] : caller.tenants);
    const { sizeBytes, isNew } = outcome;
    return json({ sha256, codeVersion: toCodeVersion(sha256), sizeBytes, isNew });
  },
  async getPackage({ deps, caller, parameters: { sha256 } }) {
    const isVisible = holdsPackage(deps.catalog.packageGrants, caller, sha256);
    const found = isVisible ? await deps.packages.open(sha256) : undefined;
    if (found === undefined) return refuseRequest('PACKAGE_UNKNOWN', { sha256 });
    return { kind: 'bytes', type: packageType, ...found };
  },
};

/** True when one of the caller's tenants has shown that it holds the package. */
export function holdsPackage(grants: PackageGrants, { tenants }: Pick<Caller, 'tenants'>, sha256: string): boolean {
  return tenants === '*' || tenants.some((tenantId) => grants.isGranted(sha256, tenantId));
}
