import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuery } from './query.ts';

describe('parseQuery', () => {
  it.each([
    ['', []],
    ['a=1', [['a', '1']]],
    ['a', [['a', '']]],
    [
      'a=&b',
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    ['&&a=1&', [['a', '1']]],
    ['=x', [['', 'x']]],
    ['a=b=c', [['a', 'b=c']]],
    ['a=1&a=2', [['a', '1,2']]],
    [
      'Name=1&name=2&x=3',
      [
        ['Name', '1,2'],
        ['x', '3'],
      ],
    ],
    [
      'a=x+y%20z&b=%C3%A9',
      [
        ['a', 'x y z'],
        ['b', 'é'],
      ],
    ],
    [
      'a=%zz&b=%',
      [
        ['a', '%zz'],
        ['b', '%'],
      ],
    ],
    [
      '__proto__=1&constructor=2',
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    ],
  ])('reads %o', (search, expected) => {
    expect([...parseQuery(search)]).toEqual(expected);
  });

  it('replaces bytes that are no UTF-8 instead of failing', () => {
    expect(parseQuery('a=%ff').get('a')).toBe('\ufffd');
  });

  it('agrees with URLSearchParams wherever names are different', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'binary' }), { selector: (name) => name.toLowerCase() });
    fc.assert(
      fc.property(names, fc.string({ unit: 'binary' }), (keys, value) => {
        const search = new URLSearchParams(keys.map((key): [string, string] => [key, value])).toString();
        expect([...parseQuery(search)]).toEqual([...new URLSearchParams(search)]);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (search) => void parseQuery(search)));
  });
});
