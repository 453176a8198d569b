import type { PackageStore } from '@switchyard/control-plane';
import type { PackageFolders } from '@switchyard/sidecar';

/** Answers the folder with the files of a package, unpacked where the tenant's workers may read them. */
export type OpenPackage = (sha256: string, tenantId: string) => Promise<string>;

export interface OpenPackageDeps {
  readonly packages: Pick<PackageStore, 'pathOf' | 'locate'>;
  /** The folders of the packages of one tenant, or of all of them. */
  readonly foldersOf: (tenantId: string) => Promise<Pick<PackageFolders, 'open'>>;
}

export function createOpenPackage({ packages, foldersOf }: OpenPackageDeps): OpenPackage {
  return async (sha256, tenantId) => {
    const path = await packages.pathOf(sha256);
    if (path === undefined) throw new Error(`the package ${sha256} is not in the store any more; deploy the app again`);
    const folders = await foldersOf(tenantId);
    // It is checked when it is unpacked, and not read at all when it was unpacked before.
    try {
      return await folders.open({ url: path, sha256 });
    } catch (error) {
      // Says that the stored bytes are the reason, where they are, and puts them aside so that an upload takes their place.
      await packages.locate(sha256);
      throw error;
    }
  };
}
