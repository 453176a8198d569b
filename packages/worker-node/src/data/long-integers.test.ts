import { InvocationRequest, type TypedData } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LongIntegers } from './long-integers.ts';

const request = (input: TypedData, metadata: TypedData = { data: undefined }): InvocationRequest => ({
  ...InvocationRequest.decode(new Uint8Array()),
  inputData: [{ name: 'a', rpcData: { $case: 'data', value: input } }],
  triggerMetadata: new Map([['b', metadata]]),
});

const text: TypedData = { data: { $case: 'string', value: 'x' } };
const int: TypedData = { data: { $case: 'int', value: 1n } };
const ints: TypedData = { data: { $case: 'collectionSint64', value: { sint64: [1n] } } };

describe('LongIntegers', () => {
  it('I1: asks to be loaded only for messages with 64-bit integers, and once', async () => {
    const longs = new LongIntegers();
    expect(longs.mustLoadFor(request(text))).toBe(false);
    expect(longs.mustLoadFor(request(int))).toBe(true);
    expect(longs.mustLoadFor(request(text, ints))).toBe(true);
    expect(() => longs.from(1n)).toThrow('is loaded before');
    await longs.load();
    expect(longs.mustLoadFor(request(int))).toBe(false);
  });

  it('I2: keeps every value of 64 bits', async () => {
    const longs = new LongIntegers();
    await longs.load();
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const long = longs.from(value);
        expect(String(long)).toBe(String(value));
        expect(long).toMatchObject({ unsigned: false });
        expect(Reflect.get(long, '__isLong__')).toBe(true);
      }),
    );
  });
});
