import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { openVaultKey, type VaultKeyPlace } from './vault-key.ts';

describe('openVaultKey', () => {
  let folder: string;
  let store: Store;
  let log: MemoryLog;
  let seed = 0;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vault-key-'));
    store = openSqliteStore({ clock: new VirtualClock() }, { file: ':memory:' });
    log = createMemoryLog();
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const open = (place: Partial<VaultKeyPlace> = {}) => {
    seed += 1;
    const random = createSeededRandom(seed);
    return openVaultKey({ log, random, store }, { directory: folder, mayMake: true, ...place });
  };
  const home = () => join(folder, 'vault.key');

  it('I1: makes a key once', async () => {
    const key = await open();
    expect([key.length, await open(), await open({ mayMake: false })]).toEqual([32, key, key]);
  });

  it('I1: makes none for workers elsewhere, where one was named, or for a store that has one', async () => {
    const file = join(folder, 'named.key');
    await expect(open({ mayMake: false })).rejects.toMatchObject({ code: 'VAULT_KEY_MISSING' });
    await expect(open({ file })).rejects.toMatchObject({ code: 'VAULT_KEY_MISSING' });
    const key = await open();
    renameSync(home(), file);
    await expect(open()).rejects.toMatchObject({ code: 'VAULT_KEY_MISSING' });
    expect([existsSync(home()), await open({ file })]).toEqual([false, key]);
  });

  it('I2: refuses the key of another store', async () => {
    await open();
    writeFileSync(home(), `${Buffer.alloc(32, 9).toString('base64')}\n`);
    await expect(open()).rejects.toMatchObject({ code: 'VAULT_KEY_FOREIGN' });
    writeFileSync(home(), 'no key');
    await expect(open()).rejects.toMatchObject({ code: 'CATALOG_KEY_UNUSABLE' });
  });

  it('takes a mounted key with the rights that it has, and says so when everybody may read it', async () => {
    const key = await open();
    const file = join(folder, 'mounted.key');
    writeFileSync(file, readFileSync(home()), { mode: 0o600 });
    for (const [mode, warnings] of [[0o440, 0] as const, [0o644, 1] as const]) {
      chmodSync(file, mode);
      expect(await open({ file })).toEqual(key);
      const told = log.records.filter(({ level }) => level === 'warning');
      expect([mode, told.length]).toEqual([mode, warnings]);
    }
  });
});
