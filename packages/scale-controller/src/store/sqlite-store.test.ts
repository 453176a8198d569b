import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepDatabaseBusy } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeContract } from '../testing/store-contract.ts';
import type { ScaleStore } from './contract.ts';
import { openSqliteStore } from './sqlite-store.ts';

let folder: string;
const opened: ScaleStore[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-scale-'));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (): ScaleStore => {
  const store = openSqliteStore(join(folder, 'deep', 'scale.sqlite'));
  opened.push(store);
  return store;
};

describe('openSqliteStore', () => {
  storeContract({ it, equal: (actual, expected) => expect(actual).toEqual(expected) }, open);

  it('I3: has after a restart what was written before', async () => {
    const store = open();
    const outcome = await store.write('scale', 'shop', { maximum: 3 }, 0);
    await store.close();
    const revision = outcome.kind === 'written' ? outcome.revision : -1;
    expect(await open().read('scale', 'shop')).toEqual({ key: 'shop', revision, body: { maximum: 3 } });
  });

  it('is opened by two processes at the same moment', async () => {
    mkdirSync(join(folder, 'deep'));
    const busy = await keepDatabaseBusy(join(folder, 'deep', 'scale.sqlite'));
    busy.releaseAfter(100);
    expect(await open().write('scale', 'shop', { maximum: 3 }, 0)).toMatchObject({ kind: 'written' });
    await busy.end();
  });

  it('refuses what is no store of its own, and what is too large', async () => {
    const file = join(folder, 'other.sqlite');
    writeFileSync(file, 'This is not a database, but it is long enough to be looked at as one. '.repeat(40));
    expect(() => openSqliteStore(file)).toThrow(/other\.sqlite/);
    const store = open();
    await expect(store.write('scale', 'shop', 'x'.repeat(300_000), 0)).rejects.toMatchObject({
      code: 'SCALE_DOCUMENT_TOO_LARGE',
    });
    await expect(store.write('scale', 'x'.repeat(501), 1, 0)).rejects.toMatchObject({
      code: 'SCALE_DOCUMENT_TOO_LARGE',
    });
  });
});
