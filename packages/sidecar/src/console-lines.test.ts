import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConsoleLines } from './console-lines.ts';

function linesOf(chunks: readonly Uint8Array[], maxLength = 1_000): string[] {
  const lines: string[] = [];
  const reader = new ConsoleLines(maxLength, (line) => lines.push(line));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('ConsoleLines', () => {
  it('I1: cuts at both kinds of line ends and keeps empty lines', () => {
    expect(linesOf([bytes('one\r\n\ntwo\n')])).toEqual(['one', '', 'two']);
  });

  it('I1: gives the same lines however the bytes are chunked', () => {
    const text = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '\r\n', '\r', 'ä', '🚂')));
    fc.assert(
      fc.property(text, fc.array(fc.nat()), (parts, places) => {
        const whole = bytes(parts.join(''));
        expect(linesOf(cut(whole, places))).toEqual(linesOf([whole]));
      }),
    );
  });

  it('I2: sends a longer line in pieces, and nothing of it is lost', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 1, max: 7 }), (text, maxLength) => {
        const line = text.replace(/[\r\n\uFEFF]/g, '');
        const pieces = linesOf([bytes(line), bytes('\n')], maxLength);
        expect(pieces.join('')).toBe(line);
        for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(maxLength);
      }),
    );
  });

  it('I2: sends pieces of a line that never ends, so that no more than one piece stays in memory', () => {
    const lines: string[] = [];
    const reader = new ConsoleLines(10, (line) => lines.push(line));
    for (let round = 0; round < 10; round += 1) reader.push(bytes('0123456789'));
    expect(lines.join('').length).toBeGreaterThanOrEqual(89);
  });

  it('I2: does not cut a character in two', () => {
    expect(linesOf([bytes('ab🚂cd\n')], 3)).toEqual(['ab', '🚂c', 'd']);
  });

  it('I3: sends the last line without a line end, once', () => {
    const lines: string[] = [];
    const reader = new ConsoleLines(100, (line) => lines.push(line));
    reader.push(bytes('first\nlast'));
    reader.end();
    reader.end();
    reader.push(bytes('late\n'));
    expect(lines).toEqual(['first', 'last']);
  });

  it('I3: adds no empty line after a closing line end', () => {
    expect(linesOf([bytes('only\n')])).toEqual(['only']);
  });
});
