import { BinaryReader as LibraryReader, type WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BinaryReader } from './binary-reader.ts';

const reads = ['uint32', 'int32', 'int64', 'uint64', 'sint64', 'bool', 'float', 'double', 'bytes', 'string'] as const;
type Read = (typeof reads)[number];

type Outcome =
  | { readonly kind: 'value'; readonly value: unknown; readonly position: number }
  | { readonly kind: 'thrown' };

function outcome(reader: BinaryReader | LibraryReader, read: () => unknown): Outcome {
  try {
    const value = read();
    return { kind: 'value', value: value instanceof Uint8Array ? Array.from(value) : value, position: reader.pos };
  } catch {
    return { kind: 'thrown' };
  }
}

/** Bytes in which long varints and short lengths are likely, so that reads succeed about as often as they fail. */
const someBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 0x80, max: 0xff }), { minLength: 1, maxLength: 10 }),
      fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => [Buffer.byteLength(text), ...Buffer.from(text)]),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

describe('BinaryReader', () => {
  it('I1: reads what the library reads, or throws where it throws, for any bytes', () => {
    fc.assert(
      fc.property(someBytes, fc.array(fc.constantFrom<Read>(...reads), { maxLength: 8 }), (bytes, methods) => {
        const own = new BinaryReader(bytes);
        const library = new LibraryReader(bytes);
        for (const method of methods) {
          const expected = outcome(library, () => library[method]());
          // The library answers 64-bit numbers as text on machines without bigint; here they are bigints.
          expect(outcome(own, () => own[method]())).toEqual(expected);
          if (expected.kind === 'thrown') return;
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('I1: skips what the library skips', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(0, 1, 2, 5, 6, 7), (bytes, type) => {
        const own = new BinaryReader(bytes);
        const library = new LibraryReader(bytes);
        const expected = outcome(library, () => void library.skip(type as WireType));
        expect(outcome(own, () => own.skip(type))).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('I1: refuses groups', () => {
    const group = Uint8Array.of(0x08, 0x01, 0x0c);
    expect(() => new BinaryReader(group).skip(3)).toThrow('wire type 3');
    expect(() => new BinaryReader(group).skip(4)).toThrow('wire type 4');
  });

  it('I2: bytes are a view into the input, of its own kind', () => {
    const input = Uint8Array.of(2, 7, 8);
    const view = new BinaryReader(input).bytes();
    expect(view.buffer).toBe(input.buffer);
    expect(Buffer.isBuffer(view)).toBe(false);
    expect(Buffer.isBuffer(new BinaryReader(Buffer.from(input)).bytes())).toBe(true);
  });

  it('I2: a length beyond the input is refused, although the memory behind it goes on', () => {
    const memory = Buffer.from('\x05abcdefgh', 'latin1');
    const window = memory.subarray(0, 4);
    expect(() => new BinaryReader(window).bytes()).toThrow('in the middle of a field');
    expect(() => new BinaryReader(window).string()).toThrow('in the middle of a field');
    expect(() => new BinaryReader(memory.subarray(0, 7)).double()).toThrow('in the middle of a field');
  });
});
