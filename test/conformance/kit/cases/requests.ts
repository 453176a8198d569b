import assert from 'node:assert/strict';
import type { CallOptions } from '../call.ts';
import type { ConformanceCase, Kit } from '../contract.ts';

const section = '5 HTTP trigger: requests';

/** What the fixture's `see` tells. */
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly query: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly functionName: string;
  readonly invocationId: string;
  readonly traceParent?: string;
  readonly traceState?: string;
}

async function see(kit: Kit, path = 'see', options?: CallOptions): Promise<Seen> {
  const answer = await kit.function(path, options);
  assert.equal(answer.status, 200, answer.text);
  return answer.json() as Seen;
}

const methodCases = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map(
  (method): ConformanceCase => ({
    section,
    name: `the method ${method} is told`,
    run: async (kit) => assert.equal((await see(kit, 'see', { method })).method, method),
  }),
);

const bodies: readonly (readonly [what: string, type: string, body: string | Uint8Array])[] = [
  ['JSON', 'application/json', '{"a":1}'],
  ['JSON that is none', 'application/json', '{"a":'],
  ['JSON with an umlaut', 'application/json; charset=utf-8', '{"ü":"é"}'],
  ['text', 'text/plain; charset=utf-8', 'grüße'],
  ['XML', 'application/xml', '<a/>'],
  ['bytes', 'application/octet-stream', Uint8Array.of(0, 255, 128)],
  ['a form', 'application/x-www-form-urlencoded', 'a=1&b=2'],
  ['several parts', 'multipart/form-data; boundary=x', '--x\r\n\r\nvalue\r\n--x--'],
  ['bytes that call themselves text', 'text/plain', Uint8Array.of(0xff, 0xfe)],
  ['one byte', 'application/octet-stream', Uint8Array.of(7)],
];
const bodyCases = bodies.flatMap(([what, type, body]): ConformanceCase[] => [
  {
    section,
    name: `a body of ${what} comes as it was sent`,
    async run(kit) {
      const seen = await see(kit, 'see', { method: 'POST', headers: { 'content-type': type }, body });
      assert.equal(seen.body, Buffer.from(body).toString('base64'));
      assert.equal(seen.headers['content-type'], type);
    },
  },
  {
    section,
    name: `a body of ${what} goes back as it came`,
    async run(kit) {
      const answer = await kit.function('mirror', { method: 'POST', headers: { 'content-type': type }, body });
      assert.equal(answer.bytes.toString('base64'), Buffer.from(body).toString('base64'));
    },
  },
]);

const queries: readonly (readonly [search: string, query: Readonly<Record<string, string>>])[] = [
  ['a=1', { a: '1' }],
  ['a=1&b=2', { a: '1', b: '2' }],
  ['a=%C3%A9', { a: 'é' }],
  ['a=x%20y', { a: 'x y' }],
  ['a=x+y', { a: 'x y' }],
  ['a=%26%3D', { a: '&=' }],
  ['a=', { a: '' }],
];
const queryCases = queries.map(
  ([search, query]): ConformanceCase => ({
    section,
    name: `the query '${search}' is read`,
    run: async (kit) => assert.deepEqual((await see(kit, `see?${search}`)).query, query),
  }),
);

const otherCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'the url is the whole one',
    async run(kit) {
      const url = new URL((await see(kit, 'see/7?a=1&b=%C3%A9')).url);
      assert.deepEqual([url.pathname, url.search], ['/kit/v1/see/7', '?a=1&b=%C3%A9']);
    },
  },
  {
    section,
    name: 'header names come in lower case',
    async run(kit) {
      const { headers } = await see(kit, 'see', { headers: { 'X-Mixed-Case': 'Value' } });
      assert.equal(headers['x-mixed-case'], 'Value');
    },
  },
  {
    section,
    name: 'cookies come as their header',
    async run(kit) {
      const { headers } = await see(kit, 'see', { headers: { cookie: 'a=1; b=2' } });
      assert.equal(headers.cookie, 'a=1; b=2');
    },
  },
  {
    section,
    name: 'a missing optional parameter is not among the parameters',
    run: async (kit) => assert.equal((await see(kit)).params.x, undefined),
  },
  {
    section,
    name: 'a parameter of the route is told',
    run: async (kit) => assert.equal((await see(kit, 'see/here')).params.x, 'here'),
  },
  {
    section,
    name: 'a request without a body has none',
    run: async (kit) => assert.equal((await see(kit, 'see', { method: 'POST' })).body, ''),
  },
  {
    section,
    name: 'every invocation has an id of its own',
    async run(kit) {
      const ids = await Promise.all(Array.from({ length: 5 }, async () => (await see(kit)).invocationId));
      assert.equal(new Set(ids).size, 5);
      for (const id of ids) assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    },
  },
  {
    section,
    name: 'the function knows its name',
    run: async (kit) => assert.equal((await see(kit)).functionName, 'see'),
  },
  {
    section,
    name: 'the trace of the caller goes on in the function',
    async run(kit) {
      const trace = '0af7651916cd43dd8448eb211c80319c';
      const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01`, tracestate: 'vendor=1' };
      const seen = await see(kit, 'see', { headers });
      assert.equal(seen.traceParent?.split('-')[1], trace);
      assert.equal(seen.traceState, 'vendor=1');
    },
  },
  {
    section,
    name: 'a body of two megabytes goes both ways',
    async run(kit) {
      const body = Buffer.alloc(2_000_000, 'kit');
      const headers = { 'content-type': 'application/octet-stream' };
      const answer = await kit.function('mirror', { method: 'POST', headers, body });
      assert.ok(answer.bytes.equals(body));
    },
  },
  {
    section,
    name: 'fifty requests at once are all answered',
    async run(kit) {
      const calls = Array.from({ length: 50 }, async (_, index) => (await see(kit, `see/${index}`)).params.x);
      assert.deepEqual(
        await Promise.all(calls),
        Array.from({ length: 50 }, (_, index) => String(index)),
      );
    },
  },
];

export const requestCases = [...methodCases, ...bodyCases, ...queryCases, ...otherCases];
