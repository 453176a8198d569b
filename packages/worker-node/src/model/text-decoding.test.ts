import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode } from './text-decoding.ts';

/** Text in four bytes per character. */
function toUtf32(text: string, littleEndian: boolean): Uint8Array {
  const points = [...text].map((character) => character.codePointAt(0) ?? 0);
  const view = new DataView(new ArrayBuffer(points.length * 4));
  for (const [index, point] of points.entries()) view.setUint32(index * 4, point, littleEndian);
  return new Uint8Array(view.buffer);
}

const texts = fc.string({ unit: 'grapheme' });

describe('decode', () => {
  it('reads what was written in each encoding', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const little = Buffer.from(text, 'utf16le');
        expect(decode(Buffer.from(text), 'utf8')).toBe(text);
        expect(decode(little, 'utf16le')).toBe(text);
        expect(decode(Buffer.from(little).swap16(), 'utf16be')).toBe(text);
        expect(decode(toUtf32(text, true), 'utf32le')).toBe(text);
        expect(decode(toUtf32(text, false), 'utf32be')).toBe(text);
      }),
    );
  });

  it('replaces what is no character and ignores a torn end', () => {
    expect(decode(Uint8Array.of(0, 0xd8, 0, 0, 0x41, 0, 0, 0, 0x42), 'utf32le')).toBe('\uFFFDA');
    expect(decode(Uint8Array.of(0xff), 'utf8')).toBe('\uFFFD');
  });
});
