import type { ApplicationKey } from '@switchyard/control-plane';
import { defineErrors, Secret } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { createCatalogKeyStore } from './catalog-key-store.ts';

const { create } = defineErrors({
  KEY_BAD: { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: 1, message: 'The name is bad.' },
});
const refused = create('KEY_BAD');

/** What the catalog promises, in memory. */
function rig() {
  const all: ApplicationKey[] = [
    { kind: 'master', name: '_master', value: new Secret('m') },
    { kind: 'host', name: 'default', value: new Secret('h') },
    { kind: 'function', functionName: 'Hello', name: 'own', value: new Secret('f') },
  ];
  const at = (key: Pick<ApplicationKey, 'kind' | 'functionName' | 'name'>) =>
    all.findIndex(
      (other) => other.kind === key.kind && other.functionName === key.functionName && other.name === key.name,
    );
  const store = createCatalogKeyStore(
    {
      list: () => all,
      put(_applicationId, { value = 'made up', ...key }) {
        const made: ApplicationKey = { ...key, value: new Secret(value) };
        const known = at(made);
        if (known < 0) all.push(made);
        else all[known] = made;
        if (made.name === 'bad name') return { kind: 'refused', error: refused };
        return { kind: 'written', value: made };
      },
      remove(_applicationId, key) {
        const known = at(key);
        if (known >= 0) all.splice(known, 1);
        return known >= 0;
      },
    },
    'shop',
  );
  return { store, all };
}

describe('the keys of a deployed app', () => {
  it('are listed by their scope', async () => {
    const { store } = rig();
    expect(await store.list({ kind: 'host' })).toEqual([{ name: 'default', value: 'h' }]);
    expect(await store.list({ kind: 'system' })).toEqual([]);
    expect(await store.list({ kind: 'function', functionName: 'hello' })).toEqual([{ name: 'own', value: 'f' }]);
    expect(await store.list({ kind: 'function', functionName: 'Other' })).toEqual([]);
  });

  it('are made, changed and removed', async () => {
    const { store } = rig();
    const system = { kind: 'system' } as const;
    expect(await store.set(system, 'blobs_extension')).toEqual({
      isNew: true,
      key: { name: 'blobs_extension', value: 'made up' },
    });
    expect(await store.ensure(system, 'BLOBS_extension')).toEqual({ name: 'blobs_extension', value: 'made up' });
    expect(await store.ensure({ kind: 'host' }, 'default')).toEqual({ name: 'default', value: 'h' });
    expect(await store.ensure({ kind: 'host' }, 'another')).toEqual({ name: 'another', value: 'made up' });
    expect((await store.set(system, 'blobs_extension', 'given')).isNew).toBe(false);
    expect(await store.list(system)).toEqual([{ name: 'blobs_extension', value: 'given' }]);
    expect([await store.remove(system, 'blobs_extension'), await store.remove(system, 'blobs_extension')]).toEqual([
      true,
      false,
    ]);
  });

  it('keep what the catalog refuses away, with its reason', async () => {
    await expect(rig().store.set({ kind: 'host' }, 'bad name')).rejects.toBe(refused);
  });

  it('have one master, whatever it is called', async () => {
    const { store, all } = rig();
    expect((await store.set({ kind: 'master' }, 'master', 'other')).isNew).toBe(false);
    expect(all.filter(({ kind }) => kind === 'master')).toHaveLength(1);
    expect(await store.list({ kind: 'master' })).toEqual([{ name: '_master', value: 'other' }]);
  });
});
