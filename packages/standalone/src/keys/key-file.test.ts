import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSeededRandom } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { KeyFile } from './key-file.ts';

let folder: TestFolder;
let path: string;
beforeEach(async () => {
  folder = await openTestFolder();
  path = join(folder.path, 'data', 'keys.json');
});
afterEach(() => folder.remove());

const open = (seed = 1): Promise<KeyFile> => KeyFile.open(path, createSeededRandom(seed));
const readApps = async () => JSON.parse(await readFile(path, 'utf8')).apps;

describe('KeyFile', () => {
  it('makes master, host and function keys that open what they should', async () => {
    const file = await open();
    const keys = await file.keysOf('shop');
    await file.addFunctions('shop', ['Hello', 'Other']);
    const { shop } = await readApps();
    expect(keys.levelOf(shop.master, 'Hello')).toBe('admin');
    expect(keys.levelOf(shop.host.default, 'Hello')).toBe('function');
    expect(keys.levelOf(shop.functions.Hello.default, 'Hello')).toBe('function');
    expect(keys.levelOf(shop.functions.Hello.default, 'Other')).toBeUndefined();
    expect(shop.master).toMatch(/^[\w-]{54}$/);
  });

  it('I1: keeps keys over restarts', async () => {
    const first = await open();
    await first.keysOf('shop');
    await first.addFunctions('shop', ['Hello']);
    const before = await readApps();
    const second = await open(2);
    const keys = await second.keysOf('shop');
    await second.addFunctions('shop', ['Hello', 'New']);
    const after = await readApps();
    expect(after.shop).toMatchObject(before.shop);
    expect(Object.keys(after.shop.functions)).toEqual(['Hello', 'New']);
    expect(keys.levelOf(after.shop.functions.New.default, 'New')).toBe('function');
  });

  it('I1: loses no key when several apps begin at once', async () => {
    const file = await open();
    await Promise.all(['a', 'b', 'c'].map((name) => file.keysOf(name)));
    expect(Object.keys(await readApps())).toEqual(['a', 'b', 'c']);
  });

  it.skipIf(process.platform === 'win32')('I2: lets only the owner read the file', async () => {
    await (await open()).keysOf('shop');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['no JSON', 'secret-key {', 'line 1'],
    ['no apps', '[]', "it has no object 'apps'"],
    ['half an app', '{"apps": {"shop": {"master": "m"}}}', "the keys of app 'shop'"],
    ['an empty key', '{"apps": {"shop": {"master": "m", "host": {"default": ""}, "functions": {}}}}', "app 'shop'"],
  ])('I3: refuses %s and leaves it as it is', async (_what, text, reason) => {
    await folder.write('data', { 'keys.json': text });
    const failure = await open().catch((error: Error) => error.message);
    expect(failure).toContain(path);
    expect(failure).toContain(reason);
    expect(failure).not.toContain('secret-key');
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('I4: keeps apps apart', async () => {
    const file = await open();
    const [one, two] = await Promise.all([file.keysOf('one'), file.keysOf('two')]);
    const apps = await readApps();
    expect(one.levelOf(apps.two.master, 'Hello')).toBeUndefined();
    expect(two.levelOf(apps.two.master, 'Hello')).toBe('admin');
  });

  it('says which folder cannot be written', async () => {
    await folder.write('.', { file: '' });
    const file = await KeyFile.open(join(folder.path, 'other', 'keys.json'), createSeededRandom(1));
    await writeFile(join(folder.path, 'other'), '');
    await expect(file.keysOf('shop')).rejects.toThrow('cannot be written');
  });
});
