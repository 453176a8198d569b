import { buildFunctionIndex, type FunctionIndex, parseIndexedFunction } from '@switchyard/model';
import { type FakeFunction, toRpcFunctionMetadata } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { differenceOf, missingNames } from './function-difference.ts';

const indexOf = (...functions: readonly FakeFunction[]): FunctionIndex =>
  buildFunctionIndex(functions.map((one) => parseIndexedFunction(toRpcFunctionMetadata(one))));

describe('differenceOf', () => {
  test('finds none between equal lists, whatever their order and the case of names', () => {
    const one = indexOf({ name: 'a', functionId: '1' }, { name: 'b' }, { name: 'broken', bindings: [] });
    const other = indexOf({ name: 'broken', bindings: [] }, { name: 'b' }, { name: 'A', functionId: '1' });
    expect(differenceOf(one, other)).toBeUndefined();
    expect(differenceOf(undefined, undefined)).toBeUndefined();
  });

  test.each([
    ["'b' is missing", indexOf({ name: 'a' }, { name: 'b' }), indexOf({ name: 'a' })],
    ["'b' is new", indexOf({ name: 'a' }), indexOf({ name: 'a' }, { name: 'b' })],
    [
      "'a' has the id '2' instead of '1'",
      indexOf({ name: 'a', functionId: '1' }),
      indexOf({ name: 'a', functionId: '2' }),
    ],
    ['its functions were read from function.json, and this worker lists its own', undefined, indexOf()],
    ['this worker lists none and leaves it to function.json', indexOf({ name: 'a' }), undefined],
  ])('says that %s', (expected, known, offered) => {
    expect(differenceOf(known, offered)).toBe(expected);
  });
});

describe('missingNames', () => {
  test('looks at names alone, whatever their case, and at broken functions too', () => {
    const known = indexOf({ name: 'a', functionId: '1' }, { name: 'broken', bindings: [] });
    expect(
      missingNames(known, indexOf({ name: 'broken', bindings: [] }, { name: 'A', functionId: '2' })),
    ).toBeUndefined();
    expect(missingNames(known, indexOf({ name: 'a' }))).toBe("'broken' is missing");
    expect(missingNames(indexOf(), known)).toBe("'a' is new");
  });
});
