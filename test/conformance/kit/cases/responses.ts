import assert from 'node:assert/strict';
import type { ConformanceCase } from '../contract.ts';

const section = '5 HTTP trigger: responses';

/** The fixture's answer, its status, its content type (undefined: none) and its body. */
const answers: readonly (readonly [name: string, status: number, type: RegExp | undefined, body: string])[] = [
  ['nothing', 204, undefined, ''],
  ['empty', 200, undefined, ''],
  ['text', 200, /^text\/plain/, 'grüße'],
  ['emptyText', 200, undefined, ''],
  ['html', 200, /^text\/html$/, '<p>hi</p>'],
  ['json', 200, /^application\/json$/, '{"a":[1,{"b":null}],"ü":"ü"}'],
  ['jsonText', 200, /^application\/json$/, '"text"'],
  ['jsonNumber', 200, /^application\/json$/, '42'],
  ['problem', 200, /^application\/problem\+json$/, '[1]'],
  ['form', 200, /^application\/x-www-form-urlencoded/, 'a=1&b=%C3%BC'],
  ['classic', 418, /^text\/plain/, 'teapot'],
  ['created', 201, undefined, ''],
  ['moved', 302, undefined, ''],
  ['noContent', 204, undefined, ''],
  ['notModified', 304, undefined, ''],
  ['refused', 403, /^text\/plain/, 'no'],
  ['missing', 404, /^text\/plain/, 'nothing here'],
  ['failed', 500, /^text\/plain/, 'mine'],
  ['odd', 599, undefined, ''],
  ['throws', 500, undefined, ''],
  ['rejects', 500, undefined, ''],
  ['noOutput', 200, undefined, ''],
];
const answerCases = answers.flatMap(([name, status, type, body]): ConformanceCase[] => [
  {
    section,
    name: `${name} has the status ${status} and its body`,
    async run(kit) {
      const answer = await kit.function(`answer/${name}`);
      assert.deepEqual([answer.status, answer.text], [status, body]);
    },
  },
  ...(type === undefined
    ? []
    : [
        {
          section,
          name: `${name} has the content type ${type.source}`,
          run: async (kit) =>
            assert.match(String((await kit.function(`answer/${name}`)).headers['content-type']), type),
        } satisfies ConformanceCase,
      ]),
]);

const cookies: readonly (readonly [name: string, expected: readonly RegExp[]])[] = [
  ['cookie', [/^plain=v; path=\/$/i]],
  [
    'cookieFull',
    [/^full=v;/, /expires=Wed, 02 Jan 2030 03:04:05 GMT/i, /max-age=60/i, /domain=example\.org/i, /path=\/p/i],
  ],
  ['cookieFull', [/; secure/i, /; httponly/i, /samesite=lax/i]],
  ['cookieStrict', [/samesite=strict/i]],
];
const cookieCases = cookies.map(
  ([name, expected]): ConformanceCase => ({
    section,
    name: `${name} is written with ${expected.map(({ source }) => source).join(' ')}`,
    async run(kit) {
      const written = (await kit.function(`answer/${name}`)).headers['set-cookie'] ?? [];
      for (const pattern of expected) assert.match(written[0] ?? '', pattern);
    },
  }),
);

const headers: readonly (readonly [answer: string, name: string, value: string])[] = [
  ['headers', 'x-one', '1'],
  ['headers', 'x-two', 'two'],
  ['created', 'location', '/somewhere'],
  ['moved', 'location', 'https://example.org/'],
  ['notModified', 'etag', '"1"'],
  ['classic', 'x-kind', 'HttpResponse'],
  ['text', 'content-length', '7'],
];
const headerCases = headers.map(
  ([answer, name, value]): ConformanceCase => ({
    section,
    name: `${answer} carries the header ${name}`,
    run: async (kit) => assert.equal((await kit.function(`answer/${answer}`)).headers[name], value),
  }),
);

const otherCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'bytes are as they were',
    run: async (kit) => assert.deepEqual([...(await kit.function('answer/bytes')).bytes], [0, 255, 10, 13]),
  },
  {
    section,
    name: 'bytes have the type that the function names',
    async run(kit) {
      const answer = await kit.function('answer/image');
      assert.equal(answer.headers['content-type'], 'image/png');
      assert.deepEqual([...answer.bytes], [137, 80, 78, 71]);
    },
  },
  {
    section,
    name: 'several cookies are several headers',
    run: async (kit) => assert.equal((await kit.function('answer/cookies')).headers['set-cookie']?.length, 2),
  },
  {
    section,
    name: 'HEAD has the head of the answer and no body',
    async run(kit) {
      const answer = await kit.function('answer/text', { method: 'HEAD' });
      assert.deepEqual([answer.status, answer.text], [200, '']);
      assert.match(String(answer.headers['content-type']), /^text\/plain/);
    },
  },
  {
    section,
    name: 'three megabytes of text arrive whole',
    run: async (kit) => assert.equal((await kit.function('answer/large')).bytes.length, 3_000_000),
  },
  {
    section,
    name: 'after a function that throws the next call is served',
    async run(kit) {
      assert.equal((await kit.function('answer/throws')).status, 500);
      assert.equal((await kit.function('answer/text')).status, 200);
    },
  },
];

export const responseCases = [...answerCases, ...cookieCases, ...headerCases, ...otherCases];
