import { BinaryWriter as LibraryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BinaryWriter } from './binary-writer.ts';

/** One call of a writer; `fork` holds what is written before its `join`. */
type Call =
  | { readonly kind: 'uint32' | 'int32' | 'float' | 'double'; readonly value: number }
  | { readonly kind: 'int64' | 'uint64' | 'sint64'; readonly value: bigint }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'fork'; readonly calls: readonly Call[] };

/** Any text: ASCII, other scripts, and halves of surrogate pairs, short and long. */
const anyText = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
  fc
    .tuple(fc.string({ unit: 'grapheme' }), fc.nat({ max: 6000 }))
    .map(([unit, times]) => unit.repeat(times).slice(0, 9000)),
);

/** Bytes beside the length from which on they are copied only at the end. */
const largeBytes = fc
  .tuple(fc.integer({ min: 65_530, max: 65_540 }), fc.nat({ max: 255 }))
  .map(([length, fill]) => new Uint8Array(length).fill(fill));

const { call } = fc.letrec<{ call: Call }>((tie) => ({
  call: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('uint32' as const), value: fc.nat({ max: 0xffff_ffff }) }),
    fc.record({ kind: fc.constant('int32' as const), value: fc.integer() }),
    fc.record({ kind: fc.constant('float' as const), value: fc.float() }),
    fc.record({ kind: fc.constant('double' as const), value: fc.double() }),
    fc.record({
      kind: fc.constantFrom('int64' as const, 'sint64' as const),
      value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    }),
    fc.record({ kind: fc.constant('uint64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ kind: fc.constant('bool' as const), value: fc.boolean() }),
    fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ kind: fc.constant('bytes' as const), value: largeBytes }),
    fc.record({ kind: fc.constant('string' as const), value: anyText }),
    fc.record({ kind: fc.constant('fork' as const), calls: fc.array(tie('call'), { maxLength: 6 }) }),
  ),
}));

function run(writer: BinaryWriter | LibraryWriter, calls: readonly Call[]): void {
  for (const each of calls) {
    switch (each.kind) {
      case 'fork':
        writer.fork();
        run(writer, each.calls);
        writer.join();
        break;
      case 'uint32':
      case 'int32':
      case 'float':
      case 'double':
        writer[each.kind](each.value);
        break;
      case 'int64':
      case 'uint64':
      case 'sint64':
        writer[each.kind](each.value);
        break;
      case 'bool':
        writer.bool(each.value);
        break;
      case 'bytes':
        writer.bytes(each.value);
        break;
      case 'string':
        writer.string(each.value);
        break;
    }
  }
}

describe('BinaryWriter', () => {
  it('I1: writes the bytes of the library for any sequence of calls', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
        const own = new BinaryWriter();
        const library = new LibraryWriter();
        run(own, calls);
        run(library, calls);
        expect(Buffer.compare(own.finish(), library.finish())).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('I1: grows for a message larger than its scratch buffer, and starts anew after finish', () => {
    const writer = new BinaryWriter();
    const library = new LibraryWriter();
    for (let round = 0; round < 2; round += 1) {
      for (const each of [writer, library])
        each.fork().bytes(Buffer.alloc(700_000, round)).string('é'.repeat(100_000)).join();
      expect(Buffer.compare(writer.finish(), library.finish())).toBe(0);
    }
  });

  it('I2: what finish returns stays as it is while other writers write', () => {
    const first = new BinaryWriter().string('first').finish();
    const second = new BinaryWriter();
    const third = new BinaryWriter();
    second.string('second');
    third.string('third');
    const results = [first, second.finish(), third.finish()];
    new BinaryWriter().bytes(Buffer.alloc(1000, 0xff)).finish();
    expect(results.map((bytes) => Buffer.from(bytes).toString('latin1', 1))).toEqual(['first', 'second', 'third']);
  });

  it('I2: what finish returns stays as it is when the bytes that were written change', () => {
    for (const length of [10, 100_000]) {
      const body = new Uint8Array(length).fill(1);
      const bytes = new BinaryWriter().bytes(body).finish();
      body.fill(2);
      expect(bytes.at(-1)).toBe(1);
    }
  });

  it('I2: a writer that is never finished disturbs no other', () => {
    const abandoned = new BinaryWriter().string('abandoned');
    const other = new BinaryWriter().string('other').finish();
    abandoned.string('more');
    expect(Buffer.from(other).toString('latin1', 1)).toBe('other');
  });

  it('refuses numbers that do not fit, and a join without a fork', () => {
    for (const value of [-1, 0.5, 2 ** 32, Number.NaN])
      expect(() => new BinaryWriter().uint32(value)).toThrow(RangeError);
    for (const value of [0.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN])
      expect(() => new BinaryWriter().int32(value)).toThrow(RangeError);
    expect(() => new BinaryWriter().join()).toThrow('join without fork');
  });
});
