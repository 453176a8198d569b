import assert from 'node:assert/strict';
import type { ConformanceCase, Kit } from '../contract.ts';

const section = '11 Custom handler';
const needs = ['custom'] as const;

interface Echo {
  readonly data: Record<string, Record<string, unknown>>;
  readonly metadata: Record<string, unknown>;
  readonly path: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly seen: string;
  readonly root: string;
}

async function echo(kit: Kit): Promise<Echo> {
  const headers = { 'x-caller': 'kit' };
  const answer = await kit.custom('/api/custom/echo/7?q=1', { headers, body: { fromBody: 'b' } });
  assert.equal(answer.status, 201, answer.text);
  return answer.json() as Echo;
}

const seen: readonly (readonly [what: string, check: (echo: Echo) => void])[] = [
  [
    'is called with POST at the name of the function',
    ({ method, path }) => assert.deepEqual([method, path], ['POST', '/Echo']),
  ],
  [
    'learns the invocation id from a header',
    ({ headers }) => assert.match(headers['x-azure-functions-invocationid'] ?? '', /^[0-9a-f-]{36}$/),
  ],
  [
    'learns the version of the host from a header',
    ({ headers }) => assert.ok(headers['x-azure-functions-hostversion']),
  ],
  [
    'sees the host by its user agent',
    ({ headers }) => assert.match(headers['user-agent'] ?? '', /^Azure-Functions-Host\//),
  ],
  ['gets the url of the request', ({ data }) => assert.match(String(data.req?.Url), /\/api\/custom\/echo\/7/)],
  ['gets its method', ({ data }) => assert.equal(data.req?.Method, 'POST')],
  ['gets its query', ({ data }) => assert.deepEqual(data.req?.Query, { q: '1' })],
  ['gets its route parameters', ({ data }) => assert.deepEqual(data.req?.Params, { x: '7' })],
  [
    'gets its headers',
    ({ data }) => assert.ok(JSON.stringify(data.req?.Headers).toLowerCase().includes('"x-caller":["kit"]')),
  ],
  ['gets its body', ({ data }) => assert.ok(JSON.stringify(data.req?.Body).includes('fromBody'))],
  ['gets the metadata of the trigger', ({ metadata }) => assert.ok('Headers' in metadata && 'sys' in metadata)],
  ['sees the app settings in its environment', (given) => assert.equal(given.seen, 'yes')],
  ['knows the folder of the app', (given) => assert.ok(given.root.length > 0)],
];
const seenCases = seen.map(
  ([what, check]): ConformanceCase => ({
    section,
    name: `the handler ${what}`,
    needs,
    run: async (kit) => check(await echo(kit)),
  }),
);

const answers: readonly (readonly [path: string, status: number, text: string])[] = [
  ['outputs', 202, 'accepted'],
  ['returned', 203, 'returned'],
  ['fails', 500, ''],
];
const answerCases = answers.map(
  ([path, status, text]): ConformanceCase => ({
    section,
    name: `${path} answers ${status}`,
    needs,
    async run(kit) {
      const answer = await kit.custom(`/api/custom/${path}`);
      assert.deepEqual([answer.status, answer.text], [status, text]);
    },
  }),
);

export const customHandlerCases: readonly ConformanceCase[] = [
  ...seenCases,
  ...answerCases,
  {
    section,
    name: 'headers of the answer are those of the handler',
    needs,
    run: async (kit) => assert.equal((await kit.custom('/api/custom/echo')).headers['x-kit'], 'custom'),
  },
];
