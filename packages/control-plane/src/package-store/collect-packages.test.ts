import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { addApplication, type CatalogRun, createCatalogRun, written } from '../testing/catalog-run.ts';
import { collectPackages } from './collect-packages.ts';
import { createPackageStore } from './package-store.ts';

let run: CatalogRun;
// The store compares with the times of files, which are of today: the clock is ahead of them.
const clock = new VirtualClock(Date.UTC(2200, 0, 1));
beforeEach(() => {
  run = createCatalogRun({ clock, random: createSeededRandom(1) });
});
afterEach(() => run.remove());

it('removes what no version names, and forgets whose it was', async () => {
  const { catalog } = run;
  const packages = createPackageStore(
    { clock, random: createSeededRandom(2) },
    { directory: join(run.directory, 'packages') },
  );
  addApplication(catalog);
  const [used, unused] = ['used', 'unused'].map((text) => createHash('sha256').update(text).digest('hex'));
  for (const text of ['used', 'unused']) {
    const sha256 = createHash('sha256').update(text).digest('hex');
    await packages.put(
      sha256,
      (async function* () {
        yield Buffer.from(text);
      })(),
    );
    catalog.packageGrants.grant(sha256, ['contoso']);
  }
  const request = { applicationId: 'shop', sha256: used ?? '', message: '', promote: true, createdBy: 'ann' };
  written(catalog.deployments.create(request));
  expect(await collectPackages(catalog, packages)).toEqual([unused]);
  expect(await packages.sizeOf(used ?? '')).toBe(4);
  expect(catalog.packageGrants.isGranted(unused ?? '', 'contoso')).toBe(false);
  expect(catalog.packageGrants.isGranted(used ?? '', 'contoso')).toBe(true);
  catalog.applications.remove('shop');
  expect(await collectPackages(catalog, packages)).toEqual([used]);
});
