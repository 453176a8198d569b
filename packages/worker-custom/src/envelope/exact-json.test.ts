import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlainObject, parseExactJson } from './exact-json.ts';

describe('parseExactJson', () => {
  test.each([
    '{"id":12345678901234567890}',
    '[0.1000000000000000055511151231257827,1e400]',
    '{"a":[{"b":9007199254740993}],"c":"12345678901234567890"}',
    '{"__proto__":12345678901234567890}',
  ])('keeps %s as it stands', (text) => {
    expect(JSON.stringify(parseExactJson(text))).toBe(text);
  });

  test('numbers that a double holds stay numbers', () => {
    expect(parseExactJson('{"a":1.5,"b":"2023-01-01T00:00:00.123456789Z","c":1234567890123456}')).toEqual({
      a: 1.5,
      b: '2023-01-01T00:00:00.123456789Z',
      c: 1234567890123456,
    });
  });

  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parseExactJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('a number that was kept as text is no object', () => {
    expect(isPlainObject(parseExactJson('12345678901234567890'))).toBe(false);
    expect([{}, [], null, 'x'].map(isPlainObject)).toEqual([true, false, false, false]);
  });
});
