import { describe, expect, it } from 'vitest';
import { LiveLines } from './live-lines.ts';

const never = new AbortController().signal;

async function readAll<Item>(lines: LiveLines<Item>, signal = never) {
  const read = [];
  for await (const item of lines.read(signal)) read.push(item);
  return read;
}

describe('LiveLines', () => {
  it('I1: gives items out in order, those that were there first and those that come', async () => {
    const lines = new LiveLines<number>(10);
    lines.add(1);
    const reading = readAll(lines);
    await Promise.resolve();
    lines.add(2);
    lines.add(3);
    lines.end();
    expect(await reading).toEqual([1, 2, 3]);
  });

  it('I1, I2: keeps no more than its capacity, and says how many are missing', async () => {
    const lines = new LiveLines<number>(2);
    for (const item of [1, 2, 3, 4]) lines.add(item);
    const reader = lines.read(never);
    expect([await reader.next(), await reader.next(), await reader.next()].map(({ value }) => value)).toEqual([
      1,
      2,
      { dropped: 2 },
    ]);
    lines.add(5);
    expect((await reader.next()).value).toBe(5);
    await reader.return();
    lines.add(6);
    expect((await reader.next()).done).toBe(true);
  });

  it('I3: ends at once when the signal aborts', async () => {
    const lines = new LiveLines<number>(2);
    const controller = new AbortController();
    const reading = readAll(lines, controller.signal);
    await Promise.resolve();
    controller.abort();
    expect(await reading).toEqual([]);
    expect(await readAll(lines, controller.signal)).toEqual([]);
  });
});
