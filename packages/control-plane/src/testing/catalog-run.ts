/** A catalog in a folder of its own, for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Log, type Random, silentLog } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import { toCodeVersion } from '@switchyard/protocol/control-api';
import { type CatalogOptions, createCatalog } from '../catalog/catalog.ts';
import type { Catalog, WriteOutcome } from '../catalog/contract.ts';

export const nodeStack: Stack = { runtime: 'node', version: '22', architecture: 'x64' };

/** The hash of a made-up package: the digit, 64 times. */
export function packageHash(digit: string): string {
  return digit.repeat(64).slice(0, 64);
}

export interface CatalogRun {
  readonly directory: string;
  readonly options: CatalogOptions;
  /** The one that `reopen` opened last. */
  readonly catalog: Catalog;
  /** Closes the catalog and opens it again from its files. */
  reopen(): Catalog;
  /** Closes it and removes its files. */
  remove(): void;
}

export interface CatalogRunDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly log?: Log;
}

export function createCatalogRun({ clock, random, log = silentLog }: CatalogRunDeps): CatalogRun {
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-catalog-'));
  const options = { file: join(directory, 'catalog.db'), keyFile: join(directory, 'catalog.key') };
  let catalog = createCatalog({ clock, random, log }, options);
  return {
    directory,
    options,
    get catalog() {
      return catalog;
    },
    reopen() {
      catalog.close();
      catalog = createCatalog({ clock, random, log }, options);
      return catalog;
    },
    remove() {
      catalog.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The value of a write that must not be refused. */
export function written<Value>(outcome: WriteOutcome<Value>): Value {
  if (outcome.kind === 'refused') throw outcome.error;
  return outcome.value;
}

/** Creates an app of the tenant `contoso`. */
export function addApplication(catalog: Catalog, applicationId = 'shop', tenantId = 'contoso'): void {
  written(catalog.applications.put({ applicationId, tenantId, stack: nodeStack }));
}

/** Deploys a made-up package and marks it indexed. Answers with its codeVersion. */
export function addVersion(catalog: Catalog, digit: string, applicationId = 'shop'): string {
  const sha256 = packageHash(digit);
  written(catalog.deployments.create({ applicationId, sha256, message: digit, promote: true, createdBy: 'test' }));
  const codeVersion = toCodeVersion(sha256);
  catalog.versions.markIndexed(applicationId, codeVersion, {
    index: new Uint8Array([1]),
    hostJson: '{}',
    metadataVersion: 'm1',
    settingsRevision: 0,
  });
  return codeVersion;
}
