import type { TenantIsolation } from './tenants/tenant-isolation.ts';

export interface TenantRuleOptions {
  /** Tenants trust each other. */
  readonly trusted: boolean;
  readonly isolation: TenantIsolation;
  /** The tenants that own an app now. */
  readonly present: () => readonly string[];
}

/** Says why an app of a tenant cannot be hosted beside those that are here; undefined when it can. */
export type TenantRule = (tenantId: string) => string | undefined;

/** On one machine, under one operating system user, the workers of one tenant could reach those of another. */
export function createTenantRule({ trusted, isolation, present }: TenantRuleOptions): TenantRule {
  return (tenantId) => {
    if (trusted || isolation.kind === 'users') return undefined;
    const other = present().find((known) => known !== tenantId);
    return other === undefined
      ? undefined
      : `the workers of tenant '${other}' would run under the same operating system user, where they could reach its files and processes (${isolation.reason})`;
  };
}
