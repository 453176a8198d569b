import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { writeFiles } from './write-files.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const files = [
  { path: 'a.txt', text: 'a' },
  { path: 'deep/b.txt', text: 'b' },
];
const refuse = { existing: 'refuse', what: 'folder' } as const;

describe('writeFiles', () => {
  it('writes into folders that are not there yet', async () => {
    const written = await writeFiles(join(folder.path, 'app'), files, refuse);
    expect(written).toEqual({ written: ['a.txt', 'deep/b.txt'], kept: [] });
    expect(await folder.read('app/deep/b.txt')).toBe('b');
  });

  it('writes nothing when one of the files is there, and names it', async () => {
    await folder.write({ 'deep/b.txt': 'mine' });
    await expect(writeFiles(folder.path, files, refuse)).rejects.toThrow(
      `'${join(folder.path, 'deep/b.txt')}' exists already, and nothing is overwritten`,
    );
    await expect(folder.read('a.txt')).rejects.toThrow('ENOENT');
    expect(await folder.read('deep/b.txt')).toBe('mine');
  });

  it('leaves what is there when asked, and writes the rest', async () => {
    await folder.write({ 'a.txt': 'mine' });
    const written = await writeFiles(folder.path, files, { existing: 'keep', what: 'folder' });
    expect(written).toEqual({ written: ['deep/b.txt'], kept: ['a.txt'] });
    expect(await folder.read('a.txt')).toBe('mine');
  });

  it('does not write through a link that leads nowhere', async () => {
    await symlink(join(folder.path, 'elsewhere'), join(folder.path, 'a.txt'));
    await expect(writeFiles(folder.path, files, refuse)).rejects.toThrow('exists already');
    await expect(folder.read('elsewhere')).rejects.toThrow('ENOENT');
  });

  it('names the file that cannot be written', async () => {
    await folder.write({ deep: 'a file' });
    await expect(writeFiles(folder.path, files, refuse)).rejects.toThrow(
      `'${join(folder.path, 'deep/b.txt')}' cannot be written`,
    );
  });
});
