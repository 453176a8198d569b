export interface TenantRuleOptions {
  /** Tenants trust each other. */
  readonly trusted: boolean;
  /** The tenants that own an app now. */
  readonly present: () => readonly string[];
}

/** Says why an app of a tenant cannot be hosted beside those that are here; undefined when it can. */
export type TenantRule = (tenantId: string) => string | undefined;

/** On one machine, under one operating system user, the workers of one tenant could reach those of another. */
export function createTenantRule({ trusted, present }: TenantRuleOptions): TenantRule {
  return (tenantId) => {
    if (trusted) return undefined;
    const other = present().find((known) => known !== tenantId);
    return other === undefined
      ? undefined
      : `the workers of tenant '${other}' run under the same operating system user, where they could reach its files and processes`;
  };
}
