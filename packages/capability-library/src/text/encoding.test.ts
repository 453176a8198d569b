import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, encode, encodings } from './encoding.ts';

test('decodes what it encoded', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom(...encodings), (bytes, encoding) => {
      expect(decode(encode(bytes, encoding), encoding)).toEqual(bytes);
    }),
  );
});

test.each([
  ['base64', 'a'],
  ['base64', 'ab=c'],
  ['base64', 'a-_b'],
  ['base64url', 'a+/b'],
  ['hex', 'abc'],
  ['hex', 'zz'],
] as const)('refuses what is not %s: %j', (encoding, text) => {
  expect(() => decode(text, encoding)).toThrow(`is not ${encoding}`);
});

test('takes base64 with and without padding, and in lines', () => {
  expect(Buffer.from(decode('aGVs\r\nbG8=', 'base64')).toString()).toBe('hello');
  expect(Buffer.from(decode('aGVsbG8', 'base64')).toString()).toBe('hello');
});
