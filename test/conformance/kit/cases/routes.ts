import assert from 'node:assert/strict';
import type { ConformanceCase } from '../contract.ts';

const section = '5 HTTP trigger: routes';

/** Constraint, a segment that fits, one that does not. */
const constraints: readonly (readonly [name: string, fits: readonly string[], not: readonly string[]])[] = [
  ['int', ['0', '7', '-5', '2147483647'], ['2147483648', 'abc', '1.5']],
  ['bool', ['true', 'false', 'TRUE'], ['yes', '1']],
  [
    'datetime',
    ['2024-01-31', '2024-01-31T10:20:30', '25-Dec-2009', 'Fri,25-Dec-2009', '10:20PM'],
    ['tomorrowish', '2024-13-01', '31-Feb-2009', 'Mon,25-Dec-2009'],
  ],
  ['decimal', ['1.5', '-3', '7'], ['abc']],
  ['double', ['1.5', '1e5', '-2'], ['abc']],
  ['float', ['1.5', '1e5'], ['abc']],
  [
    'guid',
    ['3f2504e0-4f89-11d3-9a0c-0305e82c3301', '3F2504E04F8911D39A0C0305E82C3301'],
    ['3f2504e0-4f89', 'not-a-guid'],
  ],
  ['long', ['9223372036854775807', '-1'], ['9223372036854775808', 'x']],
  ['minlength', ['abc', 'abcdef'], ['ab']],
  ['maxlength', ['a', 'abc'], ['abcd']],
  ['length', ['abc'], ['ab', 'abcd']],
  ['lengths', ['ab', 'abc', 'abcd'], ['a', 'abcde']],
  ['min', ['10', '11'], ['9', 'x']],
  ['max', ['10', '-1'], ['11', 'x']],
  ['range', ['5', '6', '7'], ['4', '8']],
  ['alpha', ['abc', 'ABC'], ['a1', 'a-b']],
  ['regex', ['k1', 'k12'], ['12', 'k', 'xk1']],
  ['required', ['anything'], ['']],
  ['chained', ['3', '5'], ['2', '6', 'abc']],
];

const constraintCases = constraints.flatMap(([name, fits, not]) => [
  ...fits.map(
    (segment): ConformanceCase => ({
      section,
      name: `{x:${name}} takes '${segment}'`,
      async run(kit) {
        const answer = await kit.function(`constraint/${name}/${segment}`);
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.json(), { function: `constraint_${name}`, params: { x: segment } });
      },
    }),
  ),
  ...not.map(
    (segment): ConformanceCase => ({
      section,
      name: `{x:${name}} does not take '${segment}'`,
      run: async (kit) => assert.equal((await kit.function(`constraint/${name}/${segment}`)).status, 404),
    }),
  ),
]);

/** Path, the function that gets it, and its parameters. */
const matches: readonly (readonly [path: string, name: string, params: Readonly<Record<string, string>>])[] = [
  ['shape/optional', 'shapeOptional', {}],
  ['shape/optional/1', 'shapeOptional', { x: '1' }],
  ['shape/optional-int', 'shapeOptionalInt', {}],
  ['shape/optional-int/4', 'shapeOptionalInt', { x: '4' }],
  ['shape/default', 'shapeDefault', { x: 'blue' }],
  ['shape/default/red', 'shapeDefault', { x: 'red' }],
  ['shape/rest/a', 'shapeRest', { path: 'a' }],
  ['shape/rest/a/b/c', 'shapeRest', { path: 'a/b/c' }],
  ['shape/pair/photo.png', 'shapePair', { name: 'photo', extension: 'png' }],
  ['shape/two/1/and/2', 'shapeTwo', { a: '1', b: '2' }],
  ['shape/MIXEDCASE/Kept', 'shapeCase', { Name: 'Kept' }],
  ['shape/mixedcase/Kept', 'shapeCase', { Name: 'Kept' }],
  ['shape/from-a-setting/9', 'shapeSetting', { x: '9' }],
  ['shape/a/b/c/d/e', 'shapeDeep', {}],
  ['shape/a/b/c/d/e/', 'shapeDeep', {}],
  ['order/literal', 'orderLiteral', {}],
  ['order/LITERAL', 'orderLiteral', {}],
  ['order/12', 'orderInt', { x: '12' }],
  ['order/word', 'orderAny', { x: 'word' }],
  ['order/a/b', 'orderRest', { rest: 'a/b' }],
  ['named_byItself', 'named_byItself', {}],
  ['NAMED_BYITSELF', 'named_byItself', {}],
  ['named_byItself?x=1', 'named_byItself', {}],
  ['onByDots', 'onByDots', {}],
  ['shape/two/a%20b/and/%C3%A9', 'shapeTwo', { a: 'a b', b: 'é' }],
];

