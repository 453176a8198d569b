import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { GatheredOutput } from './gathered-output.ts';

function open() {
  const clock = new VirtualClock();
  const written: string[] = [];
  const turns: (() => void)[] = [];
  const target = { write: (text: string) => written.push(text), isTTY: true };
  const output = new GatheredOutput({ clock, target, nextTurn: (callback) => turns.push(callback) });
  const turn = (): void => {
    for (const callback of turns.splice(0)) callback();
  };
  return { clock, output, written, turn };
}

describe('GatheredOutput', () => {
  it('I1: writes what came in one turn as one, whole and in order', async () => {
    const { clock, output, written, turn } = open();
    output.write('one\n');
    output.write('two\n');
    expect(written).toEqual([]);
    turn();
    await clock.advance(10);
    output.write('three\n');
    turn();
    turn();
    expect(written).toEqual(['one\ntwo\n', 'three\n']);
    expect(output.isTTY).toBe(true);
  });

  it('I1: writes no more often than every ten milliseconds', async () => {
    const { clock, output, written, turn } = open();
    for (let line = 0; line < 25; line += 1) {
      output.write(`${line} `);
      turn();
      await clock.advance(1);
    }
    await clock.advance(10);
    expect(written.map((text) => text.trim().split(' ').length)).toEqual([1, 9, 10, 5]);
    expect(written.join('').trim().split(' ')).toEqual(Array.from({ length: 25 }, (_, line) => `${line}`));
  });

  it('I1: writes at once when it is told to, and nothing twice', async () => {
    const { clock, output, written, turn } = open();
    output.write('last words');
    output.flush();
    turn();
    output.flush();
    await clock.advance(20);
    expect(written).toEqual(['last words']);
  });

  it('I2: does not keep more than so much', () => {
    const { output, written } = open();
    for (let line = 0; line < 100; line += 1) output.write('x'.repeat(1_024));
    expect(written.map((text) => text.length)).toEqual([65_536]);
  });
});
