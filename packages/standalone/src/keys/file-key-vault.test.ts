import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSeededRandom } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import type { AppKeys } from './app-keys.ts';
import { openFileKeyVault } from './file-key-vault.ts';

let folder: TestFolder;
let path: string;
beforeEach(async () => {
  folder = await openTestFolder();
  path = join(folder.path, 'data', 'keys.json');
});
afterEach(() => folder.remove());

const open = (isSealed = false, seed = 1) => openFileKeyVault({ path, isSealed }, createSeededRandom(seed));
const keys = (master: string): AppKeys => ({ master, host: { default: 'h' }, system: {}, functions: {} });

describe('the file of keys', () => {
  it.skipIf(process.platform === 'win32').each([false, true])(
    'I1: only its owner reads it (sealed: %s)',
    async (sealed) => {
      await (await open(sealed)).write('shop', keys('m'));
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      if (sealed) expect((await stat(`${path}.key`)).mode & 0o777).toBe(0o600);
    },
  );

  it.each([
    ['no JSON', 'secret-key {', 'line 1'],
    ['no apps', '[]', "it has no object 'apps'"],
    ['half an app', '{"apps": {"shop": {"master": "m"}}}', "the keys of app 'shop'"],
    ['an empty key', '{"apps": {"shop": {"master": "m", "host": {"default": ""}, "functions": {}}}}', "app 'shop'"],
  ])('I2: refuses %s and leaves it as it is', async (_what, text, reason) => {
    await folder.write('data', { 'keys.json': text });
    const failure = await open().catch((error: Error) => error.message);
    expect(failure).toContain(path);
    expect(failure).toContain(reason);
    expect(failure).not.toContain('secret-key');
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('reads files of before, which knew no system keys', async () => {
    await folder.write('data', {
      'keys.json': '{"apps": {"shop": {"master": "m", "host": {"default": "h"}, "functions": {}}}}',
    });
    expect(await (await open()).read('shop')).toEqual(keys('m'));
  });

  it('I3: several apps that write at once lose nothing', async () => {
    const vault = await open();
    await Promise.all(['a', 'b', 'c'].map((name) => vault.write(name, keys(name))));
    const again = await open();
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await again.read(name))?.master))).toEqual([
      'a',
      'b',
      'c',
      undefined,
    ]);
  });

  it('I4: sealed, it shows no key, and is read with the key beside it alone', async () => {
    await (await open(true)).write('shop', keys('the-master-key'));
    expect(await readFile(path, 'utf8')).not.toContain('the-master-key');
    expect((await (await open(true, 2)).read('shop'))?.master).toBe('the-master-key');
    await writeFile(`${path}.key`, Buffer.alloc(32));
    await expect(open(true)).rejects.toThrow('sealed with another key');
    await writeFile(`${path}.key`, 'short');
    await expect(open(true)).rejects.toThrow('32 bytes');
  });

  it('I4: makes no new key for what another one sealed', async () => {
    await folder.write('data', { 'keys.json': '{"apps": "a.b.c"}' });
    await expect(open(true)).rejects.toThrow('is missing');
  });

  it('says which folder cannot be written', async () => {
    const vault = await open();
    await writeFile(join(folder.path, 'data'), '');
    await expect(vault.write('shop', keys('m'))).rejects.toThrow('cannot be written');
  });
});
