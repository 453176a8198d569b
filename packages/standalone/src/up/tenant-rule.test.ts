import { describe, expect, it } from 'vitest';
import { createTenantRule } from './tenant-rule.ts';

describe('createTenantRule', () => {
  it.each([
    [[], 'contoso', false, undefined],
    [['contoso', 'contoso'], 'contoso', false, undefined],
    [['contoso'], 'fabrikam', false, "tenant 'contoso'"],
    [['contoso'], 'fabrikam', true, undefined],
  ])('with the apps of %j, %s (trusted: %s)', (present, tenantId, trusted, problem) => {
    const said = createTenantRule({ trusted, present: () => present })(tenantId);
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(problem);
  });
});
