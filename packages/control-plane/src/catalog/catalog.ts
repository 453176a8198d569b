/**
 * The catalog: apps, versions, settings, keys, traffic and deployments in one embedded database.
 *
 * Purpose: the single owner of what should be (decision 12). What is, others find out and bring about.
 * Ownership: the composition root opens one per data directory and closes it; one process writes at a time in practice,
 * and the database keeps several from spoiling each other.
 *
 * I1 A refused write changes nothing and tells nobody.
 * I2 A write for another revision than the present one is refused with the present one.
 * I3 Names of apps and host names are unique in the installation.
 * I4 The weights of an app add up to 100 and name versions that are indexed, or there are none at all.
 * I5 Values of settings and keys stand in no file in clear, and open with the catalog's own key alone.
 * I6 What was written is there after a restart.
 */
import type { Clock, Log, PlatformError, Random } from '@switchyard/kernel';
import { controlErrors } from '../errors.ts';
import { createApplications, createTenants } from './applications.ts';
import { CatalogChanges } from './changes.ts';
import type { Catalog } from './contract.ts';
import { type CatalogDatabase, openCatalogDatabase } from './database.ts';
import { createDeployments } from './deployments.ts';
import { createKeys } from './keys.ts';
import { createPackageGrants } from './package-grants.ts';
import { bytesOf } from './row.ts';
import { createSeal, openKeyFile, type Seal } from './seal.ts';
import { createSettings } from './settings.ts';
import { createTraffic } from './traffic.ts';
import { createVersions } from './versions.ts';
import type { CatalogParts } from './writer.ts';

export interface CatalogDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'bytes' | 'uuid'>;
  readonly log: Log;
}

export interface CatalogOptions {
  /** The database. It is made with the key file when neither is there. */
  readonly file: string;
  /** The key that settings and keys are sealed with. Back it up together with the database. */
  readonly keyFile: string;
}

/**
 * Opens the catalog.
 * @throws PlatformError CATALOG_UNREADABLE, CATALOG_NEWER, CATALOG_KEY_UNUSABLE, CATALOG_KEY_FOREIGN
 */
export function createCatalog(deps: CatalogDeps, options: CatalogOptions): Catalog {
  const database = openCatalogDatabase(deps, options.file);
  try {
    const seal = openSeal(deps, database, options);
    return joinParts({ ...deps, database, seal, changes: new CatalogChanges(deps.log) }, deps.log, options);
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

function joinParts(parts: CatalogParts, log: Log, options: CatalogOptions): Catalog {
  const fail = (): PlatformError => foreignKey(options);
  const { keys, createFirst, forget } = createKeys(parts, fail);
  const table = createDeployments(parts, log);
  const applications = createApplications(parts, createFirst);
  // First of all observers, so that nobody is told of a change of keys and then finds the former ones.
  parts.changes.watch(forget);
  return {
    tenants: createTenants(parts),
    applications: {
      ...applications,
      remove(applicationId) {
        const lost = table.deployments.list(applicationId);
        const isRemoved = applications.remove(applicationId);
        for (const { deploymentId } of lost) table.announce(deploymentId);
        return isRemoved;
      },
    },
    versions: createVersions(parts),
    settings: createSettings(parts, fail),
    traffic: createTraffic(parts),
    deployments: table.deployments,
    keys,
    packageGrants: createPackageGrants(parts),
    digest: (text) => parts.seal.digest(text),
    watch(observer) {
      const rows = parts.database.all('SELECT application_id FROM applications ORDER BY application_id');
      return parts.changes.watch(
        observer,
        rows.map(({ application_id: id }) => String(id)),
      );
    },
    close() {
      parts.changes.end();
      table.end();
      parts.database.close();
    },
  };
}

const probeName = 'seal-probe';
const probeText = 'switchyard';

/** A catalog keeps a sealed word, which tells whether a key file is its own. */
function openSeal(deps: CatalogDeps, database: CatalogDatabase, options: CatalogOptions): Seal {
  const row = database.get('SELECT value FROM installation WHERE name = ?', probeName);
  const seal = createSeal(deps.random, openKeyFile(deps.random, options.keyFile, { mayMake: row === undefined }));
  if (row === undefined) {
    const sealed = seal.seal(probeText, [probeName]);
    database.run('INSERT INTO installation (name, value) VALUES (?, ?)', probeName, sealed);
  } else if (seal.open(bytesOf(row, 'value'), [probeName])?.reveal() !== probeText) throw foreignKey(options);
  return seal;
}

function foreignKey({ file, keyFile }: CatalogOptions): PlatformError {
  return controlErrors.create('CATALOG_KEY_FOREIGN', { file: keyFile, catalog: file });
}