const matchCases = matches.map(
  ([path, name, params]): ConformanceCase => ({
    section,
    name: `'${path}' goes to ${name}`,
    async run(kit) {
      const answer = await kit.function(path);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json(), { function: name, params });
    },
  }),
);

/** Method, path, status and why. */
const refusals: readonly (readonly [method: string, path: string, why: string])[] = [
  ['GET', 'no/such/function', 'no function has the route'],
  ['GET', 'shape/two/1/and', 'a segment is missing'],
  ['GET', 'shape/two/1/and/2/3', 'there is a segment too many'],
  ['GET', 'shape/optional/1/2', 'there is a segment too many'],
  ['GET', 'shape/optional-int/x', 'the optional parameter does not fit'],
  ['PUT', 'method/shared', 'no function of the route takes the method'],
  ['GET', 'method/delete-only', 'the function takes another method'],
  ['POST', 'named_byItself', 'the function takes another method'],
  ['GET', 'unknownKind', 'its trigger is of no known kind'],
];

const refusalCases = refusals.map(
  ([method, path, why]): ConformanceCase => ({
    section,
    name: `${method} '${path}' is 404: ${why}`,
    run: async (kit) => assert.equal((await kit.function(path, { method })).status, 404),
  }),
);

const methodCases = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map(
  (method): ConformanceCase => ({
    section,
    name: `${method} reaches a function that takes it`,
    async run(kit) {
      const answer = await kit.function('shape/a/b/c/d/e', { method });
      assert.equal(answer.status, 200);
    },
  }),
);

const otherCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'functions share a route where their methods differ',
    async run(kit) {
      const get = await kit.function('method/shared');
      const post = await kit.function('method/shared', { method: 'POST' });
      assert.deepEqual(
        [get, post].map((answer) => (answer.json() as { function: string }).function),
        ['methodGet', 'methodPost'],
      );
    },
  },
  {
    section,
    name: 'of two functions with the same route and method one serves it',
    async run(kit) {
      const answer = await kit.function('twins/here');
      assert.deepEqual(answer.json(), { function: 'twin_a', params: {} });
    },
  },
  {
    section,
    name: 'a path without the route prefix is 404',
    run: async (kit) => assert.equal((await kit.call('/named_byItself')).status, 404),
  },
  {
    section,
    name: 'the default prefix is not there beside the one of host.json',
    run: async (kit) => assert.equal((await kit.call('/api/named_byItself')).status, 404),
  },
  {
    section,
    name: 'the prefix takes any case',
    run: async (kit) => assert.equal((await kit.call('/KIT/V1/named_byItself')).status, 200),
  },
  {
    section,
    name: '/ is a page',
    async run(kit) {
      const answer = await kit.call('/');
      assert.equal(answer.status, 200);
      assert.match(String(answer.headers['content-type']), /^text\/html/);
    },
  },
  {
    section,
    name: 'a function whose route begins with admin is not served',
    run: async (kit) => assert.notEqual((await kit.admin('/kit/v1/admin/mine')).text.includes('underAdmin'), true),
  },
];

export const routeCases = [...constraintCases, ...matchCases, ...refusalCases, ...methodCases, ...otherCases];
