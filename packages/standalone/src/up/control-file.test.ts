import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@switchyard/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { controlFileName, removeControlFile, writeControlFile } from './control-file.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const access = (token: string) => ({ endpoint: 'http://127.0.0.1:7072', token: new Secret(token) });

describe('writeControlFile', () => {
  it('writes for the owner alone, and replaces what was there', async () => {
    await writeControlFile(folder.path, access('old'));
    await writeControlFile(folder.path, access('new'));
    const path = join(folder.path, controlFileName);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ endpoint: 'http://127.0.0.1:7072', token: 'new' });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await removeControlFile(folder.path);
    await removeControlFile(folder.path);
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('says what keeps it from writing', async () => {
    const missing = join(folder.path, 'missing');
    await expect(writeControlFile(missing, access('x'))).rejects.toMatchObject({ code: 'DATA_FOLDER_UNWRITABLE' });
  });
});
