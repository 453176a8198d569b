import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDecoder } from './frame-decoder.ts';

function frame(stream: number, content: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(content.byteLength, 4);
  return Buffer.concat([header, content]);
}

/** Decodes pieces, and joins what came out by stream. */
function decode(pieces: readonly Buffer[]): Record<'stdout' | 'stderr', Buffer> {
  const out = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  const decoder = new FrameDecoder((stream, bytes) => {
    out[stream] = Buffer.concat([out[stream], bytes]);
  });
  for (const piece of pieces) decoder.write(piece);
  return out;
}

describe('FrameDecoder', () => {
  it('I1: gives the bytes of each stream whole and in order, however they were cut', () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 })), { maxLength: 12 });
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 12 }), (given, cuts) => {
        const bytes = Buffer.concat(given.map(([stream, content]) => frame(stream, content)));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const out = decode(places.map((end, index) => bytes.subarray(places[index - 1] ?? 0, end)));
        const joined = (wanted: number): Buffer =>
          Buffer.concat(given.filter(([stream]) => stream === wanted).map(([, content]) => content));
        expect(out.stdout).toEqual(joined(1));
        expect(out.stderr).toEqual(joined(2));
      }),
    );
  });

  it('I2: hands a part of a frame on at once, and holds back an open header alone', () => {
    const bytes = frame(1, Buffer.from('abcdef'));
    expect(decode([bytes.subarray(0, 7)]).stdout.length).toBe(0);
    expect(decode([bytes.subarray(0, 11)]).stdout.toString()).toBe('abc');
    expect(decode([bytes.subarray(0, 7), bytes.subarray(7, 9)]).stdout.toString()).toBe('a');
  });

  it('takes what was typed for stdout, and refuses streams that there are not', () => {
    expect(decode([frame(0, Buffer.from('x'))]).stdout.toString()).toBe('x');
    expect(() => decode([frame(72, Buffer.from('TTP/1.1'))])).toThrow('unknown stream 72');
  });
});
