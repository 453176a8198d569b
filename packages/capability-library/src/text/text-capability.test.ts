import { expect, test } from 'vitest';
import { jsonCapability } from '../json/json-capability.ts';
import { codeOf } from '../testing/code-of.ts';
import { methodsOf } from '../testing/methods-of.ts';
import { textCapability } from './text-capability.ts';

const settings = { name: 'text', version: '1.0.0', shard: 's', config: {}, statePath: null };
const text = methodsOf(await textCapability.create(settings));
const json = methodsOf(await jsonCapability.create(settings));

test('does what its list says', async () => {
  expect(await text('parseCsv', ['a;b', ';'])).toEqual([['a', 'b']]);
  expect(await text('formatCsv', [[['a', 'b,c']]])).toBe('a,"b,c"\r\n');
  expect(await text('encode', ['ü', 'hex'])).toBe('c3bc');
  expect(await text('decode', ['c3bc', 'hex'])).toEqual(new Uint8Array([0xc3, 0xbc]));
  expect(await text('canonicalJson', [{ b: [1, { d: 1, c: 2 }], a: 1 }])).toBe('{"a":1,"b":[1,{"c":2,"d":1}]}');
  expect(await text('fill', ['Hi {{name}}', { name: 'Ann' }])).toBe('Hi Ann');
  expect(await text('ngrams', ['aaa', 2, 4])).toHaveLength(4);
  expect(await json('pointer', [{ a: [1] }, '/a/0'])).toBe(1);
  expect(
    await json('equal', [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ]),
  ).toBe(true);
});

test.each([
  ['parseCsv', [1]],
  ['parseCsv', ['a', ',,']],
  ['formatCsv', [['a']]],
  ['formatCsv', [[[1]]]],
  ['encode', [{}, 'hex']],
  ['encode', ['a', 'rot13']],
  ['decode', ['a', '__proto__']],
  ['fill', ['{{a}}', []]],
  ['ngrams', ['a', 0, 4]],
  ['ngrams', ['a', 1, 1e9]],
])('%s refuses %j', async (method, parameters) => {
  expect(await codeOf(() => text(method, parameters))).toBe('PARAMETER_INVALID');
});
