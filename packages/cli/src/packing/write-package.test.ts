import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { writePackage } from './write-package.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
  await folder.write({ 'a.js': 'abc', 'b.js': 'def' });
});
afterEach(() => folder.remove());

const file = (path: string, sizeBytes: number) => ({
  path,
  source: join(folder.path, path),
  sizeBytes,
  isExecutable: false,
});

const write = (files: Parameters<typeof writePackage>[0], signal?: AbortSignal) =>
  writePackage(files, join(folder.path, 'package.zip'), signal);

describe('writePackage', () => {
  it.each([
    ['longer', 2],
    ['shorter', 4],
  ])('notices a file that became %s since it was listed', async (_how, sizeBytes) => {
    await expect(write([file('a.js', sizeBytes), file('b.js', 3)])).rejects.toThrow(
      `'${join(folder.path, 'a.js')}' changed while it was packed: ${sizeBytes} bytes were expected, and 3 found.`,
    );
  });

  it('names a file that is gone', async () => {
    await expect(write([file('a.js', 3), file('gone.js', 3)])).rejects.toMatchObject({
      code: 'PACK_FILE_UNREADABLE',
      message: expect.stringContaining('gone.js'),
    });
  });

  it('says when there is no room for the package', async () => {
    const target = join(folder.path, 'no', 'such', 'folder.zip');
    await expect(writePackage([file('a.js', 3)], target)).rejects.toThrow(`cannot be written to '${target}': ENOENT`);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const writing = write([file('a.js', 3), file('b.js', 3)], stop.signal);
    stop.abort(new Error('enough'));
    await expect(writing).rejects.toThrow('enough');
  });
});
