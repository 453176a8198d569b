import { Secret } from '@switchyard/kernel';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import type { Store } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { createStoreVault } from './store-vault.ts';
import { describeVaultContract } from './testing/vault-contract.ts';

let store: Store | undefined;
afterEach(async () => {
  await store?.close();
  store = undefined;
});

const key = new Uint8Array(32).fill(7);
const entry = { tenantId: 'acme', name: 'db', version: 1 };

function open(withKey = key) {
  store ??= openSqliteStore({ clock: new VirtualClock() }, { file: ':memory:' });
  return { store, vault: createStoreVault({ store, random: createSeededRandom(3) }, withKey) };
}

describeVaultContract('in the store', async () => {
  const { vault } = open();
  return { vault, close: async () => {} };
});

describe('createStoreVault', () => {
  it('I1: a version keeps its first value, whoever keeps it again', async () => {
    const { vault } = open();
    expect((await vault.keep(entry, new Secret('first'))).reveal()).toBe('first');
    expect((await vault.keep(entry, new Secret('second'))).reveal()).toBe('first');
    expect((await vault.read(entry))?.reveal()).toBe('first');
    expect(await vault.read({ ...entry, version: 2 })).toBeUndefined();
  });

  it('I2: nothing readable stands in the store', async () => {
    const { store: kept, vault } = open();
    await vault.keep(entry, new Secret('correct horse'));
    const [document] = await kept.documents.list('vaultSecret');
    expect(JSON.stringify(document)).not.toContain('correct horse');
    expect(JSON.stringify(document)).not.toContain(Buffer.from('correct horse').toString('base64').slice(0, 12));
  });

  it('I2: a value opens with its key alone, and only where it belongs', async () => {
    const { store: kept, vault } = open();
    await vault.keep(entry, new Secret('correct horse'));
    const other = open(new Uint8Array(32).fill(8)).vault;
    await expect(other.read(entry)).rejects.toMatchObject({ code: 'VAULT_UNREADABLE' });
    // Moved to another tenant, as somebody who can write to the file might.
    const found = await kept.documents.get('vaultSecret', 'acme/db/1');
    const value = found?.value ?? null;
    await kept.commit({
      writes: [{ kind: 'put', documentKind: 'vaultSecret', key: 'evil/db/1', tenantId: 'evil', value }],
    });
    await expect(vault.read({ ...entry, tenantId: 'evil' })).rejects.toMatchObject({ code: 'VAULT_UNREADABLE' });
  });

  it('I3: what was disabled is gone, and is not made anew', async () => {
    const { vault } = open();
    await vault.keep(entry, new Secret('old'));
    await vault.disable(entry);
    await vault.disable(entry);
    await vault.disable({ ...entry, version: 9 });
    expect(await vault.read(entry)).toBeUndefined();
    await expect(vault.keep(entry, new Secret('new'))).rejects.toMatchObject({ code: 'VAULT_UNREADABLE' });
  });
});
