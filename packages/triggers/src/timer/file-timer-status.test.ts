import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSeededRandom } from '@switchyard/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { createMemoryTimerStatus } from '../testing/memory-timer-status.ts';
import { createFileTimerStatus } from './file-timer-status.ts';
import type { TimerStatus } from './timer-status.ts';
import type { TimerStatusStore } from './timer-status-store.ts';
import { testTimerStatusStore } from './timer-status-store-suite.ts';

const base = await mkdtemp(path.join(tmpdir(), 'timer-status-'));
const key = { applicationId: 'shop', hostId: 'host', functionName: 'Tick' };
const status: TimerStatus = { lastMs: 1, nextMs: 2, lastUpdatedMs: 3 };
const { signal } = new AbortController();
let roots = 0;

afterAll(() => rm(base, { recursive: true }));

function createStore(): { store: TimerStatusStore; root: string } {
  roots += 1;
  const root = path.join(base, String(roots), 'timers');
  return { store: createFileTimerStatus({ random: createSeededRandom(roots) }, root), root };
}

testTimerStatusStore('files', async () => createStore().store);
testTimerStatusStore('memory', async () => createMemoryTimerStatus());

describe('createFileTimerStatus', () => {
  it('uses the property names of the official host', async () => {
    const { store, root } = createStore();
    await store.write(key, { ...status, lastMs: undefined });
    const text = await readFile(path.join(root, 'shop', 'host', 'Tick.json'), 'utf8');
    expect(JSON.parse(text)).toEqual({
      Last: null,
      Next: '1970-01-01T00:00:00.002Z',
      LastUpdated: '1970-01-01T00:00:00.003Z',
    });
  });

  it('I1: readers beside many writers always see a whole status, and no draft stays behind', async () => {
    const { store, root } = createStore();
    await store.write(key, status);
    const writes = Array.from({ length: 50 }, (_, index) => store.write(key, { ...status, nextMs: index }));
    const reads = Array.from({ length: 50 }, () => store.read(key, signal));
    await Promise.all(writes);
    for (const read of await Promise.all(reads)) expect(read).toMatchObject({ lastMs: 1, lastUpdatedMs: 3 });
    expect(await readdir(path.join(root, 'shop', 'host'))).toEqual(['Tick.json']);
  });

  it.each(['..', '../..', 'a/b', '.', '', 'C:\\x', 'a\0b', '%2e%2e'])(
    'I2: a part %o of a key stays below the root',
    async (part) => {
      const { store, root } = createStore();
      await store.write({ applicationId: part, hostId: part, functionName: part }, status);
      const files = await readdir(root, { recursive: true, withFileTypes: true });
      expect(files.filter((file) => file.isFile())).toHaveLength(1);
      expect(await readdir(path.dirname(root))).toEqual(['timers']);
      expect(await store.read({ applicationId: part, hostId: part, functionName: part }, signal)).toEqual(status);
    },
  );

  it.each(['', '{', 'null', '{"Last":5}', '{"Last":"soon"}'])('names a file that holds %o', async (text) => {
    const { store, root } = createStore();
    await store.write(key, status);
    await writeFile(path.join(root, 'shop', 'host', 'Tick.json'), text);
    await expect(store.read(key, signal)).rejects.toThrow(/Tick\.json' cannot be read/);
  });
});
