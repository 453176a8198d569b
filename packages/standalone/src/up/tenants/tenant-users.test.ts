import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TenantUsers } from './tenant-users.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-users-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (firstId = 40_000) => TenantUsers.open({ file: join(folder, 'tenants.json'), firstId });

describe('TenantUsers', () => {
  it('I1: each tenant has a user of its own, the same after a restart', async () => {
    const users = await open();
    const given = await Promise.all(['contoso', 'fabrikam', '__proto__', 'contoso'].map((name) => users.userOf(name)));
    expect(given.map(({ uid, gid }) => [uid, gid])).toEqual([
      [40_000, 40_000],
      [40_001, 40_001],
      [40_002, 40_002],
      [40_000, 40_000],
    ]);
    const again = await open(40_001);
    expect((await again.userOf('fabrikam')).uid).toBe(40_001);
    // What a tenant has is never given to another one, wherever counting begins now.
    expect((await again.userOf('adatum')).uid).toBe(40_003);
  });

  it('I2: it is written before it is told, and nobody else reads it', async () => {
    const users = await open();
    expect(existsSync(join(folder, 'tenants.json'))).toBe(false);
    await users.userOf('contoso');
    const file = join(folder, 'tenants.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ contoso: 40_000 });
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it.each(['', '[]', '{"a":"root"}', '{"a":0}', '{"a":70000}', '{"a":4,"b":4}'])('refuses %j', async (text) => {
    writeFileSync(join(folder, 'tenants.json'), text);
    await expect(open()).rejects.toMatchObject({ code: 'TENANT_USERS_UNREADABLE' });
  });

  it('says when no user is left', async () => {
    const users = await open(65_533);
    await users.userOf('contoso');
    await expect(users.userOf('fabrikam')).rejects.toMatchObject({ code: 'TENANT_USERS_USED_UP' });
  });
});
