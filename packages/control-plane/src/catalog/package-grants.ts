import type { PackageGrants } from './contract.ts';
import type { CatalogParts } from './writer.ts';

/** Which tenants hold which packages. */
export function createPackageGrants({ database }: Pick<CatalogParts, 'database'>): PackageGrants {
  return {
    grant(sha256, tenantIds) {
      database.transaction(() => {
        for (const tenantId of tenantIds) {
          const sql = 'INSERT INTO package_grants (sha256, tenant_id) VALUES (?, ?) ON CONFLICT DO NOTHING';
          database.run(sql, sha256, tenantId);
        }
      });
    },
    isGranted: (sha256, tenantId) =>
      database.get('SELECT 1 FROM package_grants WHERE sha256 = ? AND tenant_id = ?', sha256, tenantId) !== undefined,
    forget(sha256) {
      database.run('DELETE FROM package_grants WHERE sha256 = ?', sha256);
    },
  };
}
