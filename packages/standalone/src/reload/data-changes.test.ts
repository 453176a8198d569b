import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { DataChanges } from './data-changes.ts';

function open() {
  const clock = new VirtualClock();
  const files = new Map<string, string>();
  const notes: string[] = [];
  const data = new DataChanges({
    clock,
    read: async (path) => (files.has(path) ? Buffer.from(files.get(path) ?? '') : undefined),
    onNote: (text) => notes.push(text),
  });
  /** Writes the file and says whether that is a change. */
  const changes = async (path: string, content?: string): Promise<boolean> => {
    if (content === undefined) files.delete(path);
    else files.set(path, content);
    return (await data.realOf([path])).length > 0;
  };
  return { clock, data, notes, changes };
}

describe('DataChanges', () => {
  it('I1: sorts out data that is what it was', async () => {
    const { changes } = open();
    expect([
      await changes('api.json', 'one'),
      await changes('api.json', 'one'),
      await changes('api.json', 'two'),
      await changes('api.json', 'one'),
      await changes('api.json'),
      await changes('api.json'),
      await changes('api.json', 'one'),
    ]).toEqual([true, false, true, true, true, false, true]);
  });

  it('lets code through, whatever it is', async () => {
    const { data, changes } = open();
    expect([await changes('a.js', 'one'), await changes('a.js', 'one')]).toEqual([true, true]);
    await changes('b.json', 'one');
    expect(await data.realOf(['a.js', 'b.json', 'lib', 'c.mjs'])).toEqual(['a.js', 'lib', 'c.mjs']);
  });

  it('I2: ignores data that every start writes anew, and says so once', async () => {
    const { clock, notes, changes } = open();
    const counted: boolean[] = [];
    for (let round = 0; round < 20; round += 1) {
      counted.push(await changes('started.json', String(round)));
      await clock.advance(300);
    }
    expect(counted.filter(Boolean)).toHaveLength(11);
    expect(notes).toEqual([expect.stringContaining('started.json changes again and again')]);
  });

  it('I2: never ignores what a person saves now and then', async () => {
    const { clock, notes, changes } = open();
    for (let round = 0; round < 50; round += 1) {
      expect(await changes('local.settings.json', String(round))).toBe(true);
      await clock.advance(2_500);
    }
    expect(notes).toEqual([]);
  });

  it('I3: remembers only so many files', async () => {
    const { changes } = open();
    for (let index = 0; index < 1_001; index += 1) await changes(`${index}.json`, 'same');
    expect([await changes('999.json', 'same'), await changes('1000.json', 'same')]).toEqual([false, true]);
  });
});
