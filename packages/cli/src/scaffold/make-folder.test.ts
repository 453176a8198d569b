import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { makeFolder } from './make-folder.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

describe('makeFolder', () => {
  it('makes what is missing, once and again, also for several at once', async () => {
    const path = join(folder.path, 'a', 'b', 'c');
    await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(path, '..', 'd'))]);
    await makeFolder(path);
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  it('says so where a file is in the way', async () => {
    await writeFile(join(folder.path, 'file'), '');
    await expect(makeFolder(join(folder.path, 'file'))).rejects.toThrow(/EEXIST/);
    await expect(makeFolder(join(folder.path, 'file', 'a'))).rejects.toThrow(/ENOTDIR/);
  });

  it.runIf(process.platform === 'linux')('comes to an end where no folder can be made', async () => {
    await expect(makeFolder('/proc/switchyard/app')).rejects.toThrow(/ENOENT/);
  });
});
