import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { FakeFolders } from '../testing/fake-folders.ts';
import { AppWatch } from './app-watch.ts';
import { createWatchRules } from './watch-rules.ts';

const rules = createWatchRules({
  main: 'dist/*.js',
  outDir: 'dist',
  extensions: ['.js'],
  fileNames: [],
  folders: [],
  ownFolders: [],
});

async function open({ code, maxFolders = 100 }: { readonly code?: string; readonly maxFolders?: number } = {}) {
  const clock = new VirtualClock();
  const folders = new FakeFolders('/app', ['src/a.ts', 'dist/a.js', 'hello/function.json', 'README.md']);
  if (code !== undefined) folders.exhaust(code);
  const told: string[] = [];
  const notes: string[] = [];
  const watch = new AppWatch(
    { clock, folders },
    {
      directory: '/app',
      rules,
      onChange: (kind, path) => told.push(`${kind} ${path}`),
      onNote: (text) => notes.push(text),
      limits: { maxFolders },
    },
  );
  await watch.open();
  return { clock, folders, watch, told, notes };
}

describe('AppWatch', () => {
  it('I1: reports new versions and sources, and nothing else', async () => {
    const { folders, told } = await open();
    for (const path of ['src/a.ts', 'dist/a.js', 'README.md', 'host.json']) folders.write(`/app/${path}`);
    expect(told).toEqual(['source src/a.ts', 'version dist/a.js', 'version host.json']);
  });

  it.each([
    ['from the start', true],
    ['later', false],
  ])('I2: looks again and again when there are no watches %s, and says so once', async (_when, atOnce) => {
    const { clock, folders, told, notes } = await open(atOnce ? { code: 'ENOSPC' } : {});
    folders.exhaust('ENOSPC');
    folders.write('/app/lib/b.js');
    folders.write('/app/more/c.js');
    await clock.advance(2_000);
    folders.write('/app/dist/a.js');
    await clock.advance(2_000);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain('ENOSPC');
    expect(told).toContain('version dist/a.js');
  });

  it('says which folders are left out', async () => {
    const { notes } = await open({ maxFolders: 2 });
    expect(notes).toEqual([expect.stringContaining('Only 2 folders are watched')]);
  });

  it('I3: a folder that goes is a change of the app', async () => {
    const { clock, folders, told } = await open();
    folders.remove('/app/hello');
    await clock.settle();
    expect(told).toEqual(['version hello']);
  });

  it('reports nothing after it was closed, however it watched', async () => {
    for (const code of [undefined, 'ENOSPC']) {
      const { clock, folders, watch, told } = await open(code === undefined ? {} : { code });
      watch.close();
      watch.close();
      folders.write('/app/dist/a.js');
      await clock.advance(10_000);
      expect([told, folders.watched, clock.pendingTimers]).toEqual([[], [], 0]);
    }
  });
});
