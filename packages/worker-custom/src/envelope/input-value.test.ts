import type { TypedData } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toInputJson } from './input-value.ts';

type Data = NonNullable<TypedData['data']>;

function read(data: Data | undefined): unknown {
  return JSON.parse(toInputJson({ data })) as unknown;
}

describe('toInputJson', () => {
  test.each<[string, Data | undefined, unknown]>([
    ['a text is a text that holds JSON', { $case: 'string', value: 'say "hi"' }, '"say \\"hi\\""'],
    ['an object stands as it is', { $case: 'json', value: ' {"a": [1, null]} ' }, { a: [1, null] }],
    ['a list is a text', { $case: 'json', value: '[1, "b"]' }, '[1,"b"]'],
    ['a number is a text', { $case: 'json', value: '17' }, '17'],
    ['a truth value is a text', { $case: 'json', value: 'true' }, 'true'],
    ['JSON null is a text', { $case: 'json', value: 'null' }, 'null'],
    ['a date is its own text', { $case: 'json', value: '"2024-05-01T10:00:00Z"' }, '2024-05-01T10:00:00Z'],
    ['what claims to be JSON and is not is a text', { $case: 'json', value: '{oops' }, '"{oops"'],
    ['bytes are base64', { $case: 'bytes', value: new Uint8Array([0, 255, 16]) }, 'AP8Q'],
    ['a stream is base64', { $case: 'stream', value: new Uint8Array([1]) }, 'AQ=='],
    ['a whole number is a text', { $case: 'int', value: 12345678901234567890n }, '12345678901234567890'],
    ['a fraction is a text', { $case: 'double', value: 0.5 }, '0.5'],
    ['nothing is the text null', undefined, 'null'],
    ['texts are a list in a text', { $case: 'collectionString', value: { string: ['a', 'b'] } }, '["a","b"]'],
    ['numbers are a list in a text', { $case: 'collectionDouble', value: { double: [1, 2.5] } }, '[1,2.5]'],
    ['big numbers too', { $case: 'collectionSint64', value: { sint64: [9007199254740993n] } }, '[9007199254740993]'],
    [
      'several bytes are a list of base64 in a text',
      { $case: 'collectionBytes', value: { bytes: [new Uint8Array([1])] } },
      '["AQ=="]',
    ],
  ])('%s', (_name, data, expected) => {
    expect(read(data)).toEqual(expected);
  });

  test('digits beyond 2^53 are kept', () => {
    const json = toInputJson({ data: { $case: 'json', value: '{"id":12345678901234567890,"rate":0.1}' } });
    expect(json).toBe('{"id":12345678901234567890,"rate":0.1}');
  });

  test('names like __proto__ are names', () => {
    expect(toInputJson({ data: { $case: 'json', value: '{"__proto__":{"a":1}}' } })).toBe('{"__proto__":{"a":1}}');
  });

  test('every text gives JSON', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom('json', 'string'), (value, $case) => {
        expect(() => read({ $case, value } as Data)).not.toThrow();
      }),
    );
  });
});
