import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { memoryConnection } from '../testing/storage.ts';
import { StorageLogReader } from './storage-log-reader.ts';

const { signal } = new AbortController();
const startMs = Date.UTC(2026, 0, 31, 17, 5);

function rig() {
  const clock = new VirtualClock(startMs);
  const blobs = new MemoryBlobs(clock);
  const logs = blobs.open(memoryConnection, '$logs');
  const reader = new StorageLogReader({ clock, random: createSeededRandom(1), logs });
  const put = (file: string, names: readonly string[], types = 'read,write,delete'): void => {
    const lines = names.map(
      (name) => `1.0;t;PutBlob;Success;201;1;1;authenticated;shop;shop;blob;"u";"/shop/in/${name}";"id"`,
    );
    blobs.put(memoryConnection, `$logs/blob/2026/01/31/${file}`, `${lines.join('\n')}\n`, { LogType: types });
  };
  const read = async (): Promise<readonly string[]> => (await reader.writes(signal)).map(({ blob }) => blob);
  return { clock, blobs, put, read };
}

describe('StorageLogReader', () => {
  it('I1: tells of each line once, of a file that grows too', async () => {
    const { put, read } = rig();
    put('1700/000000.log', ['a', 'b']);
    expect(await read()).toEqual(['a', 'b']);
    expect(await read()).toEqual([]);
    put('1700/000000.log', ['a', 'b', 'c']);
    put('1700/000001.log', ['d']);
    expect(await read()).toEqual(['c', 'd']);
  });

  it('I1: leaves a line alone that is not complete yet', async () => {
    const { blobs, put, read } = rig();
    blobs.put(memoryConnection, '$logs/blob/2026/01/31/1700/000000.log', '1.0;t;PutBl', { LogType: 'write' });
    expect(await read()).toEqual([]);
    put('1700/000000.log', ['a']);
    expect(await read()).toEqual(['a']);
  });

  it('I2: reads this hour and the one before, and files with writes alone', async () => {
    const { clock, blobs, put, read } = rig();
    put('1500/000000.log', ['old']);
    put('1600/000000.log', ['earlier']);
    put('1700/000000.log', ['now']);
    put('1700/000001.log', ['nobody'], 'read,delete');
    expect(await read()).toEqual(['earlier', 'now']);
    await clock.advance(3_600_000);
    put('1800/000000.log', ['later']);
    expect(await read()).toEqual(['later']);
    expect(blobs.requests.filter((request) => request.includes('1500'))).toEqual([]);
  });

  it('I2: passes over a file that is too long', async () => {
    const { blobs, put, read } = rig();
    blobs.put(memoryConnection, '$logs/blob/2026/01/31/1700/000000.log', new Uint8Array(33 * 1_048_576), {
      LogType: 'write',
    });
    put('1700/000001.log', ['a']);
    expect(await read()).toEqual(['a']);
  });

  it('I3: asks seldom where there are no logs', async () => {
    const { clock, blobs, put, read } = rig();
    expect([await read(), await read()]).toEqual([[], []]);
    expect(blobs.count('list')).toBe(2);
    put('1700/000000.log', ['a']);
    await clock.advance(299_999);
    expect(await read()).toEqual([]);
    await clock.advance(1);
    expect(await read()).toEqual(['a']);
  });

  it('says that the logs cannot be read', async () => {
    const { clock, blobs, read } = rig();
    blobs.fault = () => Promise.reject(new Error('away'));
    const outcome = read().then(
      () => 'read',
      () => 'rejected',
    );
    expect(await clock.runUntil(outcome)).toBe('rejected');
  });
});
