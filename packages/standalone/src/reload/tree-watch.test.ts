import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDeferred } from '@switchyard/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { FakeFolders } from '../testing/fake-folders.ts';
import { nodeFolders } from './node-folders.ts';
import { TreeWatch } from './tree-watch.ts';

const root = '/app';
const entersFolder = (path: string): boolean => !path.split('/').includes('node_modules');

async function open(files: readonly string[], { maxFolders = 100, prepare = (_folders: unknown): void => {} } = {}) {
  const folders = new FakeFolders(root, files);
  prepare(folders);
  const told: string[] = [];
  const tree = new TreeWatch(folders, {
    root,
    entersFolder,
    maxFolders,
    onChange: (path) => told.push(path),
    onGone: (path) => told.push(`gone ${path}`),
    onFull: (path) => told.push(`full at ${path}`),
    onExhausted: (reason) => told.push(`exhausted: ${reason}`),
  });
  await tree.open();
  return { folders, tree, told };
}

describe('TreeWatch', () => {
  it('I1: reports changes in every folder that the rules enter, and only there', async () => {
    const { folders, told } = await open(['a.js', 'src/b.js', 'src/lib/c.js', 'node_modules/x/index.js']);
    expect(folders.watched).toEqual(['/app', '/app/src', '/app/src/lib']);
    for (const path of ['a.js', 'src/lib/c.js', 'src/new.js', 'node_modules/x/index.js']) folders.write(`/app/${path}`);
    folders.remove('/app/src/b.js');
    expect(told).toEqual(['a.js', 'src/lib/c.js', 'src/new.js', 'src/b.js']);
  });

  it('I1, I2: follows folders that come, with the files that came with them', async () => {
    const { folders, tree, told } = await open(['a.js']);
    folders.write('/app/lib/deep/b.js');
    await tree.settled();
    expect(told).toContain('lib/deep/b.js');
    told.length = 0;
    folders.write('/app/lib/deep/b.js');
    expect(told).toEqual(['lib/deep/b.js']);
  });

  it('I2: tells of a folder that goes, and watches another one of its name', async () => {
    const { folders, tree, told } = await open(['lib/a.js', 'lib/deep/b.js']);
    folders.remove('/app/lib');
    await tree.settled();
    expect(told).toContain('gone lib');
    expect(folders.watched).toEqual(['/app']);
    folders.write('/app/lib/a.js');
    await tree.settled();
    told.length = 0;
    folders.write('/app/lib/a.js');
    expect(told).toEqual(['lib/a.js']);
  });

  it('I3: enters a folder once, however many links lead to it', async () => {
    const { folders } = await open(['src/a.js'], {
      prepare: (fake) => {
        const folders = fake as FakeFolders;
        folders.link('/app/src/loop', '/app');
        folders.link('/app/alias', '/app/src');
        folders.link('/app/other', '/elsewhere');
      },
    });
    expect(folders.watched).toEqual(['/app', '/app/other', '/app/src']);
  });

  it('I4: watches no more folders than it may, and says so once', async () => {
    const { folders, tree, told } = await open(['a/1.js', 'b/1.js', 'c/1.js'], { maxFolders: 2 });
    expect(tree.size).toBe(2);
    folders.write('/app/d/1.js');
    await tree.settled();
    expect(told.filter((line) => line.startsWith('full'))).toHaveLength(1);
  });

  it.each(['ENOSPC', 'EMFILE'])('I5: ends with %s, once, and leaves no watch behind', async (code) => {
    const { folders, tree, told } = await open(['src/a.js']);
    folders.exhaust(code);
    folders.write('/app/lib/deep/b.js');
    await tree.settled();
    expect(told.filter((line) => line.startsWith('exhausted'))).toEqual([`exhausted: ${code}`]);
    expect(folders.watched).toEqual([]);
    told.length = 0;
    folders.write('/app/src/a.js');
    expect(told).toEqual([]);
  });

  it('I5: a watch that breaks ends it too, but not that of a folder that went', async () => {
    const { folders, tree, told } = await open(['src/a.js', 'lib/a.js']);
    folders.breakWatch('/app/lib', 'ENOENT');
    expect(told).toEqual([]);
    expect(tree.size).toBe(2);
    folders.breakWatch('/app/src', 'EIO');
    expect(told).toEqual(['exhausted: EIO']);
  });

  it('I5: reports nothing after it was closed', async () => {
    const { folders, tree, told } = await open(['src/a.js']);
    tree.close();
    tree.close();
    expect([folders.watched, tree.size]).toEqual([[], 0]);
    folders.write('/app/src/a.js');
    expect(told).toEqual([]);
  });
});

describe('TreeWatch on a real file system', () => {
  let folder: TestFolder;
  let tree: TreeWatch | undefined;
  beforeEach(async () => {
    folder = await openTestFolder();
  });
  afterEach(async () => {
    tree?.close();
    await folder.remove();
  });

  /** Resolves when a path is reported that the changes bring about. */
  async function watch(directory: string) {
    const waiting = new Map<string, () => void>();
    const heard = (path: string): void => waiting.get(path)?.();
    tree = new TreeWatch(nodeFolders, {
      root: directory,
      entersFolder,
      maxFolders: 100,
      onChange: heard,
      onGone: (path) => heard(`gone ${path}`),
      onFull: () => {},
      onExhausted: () => {},
    });
    await tree.open();
    return (path: string): Promise<void> => {
      const deferred = createDeferred<void>();
      waiting.set(path, deferred.resolve);
      return deferred.promise;
    };
  }

  it('I1, I2: sees writes, renames over a file, new and removed folders, and links', async () => {
    const root = await folder.write('app', { 'src/a.js': '', 'other/x.js': '' });
    await symlink(join(root, 'src'), join(root, 'loop'));
    const changed = await watch(root);
    const written = changed('src/a.js');
    await writeFile(join(root, 'src', 'a.js'), '1');
    await written;
    const replaced = changed('src/a.js');
    await writeFile(join(root, 'src', '.a.js.tmp'), '2');
    await rename(join(root, 'src', '.a.js.tmp'), join(root, 'src', 'a.js'));
    await replaced;
    const inNew = changed('lib/deep/b.js');
    await mkdir(join(root, 'lib', 'deep'), { recursive: true });
    await writeFile(join(root, 'lib', 'deep', 'b.js'), '');
    await inNew;
    await tree?.settled();
    const again = changed('lib/deep/b.js');
    await writeFile(join(root, 'lib', 'deep', 'b.js'), '1');
    await again;
    const gone = changed('gone other');
    await rm(join(root, 'other'), { recursive: true });
    await gone;
    expect(tree?.size).toBe(4);
  });
});
