import { createDeferred } from '@switchyard/kernel';
import { createSeededRandom } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { AppKeys } from './app-keys.ts';
import { AppKeyStores } from './key-store.ts';
import type { KeyVault } from './key-vaults.ts';

/** A vault in memory; what it holds outlives the stores on it. */
function createVault(apps = new Map<string, AppKeys>()): KeyVault & { readonly apps: Map<string, AppKeys> } {
  return {
    place: 'memory',
    apps,
    read: async (applicationId) => apps.get(applicationId),
    write: async (applicationId, keys) => void apps.set(applicationId, keys),
  };
}
const open = (vault: KeyVault = createVault(), seed = 1) => new AppKeyStores(vault, createSeededRandom(seed));
const host = { kind: 'host' } as const;
const system = { kind: 'system' } as const;

describe('AppKeyStores', () => {
  it('makes master, host and function keys that open what they should', async () => {
    const vault = createVault();
    const stores = open(vault);
    const keys = await stores.keysOf('shop');
    await stores.addFunctions('shop', ['Hello', 'Other']);
    const shop = vault.apps.get('shop');
    expect(keys.levelOf(shop?.master ?? '', 'Hello')).toBe('admin');
    expect(keys.levelOf(shop?.host.default ?? '', 'Hello')).toBe('function');
    expect(keys.levelOf(shop?.functions.Hello?.default ?? '', 'Hello')).toBe('function');
    expect(keys.levelOf(shop?.functions.Hello?.default ?? '', 'Other')).toBeUndefined();
    expect(shop?.master).toMatch(/^[\w-]{54}$/);
  });

  it('I1: keeps keys over restarts, and adds those of new functions', async () => {
    const vault = createVault();
    await open(vault).addFunctions('shop', ['Hello']);
    const before = vault.apps.get('shop');
    const second = open(vault, 2);
    await second.addFunctions('shop', ['Hello', 'New']);
    expect(vault.apps.get('shop')).toMatchObject(before ?? {});
    expect(Object.keys(vault.apps.get('shop')?.functions ?? {})).toEqual(['Hello', 'New']);
  });

  it('I4: all who need a key at the same time get the same one, and callers see it', async () => {
    const stores = open();
    const [keys, store] = [await stores.keysOf('shop'), stores.storeOf('shop')];
    const [one, two] = await Promise.all(['grid', 'GRID'].map((name) => store.ensure(system, name)));
    expect(one).toEqual({ name: 'grid', value: expect.stringMatching(/^[\w-]{40,}$/) });
    expect([two, await store.ensure(system, 'grid')]).toEqual([one, one]);
    expect([await store.list(system), keys.levelOf(one?.value ?? '', '')]).toEqual([[one], 'system']);
  });

  it('I2: keeps apps apart', async () => {
    const vault = createVault();
    const stores = open(vault);
    const [one, two] = await Promise.all([stores.keysOf('one'), stores.keysOf('two')]);
    const key = vault.apps.get('two')?.master ?? '';
    expect([one.levelOf(key, 'Hello'), two.levelOf(key, 'Hello')]).toEqual([undefined, 'admin']);
  });

  it('makes, changes, lists and removes keys, and callers see it', async () => {
    const stores = open();
    const [keys, store] = [await stores.keysOf('shop'), stores.storeOf('shop')];
    const made = await store.set(host, 'mine');
    expect(made).toMatchObject({ isNew: true, key: { name: 'mine' } });
    expect(keys.levelOf(made.key.value, 'Any')).toBe('function');
    expect(await store.set(host, 'MINE', 'chosen')).toEqual({ isNew: false, key: { name: 'mine', value: 'chosen' } });
    expect([keys.levelOf(made.key.value, 'Any'), keys.levelOf('chosen', 'Any')]).toEqual([undefined, 'function']);
    expect((await store.list(host)).map(({ name }) => name)).toEqual(['default', 'mine']);
    expect([await store.remove(host, 'mine'), await store.remove(host, 'mine')]).toEqual([true, false]);
    expect(keys.levelOf('chosen', 'Any')).toBeUndefined();
  });

  it('knows system keys, keys of a function, and the master key', async () => {
    const stores = open();
    const [keys, store] = [await stores.keysOf('shop'), stores.storeOf('shop')];
    await store.set(system, 'blobs_extension', 's');
    await store.set({ kind: 'function', functionName: 'Hello' }, 'own', 'f');
    await store.set({ kind: 'master' }, 'whatever', 'm');
    expect(['s', 'f', 'm'].map((key) => keys.levelOf(key, 'hello'))).toEqual(['system', 'function', 'admin']);
    expect(await store.list({ kind: 'master' })).toEqual([{ name: 'master', value: 'm' }]);
    expect(await store.remove({ kind: 'master' }, 'master')).toBe(false);
  });

  it('survives names that objects have by themselves', async () => {
    const store = open().storeOf('shop');
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(await store.remove(host, name)).toBe(false);
      expect((await store.set(host, name, name)).isNew).toBe(true);
      expect((await store.list(host)).find((key) => key.name === name)?.value).toBe(name);
    }
    expect({}).not.toHaveProperty('default');
  });

  it('I3: a change that cannot be written changes nothing for callers', async () => {
    const vault = createVault();
    const stores = open(vault);
    const keys = await stores.keysOf('shop');
    const write = vault.write;
    vault.write = () => Promise.reject(new Error('full'));
    await expect(stores.storeOf('shop').set(host, 'new', 'value')).rejects.toThrow('full');
    expect(keys.levelOf('value', 'Any')).toBeUndefined();
    vault.write = write;
    expect((await stores.storeOf('shop').set(host, 'new', 'value')).isNew).toBe(true);
    expect(keys.levelOf('value', 'Any')).toBe('function');
  });

  it('I4: changes at the same time follow one another', async () => {
    const vault = createVault();
    const stores = open(vault);
    await stores.keysOf('shop');
    const gate = createDeferred<void>();
    const { write } = vault;
    vault.write = async (applicationId, keys) => {
      await gate.promise;
      await write(applicationId, keys);
    };
    const store = stores.storeOf('shop');
    const changes = ['a', 'b', 'c'].map((name) => store.set(host, name, name));
    gate.resolve();
    await Promise.all(changes);
    expect(Object.keys(vault.apps.get('shop')?.host ?? {})).toEqual(['default', 'a', 'b', 'c']);
  });
});
