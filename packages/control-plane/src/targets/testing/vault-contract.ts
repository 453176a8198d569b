/**
 * What every vault promises. Run it on each:
 *
 * V1 A version keeps its first value, whoever keeps it again.
 * V2 What was never kept is undefined; versions, names and tenants are apart.
 * V3 What was disabled is gone and never made anew; disabling again, or what is not there, is harmless.
 */
import { Secret } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import type { Vault } from '../vault.ts';

export interface VaultBench {
  readonly vault: Vault;
  close(): Promise<void>;
}

export function describeVaultContract(name: string, open: () => Promise<VaultBench>): void {
  describe(`the contract of vaults: ${name}`, () => {
    let bench: VaultBench;
    afterEach(() => bench.close());
    const entry = { tenantId: 'acme', name: 'shop/db', version: 1 };

    it('V1: a version keeps its first value', async () => {
      bench = await open();
      const { vault } = bench;
      expect((await vault.keep(entry, new Secret('first'))).reveal()).toBe('first');
      expect((await vault.keep(entry, new Secret('second'))).reveal()).toBe('first');
      expect((await vault.read(entry))?.reveal()).toBe('first');
    });

    it('V2: versions, names and tenants are apart', async () => {
      bench = await open();
      const { vault } = bench;
      const entries = [entry, { ...entry, version: 2 }, { ...entry, name: 'shop.db' }, { ...entry, tenantId: 'other' }];
      expect(await vault.read(entry)).toBeUndefined();
      for (const [at, one] of entries.entries()) await vault.keep(one, new Secret(`value ${at}`));
      const read = await Promise.all(entries.map(async (one) => (await vault.read(one))?.reveal()));
      expect(read).toEqual(['value 0', 'value 1', 'value 2', 'value 3']);
    });

    it('V3: what was disabled is gone, and is not made anew', async () => {
      bench = await open();
      const { vault } = bench;
      await vault.keep(entry, new Secret('old'));
      await vault.keep({ ...entry, version: 2 }, new Secret('new'));
      await vault.disable(entry);
      await vault.disable(entry);
      await vault.disable({ ...entry, version: 9 });
      expect(await vault.read(entry)).toBeUndefined();
      expect((await vault.read({ ...entry, version: 2 }))?.reveal()).toBe('new');
      await expect(vault.keep(entry, new Secret('again'))).rejects.toMatchObject({ code: 'VAULT_UNREADABLE' });
    });
  });
}
