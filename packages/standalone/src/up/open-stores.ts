import { join } from 'node:path';
import { type Catalog, createCatalog, createPackageStore, type PackageStore } from '@switchyard/control-plane';
import { createTokenIssuer, type KeyRing, openKeyRing, type TokenIssuer } from '@switchyard/identity';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import type { Closers } from '../dev/closers.ts';
import { createMetadataVersions, type MetadataVersions } from './versions/metadata-version.ts';

/** What an installation keeps over restarts. */
export interface Stores {
  readonly catalog: Catalog;
  readonly packages: PackageStore;
  readonly keys: KeyRing;
  readonly issuer: TokenIssuer;
  readonly metadataVersionOf: MetadataVersions;
}

export interface StoresScope {
  readonly log: Log;
  readonly closers: Closers;
  /** The data folder; it is there. */
  readonly directory: string;
}

export async function openStores({ log, closers, directory }: StoresScope): Promise<Stores> {
  const deps = { clock: systemClock, random: systemRandom, log };
  const catalog = createCatalog(deps, {
    file: join(directory, 'catalog.sqlite'),
    keyFile: join(directory, 'catalog.key'),
  });
  closers.add('catalog', async () => catalog.close());
  const packages = createPackageStore(deps, { directory: join(directory, 'packages') });
  const keys = await openKeyRing(deps, { directory: join(directory, 'keys') });
  return {
    catalog,
    packages,
    keys,
    issuer: createTokenIssuer({ ...deps, keys }),
    metadataVersionOf: createMetadataVersions(catalog),
  };
}
