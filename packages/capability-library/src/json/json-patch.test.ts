import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyPatch, mergeJson } from './json-patch.ts';
import { canonicalJson, copyJson } from './json-value.ts';

/** Null prototypes aside, as a caller sees it. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test.each([
  [{ a: 1 }, [{ op: 'add', path: '/b', value: [] }], { a: 1, b: [] }],
  [[1, 2], [{ op: 'add', path: '/1', value: 9 }], [1, 9, 2]],
  [[1], [{ op: 'add', path: '/-', value: 2 }], [1, 2]],
  [[1], [{ op: 'add', path: '/1', value: 2 }], [1, 2]],
  [{ a: [1, 2, 3] }, [{ op: 'remove', path: '/a/1' }], { a: [1, 3] }],
  [{ a: [1, 2, 3] }, [{ op: 'replace', path: '/a/1', value: 9 }], { a: [1, 9, 3] }],
  [{ a: { b: 1 }, c: 2 }, [{ op: 'move', from: '/a/b', path: '/d' }], { a: {}, c: 2, d: 1 }],
  [
    { a: [1] },
    [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/b/-', value: 2 },
    ],
    { a: [1], b: [1, 2] },
  ],
  [{ a: 1 }, [{ op: 'replace', path: '', value: [1] }], [1]],
  [{ a: { x: 1, y: 2 } }, [{ op: 'test', path: '/a', value: { y: 2, x: 1 } }], { a: { x: 1, y: 2 } }],
])('%j patched with %j', (document, patch, result) => {
  const before = structuredClone(document);
  expect(plain(applyPatch(document, patch))).toEqual(result);
  expect(document).toEqual(before);
});

test.each([
  [{}, [{ op: 'remove', path: '/a' }], 'there is nothing'],
  [{}, [{ op: 'replace', path: '/a', value: 1 }], 'there is nothing'],
  [[1], [{ op: 'add', path: '/3', value: 1 }], 'no place in the list'],
  [[1], [{ op: 'replace', path: '/-', value: 1 }], 'there is nothing'],
  [{ a: 1 }, [{ op: 'add', path: '/a/b', value: 1 }], 'holds values'],
  [{ a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/a/b/c' }], 'into itself'],
  [{ a: 1 }, [{ op: 'test', path: '/a', value: 2 }], 'another one'],
  [{ a: 1 }, [{ op: 'add', path: '/b' }], "no 'value'"],
  [{ a: 1 }, [{ op: 'spin', path: '/b' }], 'must be one of'],
  [{ a: 1 }, {}, 'must be a list'],
])('%j refuses %j', (document, patch, reason) => {
  expect(() => applyPatch(document, patch)).toThrow(reason);
});

test('names the operation that cannot be done', () => {
  const patch = [
    { op: 'add', path: '/b', value: 1 },
    { op: 'remove', path: '/c' },
  ];
  expect(() => applyPatch({}, patch)).toThrow('Operation 1 of the patch');
});

test.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: [1] }, { a: { b: 1 } }, { a: { b: 1 } }],
  [[1], { a: 'b' }, { a: 'b' }],
  [{ a: { b: 1, c: 2 } }, { a: { b: null, d: 3 } }, { a: { c: 2, d: 3 } }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j merged with %j', (target, patch, result) => {
  expect(plain(mergeJson(target, patch))).toEqual(result);
});

test('no patch reaches a prototype', () => {
  const hostile: unknown = JSON.parse(
    '{ "__proto__": { "polluted": 1 }, "constructor": { "prototype": { "polluted": 1 } } }',
  );
  const merged = mergeJson({}, hostile);
  applyPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: 1 } }]);
  expect(() => applyPatch({}, [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }])).toThrow('nothing');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(Object.keys(merged ?? {})).toEqual(['__proto__', 'constructor']);
});

test('merging a document into nothing gives it back without its nulls, whatever it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const twice = mergeJson(mergeJson(null, value), value);
      expect(canonicalJson(twice)).toBe(canonicalJson(mergeJson(null, value)));
    }),
  );
});

test('what JSON cannot say is refused', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const value of [cycle, { a: undefined }, { a: 1n }, Number.NaN, new Map(), { a: () => 1 }])
    expect(() => copyJson(value, 'The value')).toThrow('The value cannot be used');
});
