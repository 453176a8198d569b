import { describe, expect, it } from 'vitest';
import { count, toCell, toSize, toTable } from './table.ts';

describe('toTable', () => {
  it('makes columns as wide as they need to be, with numbers at the right and no blanks at the end', () => {
    expect(
      toTable(
        ['A', 'NUMBER', 'LAST'],
        [
          ['long text', 7, ''],
          ['', 1_234_567, 'x'],
        ],
      ),
    ).toBe('A          NUMBER   LAST\nlong text        7\n           1234567  x\n');
    expect(toTable(['A'], [])).toBe('A\n');
  });
});

it('puts texts on one line, and cuts long ones', () => {
  expect(toCell(' It\nfailed \t twice. ')).toBe('It failed twice.');
  expect(toCell('x'.repeat(100))).toBe('x'.repeat(100));
  expect(toCell('x'.repeat(101))).toBe(`${'x'.repeat(97)}...`);
});

describe('toSize', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [99_940, '99.9 kB'],
    [999_400, '999 kB'],
    [999_600, '1.0 MB'],
    [5e12, '5000 GB'],
  ])('writes %d as %s', (sizeBytes, text) => {
    expect(toSize(sizeBytes)).toBe(text);
  });
});

it('counts things', () => {
  expect([count(0, 'file'), count(1, 'file'), count(2, 'file')]).toEqual(['0 files', '1 file', '2 files']);
});
