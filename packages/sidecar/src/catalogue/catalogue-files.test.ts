import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { CatalogueFiles } from './catalogue-files.ts';
import { nodeCatalogueFiles } from './node-catalogue-files.ts';
import { createMemoryFiles } from './testing/memory-files.ts';

const roots: string[] = [];
afterAll(() => Promise.all(roots.map((root) => rm(root, { recursive: true }))));

async function createFolder(texts: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'catalogue-files-'));
  roots.push(root);
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

catalogueFilesSuite('the machine', async (texts) => ({ files: nodeCatalogueFiles, root: await createFolder(texts) }));

catalogueFilesSuite('memory', async (texts) => ({
  files: createMemoryFiles(Object.fromEntries(Object.entries(texts).map(([path, text]) => [`/root/${path}`, text]))),
  root: '/root',
}));

test('a link to a folder is a folder, and one to nothing is none', async () => {
  const root = await createFolder({ 'real/inside/file.txt': '', 'links/plain.txt': '' });
  await symlink(join(root, 'real'), join(root, 'links', 'linked'));
  await symlink(join(root, 'nowhere'), join(root, 'links', 'broken'));
  expect(await nodeCatalogueFiles.listFolders(join(root, 'links'))).toEqual(['linked']);
});

/** What every file system that the catalogue may stand on must do. */
function catalogueFilesSuite(
  name: string,
  open: (texts: Readonly<Record<string, string>>) => Promise<{ readonly files: CatalogueFiles; readonly root: string }>,
): void {
  const texts = { 'workers/b/worker.config.json': '{"ü":1}', 'workers/a/x/y.txt': '', 'workers/note.txt': 'n' };

  describe(`${name} as the catalogue's files`, () => {
    test('a file has its text', async () => {
      const { files, root } = await open(texts);
      expect(await files.readText(`${root}/workers/b/worker.config.json`)).toBe('{"ü":1}');
      expect(await files.readText(`${root}/workers/a/x/y.txt`)).toBe('');
    });

    test('nothing, and what is no file, has no text', async () => {
      const { files, root } = await open(texts);
      expect(await files.readText(`${root}/workers/missing.json`)).toBeUndefined();
      expect(await files.readText(`${root}/workers/b`)).toBeUndefined();
      expect(await files.readText(`${root}/workers/note.txt/deeper`)).toBeUndefined();
    });

    test('a folder lists its folders, sorted, and no files', async () => {
      const { files, root } = await open(texts);
      expect(await files.listFolders(`${root}/workers`)).toEqual(['a', 'b']);
      expect(await files.listFolders(`${root}/workers/`)).toEqual(['a', 'b']);
      expect(await files.listFolders(`${root}/workers/b`)).toEqual([]);
    });

    test('nothing, and what is no folder, lists nothing', async () => {
      const { files, root } = await open(texts);
      expect(await files.listFolders(`${root}/elsewhere`)).toBeUndefined();
      expect(await files.listFolders(`${root}/workers/note.txt`)).toBeUndefined();
    });

    test('only files are files', async () => {
      const { files, root } = await open(texts);
      const found = ['workers/note.txt', 'workers/a', 'workers/missing'].map((path) =>
        files.hasFile(`${root}/${path}`),
      );
      expect(await Promise.all(found)).toEqual([true, false, false]);
    });
  });
}
