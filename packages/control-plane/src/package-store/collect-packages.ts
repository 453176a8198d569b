import type { Catalog } from '../catalog/contract.ts';
import type { PackageStore } from './contract.ts';

/**
 * Removes the packages that no version names any more, and what the catalog knows of them. Answers with their hashes. Call
 * it now and then: a package stays for the store's grace period in any case, so that one that was just uploaded can be
 * deployed.
 */
export async function collectPackages(
  { versions, packageGrants }: Pick<Catalog, 'versions' | 'packageGrants'>,
  packages: PackageStore,
): Promise<readonly string[]> {
  // Asked anew for each package: while one is removed, another may be deployed.
  const removed = await packages.collect((sha256) => versions.referencedPackages().has(sha256));
  for (const sha256 of removed) packageGrants.forget(sha256);
  return removed;
}
