import { PlatformError } from '@switchyard/kernel';
import { TypedData } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromTypedData, isNothing, jsonData, toTypedData } from './typed-data.ts';

describe('toTypedData', () => {
  it.each([
    [null, undefined],
    [undefined, undefined],
    ['', { $case: 'string', value: '' }],
    ['hello', { $case: 'string', value: 'hello' }],
    [1.5, { $case: 'double', value: 1.5 }],
    [Number.NaN, { $case: 'double', value: Number.NaN }],
    [7, { $case: 'json', value: '7' }],
    [12345678901234567890n, { $case: 'json', value: '12345678901234567890' }],
    [true, { $case: 'json', value: 'true' }],
    [['a', 1], { $case: 'json', value: '["a",1]' }],
    [{ a: { b: null } }, { $case: 'json', value: '{"a":{"b":null}}' }],
    [new Date(0), { $case: 'json', value: '"1970-01-01T00:00:00.000Z"' }],
    [() => 1, undefined],
  ])('sends %o as %o', (value, data) => {
    expect(toTypedData(value)).toEqual({ data });
  });

  it('sends bytes as they are', () => {
    const value = new Uint8Array([0, 255]);
    expect(toTypedData(value).data).toEqual({ $case: 'bytes', value });
  });
});

describe('fromTypedData', () => {
  it('gives every kind that a worker may answer with', () => {
    expect(fromTypedData(undefined)).toBeUndefined();
    expect(fromTypedData({ data: undefined })).toBeUndefined();
    expect(fromTypedData(jsonData('{"a":[1]}'))).toEqual({ a: [1] });
    expect(fromTypedData({ data: { $case: 'int', value: 5n } })).toBe(5);
    expect(fromTypedData({ data: { $case: 'int', value: 2n ** 60n } })).toBe(2n ** 60n);
    expect(fromTypedData({ data: { $case: 'double', value: 2.5 } })).toBe(2.5);
    expect(fromTypedData({ data: { $case: 'stream', value: new Uint8Array([1]) } })).toEqual(new Uint8Array([1]));
  });

  it('refuses what only the host may send, naming the type', () => {
    const collection: TypedData = { data: { $case: 'collectionString', value: { string: ['a'] } } };
    expect(() => fromTypedData(collection)).toThrow(/collectionString/);
  });

  it('refuses JSON that is not JSON', () => {
    expect(() => fromTypedData(jsonData('{'))).toThrow(PlatformError);
  });

  it('gives back any text, bytes or JSON over the wire', () => {
    const values = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array(),
      fc.jsonValue({ noUnicodeString: false }).filter((value) => value !== null && !Object.is(value, -0)),
    );
    fc.assert(
      fc.property(values, (value) => {
        const wire = TypedData.decode(TypedData.encode(toTypedData(value)).finish());
        const back = fromTypedData(wire);
        expect(back instanceof Uint8Array ? Uint8Array.from(back) : back).toEqual(
          value instanceof Uint8Array ? value : JSON.parse(JSON.stringify(value)),
        );
      }),
    );
  });
});

describe('isNothing', () => {
  it('knows the two ways to say nothing', () => {
    expect(isNothing(undefined)).toBe(true);
    expect(isNothing({ data: undefined })).toBe(true);
    expect(isNothing(jsonData(' null'))).toBe(true);
    expect(isNothing(jsonData('""'))).toBe(false);
    expect(isNothing({ data: { $case: 'string', value: '' } })).toBe(false);
  });
});
