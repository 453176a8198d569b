import { createDeferred } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { FakeFolders } from '../testing/fake-folders.ts';
import { TreePoll } from './tree-poll.ts';
import { createWatchRules } from './watch-rules.ts';

const rules = createWatchRules({
  main: undefined,
  outDir: undefined,
  extensions: ['.js'],
  fileNames: [],
  folders: [],
  ownFolders: [],
});

async function open(files: readonly string[]) {
  const clock = new VirtualClock();
  const folders = new FakeFolders('/app', files);
  const told: string[] = [];
  const poll = new TreePoll(
    { clock, folders },
    { root: '/app', rules, restMs: 1_000, onChange: (path) => told.push(path) },
  );
  await poll.open();
  return { clock, folders, poll, told };
}

describe('TreePoll', () => {
  it('I1: reports files that were written, came or went', async () => {
    const { clock, folders, told } = await open(['a.js', 'src/b.js', 'src/c.js', 'node_modules/d.js', 'notes.txt']);
    await clock.advance(5_000);
    expect(told).toEqual([]);
    for (const path of ['src/b.js', 'src/new.js', 'node_modules/d.js', 'notes.txt']) folders.write(`/app/${path}`);
    folders.remove('/app/a.js');
    await clock.advance(1_000);
    expect(told.sort()).toEqual(['a.js', 'src/b.js', 'src/new.js']);
    await clock.advance(5_000);
    expect(told).toHaveLength(3);
  });

  it('I2: begins no walk before the one before has ended', async () => {
    const { clock, folders, told } = await open(['a.js']);
    const listed = createDeferred<void>();
    const list = folders.list.bind(folders);
    let walks = 0;
    folders.list = async (path) => {
      walks += 1;
      await listed.promise;
      return list(path);
    };
    folders.write('/app/a.js');
    await clock.advance(10_000);
    expect(walks).toBe(1);
    listed.resolve();
    await clock.settle();
    expect(told).toEqual(['a.js']);
    await clock.advance(1_000);
    expect(walks).toBe(2);
  });

  it('I3: reports nothing after it was closed, not even what a walk has found', async () => {
    const { clock, folders, poll, told } = await open(['a.js']);
    folders.write('/app/a.js');
    const due = clock.advance(1_000);
    poll.close();
    poll.close();
    await due;
    expect([told, clock.pendingTimers]).toEqual([[], 0]);
  });
});
