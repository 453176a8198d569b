import { describe, expect, it } from 'vitest';
import type { AppKeys } from './app-keys.ts';
import { createBlobKeyVault } from './blob-key-vault.ts';

function rig(files: Record<string, string> = {}) {
  const blobs = new Map(Object.entries(files));
  const writes: string[] = [];
  const vault = createBlobKeyVault(
    {
      place: 'memory',
      list: async (prefix) => [...blobs.keys()].filter((name) => name.startsWith(prefix)),
      read: async (name) => blobs.get(name),
      async write(name, text) {
        writes.push(name);
        blobs.set(name, text);
      },
    },
    () => 'host-id',
  );
  return { blobs, writes, vault };
}

const keys: AppKeys = {
  master: 'm',
  host: { default: 'h' },
  system: { blobs_extension: 's' },
  functions: { hello: { default: 'f' } },
};

describe('keys in blobs', () => {
  it('are written in the official layout, and read back', async () => {
    const { vault, blobs } = rig();
    expect(await vault.read('shop')).toBeUndefined();
    await vault.write('shop', keys);
    expect(JSON.parse(blobs.get('host-id/host.json') ?? '')).toEqual({
      masterKey: { name: 'master', value: 'm', encrypted: false },
      functionKeys: [{ name: 'default', value: 'h', encrypted: false }],
      systemKeys: [{ name: 'blobs_extension', value: 's', encrypted: false }],
    });
    expect(JSON.parse(blobs.get('host-id/hello.json') ?? '')).toEqual({
      keys: [{ name: 'default', value: 'f', encrypted: false }],
    });
    expect(await vault.read('shop')).toEqual(keys);
  });

  it('are read as the official host writes them, whatever is missing', async () => {
    const { vault } = rig({
      'host-id/host.json':
        '{"masterKey":{"name":"master","value":"m","encrypted":false},"hostName":"x","instanceId":"y"}',
      'host-id/resize.json': '{"keys":[{"name":"a","value":"1"},{"name":"broken"},7]}',
    });
    expect(await vault.read('shop')).toEqual({
      master: 'm',
      host: {},
      system: {},
      functions: { resize: { a: '1' } },
    });
  });

  it('are written only where they changed', async () => {
    const { vault, writes } = rig();
    await vault.write('shop', keys);
    await vault.write('shop', { ...keys, functions: { ...keys.functions, other: { default: 'o' } } });
    expect(writes).toEqual(['host-id/host.json', 'host-id/hello.json', 'host-id/other.json']);
  });

  it('that another host encrypted are refused, and not written over', async () => {
    const text = '{"masterKey":{"name":"master","value":"CfDJ8","encrypted":true}}';
    const { vault, blobs } = rig({ 'host-id/host.json': text });
    await expect(vault.read('shop')).rejects.toThrow('encrypted');
    expect(blobs.get('host-id/host.json')).toBe(text);
  });

  it('that are no JSON are refused with their place', async () => {
    await expect(rig({ 'host-id/host.json': '{' }).vault.read('shop')).rejects.toThrow('host-id/host.json');
  });
});
