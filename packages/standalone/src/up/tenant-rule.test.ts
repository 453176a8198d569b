import { describe, expect, it } from 'vitest';
import { createTenantRule } from './tenant-rule.ts';

describe('createTenantRule', () => {
  it.each([
    [[], 'contoso', false, undefined],
    [['contoso', 'contoso'], 'contoso', false, undefined],
    [['contoso'], 'fabrikam', false, "tenant 'contoso'"],
    [['contoso'], 'fabrikam', true, undefined],
  ])('with the apps of %j, %s (trusted: %s)', (present, tenantId, trusted, problem) => {
    const isolation = { kind: 'shared', reason: 'only root may' } as const;
    const said = createTenantRule({ trusted, isolation, present: () => present })(tenantId);
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(problem);
  });

  it('has room for all where each tenant has a user of its own', () => {
    const rule = createTenantRule({ trusted: false, isolation: { kind: 'users' }, present: () => ['contoso'] });
    expect(rule('fabrikam')).toBeUndefined();
  });

  it('says why there are no users', () => {
    const isolation = { kind: 'shared', reason: 'only root may' } as const;
    const rule = createTenantRule({ trusted: false, isolation, present: () => ['contoso'] });
    expect(rule('fabrikam')).toContain('(only root may)');
  });
});
