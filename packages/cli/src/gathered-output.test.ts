import { describe, expect, it } from 'vitest';
import { GatheredOutput } from './gathered-output.ts';

function open() {
  const written: string[] = [];
  const turns: (() => void)[] = [];
  const target = { write: (text: string) => written.push(text), isTTY: true };
  const output = new GatheredOutput({ target, nextTurn: (callback) => turns.push(callback) });
  const turn = (): void => {
    for (const callback of turns.splice(0)) callback();
  };
  return { output, written, turn };
}

describe('GatheredOutput', () => {
  it('I1: writes what came in one turn as one, whole and in order', () => {
    const { output, written, turn } = open();
    output.write('one\n');
    output.write('two\n');
    expect(written).toEqual([]);
    turn();
    output.write('three\n');
    turn();
    turn();
    expect(written).toEqual(['one\ntwo\n', 'three\n']);
    expect(output.isTTY).toBe(true);
  });

  it('I1: writes at once when it is told to, and nothing twice', () => {
    const { output, written, turn } = open();
    output.write('last words');
    output.flush();
    turn();
    output.flush();
    expect(written).toEqual(['last words']);
  });

  it('I2: does not keep more than so much', () => {
    const { output, written } = open();
    for (let line = 0; line < 100; line += 1) output.write('x'.repeat(1_024));
    expect(written.map((text) => text.length)).toEqual([65_536]);
  });
});
