import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPointer, parsePointer, valueAt } from './json-pointer.ts';

const sample = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'm~n': 8, deep: { list: [{ x: null }] } };

test.each([
  ['', sample],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/m~0n', 8],
  ['/deep/list/0/x', null],
  ['/foo/2', undefined],
  ['/foo/01', undefined],
  ['/foo/-', undefined],
  ['/nothing/there', undefined],
  ['/__proto__', undefined],
  ['/constructor/name', undefined],
  ['/foo/length', undefined],
])('finds at %j', (pointer, value) => {
  expect(valueAt(sample, pointer)).toEqual(value);
});

test('refuses what is no pointer', () => {
  expect(() => valueAt({}, 'foo')).toThrow("does not begin with '/'");
  expect(() => valueAt({}, '/a~2')).toThrow("'~'");
});

test('reads back the parts that it wrote', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('~', '/', '0', '1', 'a') })), (parts) => {
      expect(parsePointer(formatPointer(parts))).toEqual(parts);
    }),
  );
});
