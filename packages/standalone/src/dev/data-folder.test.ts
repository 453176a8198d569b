import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { DataFolder } from './data-folder.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

describe('DataFolder', () => {
  it('I1: makes the folder when it is needed, and not before', async () => {
    const data = new DataFolder(join(folder.path, 'app', '.switchyard'));
    expect(await readdir(folder.path)).toEqual([]);
    await Promise.all([data.prepare(), data.prepare()]);
    expect(await readdir(data.path)).toEqual(['.gitignore']);
  });

  it('I2: hides the folder from version control, and leaves what the user wrote there', async () => {
    const data = new DataFolder(folder.path);
    await data.prepare();
    expect(await readFile(join(folder.path, '.gitignore'), 'utf8')).toBe('*\n');
    await writeFile(join(folder.path, '.gitignore'), 'mine\n');
    await new DataFolder(folder.path).prepare();
    expect(await readFile(join(folder.path, '.gitignore'), 'utf8')).toBe('mine\n');
  });

  it('says which folder cannot be made, and tries again the next time', async () => {
    await writeFile(join(folder.path, 'taken'), '');
    const data = new DataFolder(join(folder.path, 'taken', 'data'));
    await expect(data.prepare()).rejects.toThrow(`'${data.path}' cannot be written`);
    await expect(data.prepare()).rejects.toThrow('cannot be written');
  });

  it('makes what is missing above it, for several at once, and nothing above what is there', async () => {
    const path = join(folder.path, 'a', 'b', 'c');
    await Promise.all([new DataFolder(path).prepare(), new DataFolder(join(folder.path, 'a', 'd')).prepare()]);
    expect(await readdir(folder.path, { recursive: true })).toEqual(
      expect.arrayContaining([join('a', 'b', 'c', '.gitignore'), join('a', 'd', '.gitignore')]),
    );
  });

  it.runIf(process.platform === 'linux')('gives up where nothing can ever be made', async () => {
    const data = new DataFolder('/proc/switchyard/data');
    await expect(data.prepare()).rejects.toThrow("'/proc/switchyard/data' cannot be written: ENOENT");
  });

  it('gives out places inside, and none where it cannot be', async () => {
    await writeFile(join(folder.path, 'taken'), '');
    const data = new DataFolder(join(folder.path, 'data'));
    expect(await data.folderFor('cache', 'shop')).toBe(join(data.path, 'cache', 'shop'));
    expect(await new DataFolder(join(folder.path, 'taken', 'data')).folderFor('cache')).toBeUndefined();
  });
});
