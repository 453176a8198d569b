import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { PackageSweeper } from './package-sweeper.ts';

function open(options: { readonly fails?: boolean } = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  /** Newest first; the oldest one still has traffic. */
  const versions = ['five', 'four', 'three', 'two', 'one'];
  const stored = new Set(['five', 'four', 'three', 'two', 'one', 'nobody']);
  const removed: string[] = [];
  let collections = 0;
  const sweeper = new PackageSweeper(
    {
      clock,
      log,
      catalog: {
        applications: { list: () => [{ applicationId: 'shop' }] as never },
        versions: {
          list: () => versions.map((codeVersion) => ({ codeVersion })) as never,
          remove(_applicationId, codeVersion) {
            if (codeVersion !== 'one') versions.splice(versions.indexOf(codeVersion), 1);
            return undefined as never;
          },
        },
      },
      async collect() {
        collections += 1;
        if (options.fails === true && collections === 1) throw new Error('the disk is away');
        const gone = [...stored].filter((sha256) => !versions.includes(sha256));
        for (const sha256 of gone) stored.delete(sha256);
        return gone;
      },
      unpackedIn: () => ['a', 'b'],
      removeTree: async (path) => void removed.push(path),
    },
    { intervalMs: 3_600_000, keptVersions: 2 },
  );
  return { clock, log, sweeper, stored, removed, collections: () => collections };
}

describe('PackageSweeper', () => {
  it('I1: keeps the newest versions and what has traffic, with their packages', async () => {
    const { sweeper, stored, removed } = open();
    await sweeper.sweep();
    expect([...stored]).toEqual(['five', 'four', 'one']);
    expect(removed).toEqual(['a/three', 'b/three', 'a/two', 'b/two', 'a/nobody', 'b/nobody']);
  });

  it('I2: joins a sweep that runs, and tries again after one that failed', async () => {
    const { clock, log, sweeper, stored, collections } = open({ fails: true });
    sweeper.start();
    await sweeper.sweep();
    expect(collections()).toBe(1);
    expect(log.records.map(({ level, fields }) => [level, fields.error])).toEqual([['warning', 'the disk is away']]);
    await clock.advance(3_600_000);
    expect([collections(), stored.size]).toEqual([2, 3]);
  });

  it('I3: does nothing after its close', async () => {
    const { clock, sweeper, collections } = open();
    sweeper.start();
    await sweeper.close();
    await clock.advance(10_000_000);
    await sweeper.sweep();
    expect(collections()).toBe(1);
  });
});
