import { describe, expect, it } from 'vitest';
import { FakeFolders } from '../testing/fake-folders.ts';
import { listFiles, maxFiles } from './list-files.ts';
import { findSuspectScripts } from './suspect-scripts.ts';
import { createWatchRules } from './watch-rules.ts';

const rules = createWatchRules({
  main: undefined,
  outDir: undefined,
  extensions: ['.js'],
  fileNames: [],
  folders: [],
  ownFolders: [],
});

async function list(files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of listFiles(new FakeFolders('/app', files), '/app', rules)) found.push(path);
  return found;
}

describe('listFiles', () => {
  it('finds what matters, in every folder of the app’s own', async () => {
    const files = ['host.json', 'README.md', 'src/a.js', 'src/lib/b.js', 'node_modules/c.js', '.git/d.js'];
    expect(await list(files)).toEqual(['host.json', 'src/a.js', 'src/lib/b.js']);
  });

  it('follows no links', async () => {
    const folders = new FakeFolders('/app', ['src/a.js']);
    folders.link('/app/loop', '/app');
    const found: string[] = [];
    for await (const { path } of listFiles(folders, '/app', rules)) found.push(path);
    expect(found).toEqual(['src/a.js']);
  });

  it('ends at its limit', async () => {
    const many = Array.from({ length: maxFiles + 5 }, (_, index) => `${index}.js`);
    const stamp = { writtenMs: 1, sizeBytes: 1, identity: 1 };
    const folders = {
      list: async () => many.map((name) => ({ name, kind: 'file' as const })),
      stamp: async () => stamp,
    };
    let count = 0;
    for await (const _file of listFiles(folders, '/app', rules)) count += 1;
    expect(count).toBe(maxFiles);
  });
});

describe('findSuspectScripts', () => {
  it('begins with the script that was written last', async () => {
    const folders = new FakeFolders('/app', ['a.js', 'lib/b.js', 'host.json', 'c.ts']);
    folders.write('/app/a.js');
    expect(await findSuspectScripts(folders, '/app', rules)).toEqual(['/app/a.js', '/app/lib/b.js']);
  });
});
