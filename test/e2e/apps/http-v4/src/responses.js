import { app, HttpResponse } from '@azure/functions';

const date = new Date(Date.UTC(2030, 0, 2, 3, 4, 5));

/** One response for each way to write one. */
const responses = {
  nothing: () => undefined,
  empty: () => ({}),
  text: () => ({ body: 'grüße' }),
  typedText: () => ({ body: '<p>hi</p>', headers: { 'Content-Type': 'text/html' } }),
  json: () => ({ jsonBody: { a: [1, { b: null }], ü: 'ü' } }),
  jsonText: () => ({ jsonBody: 'text' }),
  typedJson: () => ({ jsonBody: [1], headers: { 'content-type': 'application/problem+json' } }),
  bytes: () => ({ body: Uint8Array.of(0, 255, 10, 13) }),
  stream: () => ({ body: new Blob(['one ', 'two']).stream() }),
  form: () => ({ body: new URLSearchParams({ a: '1', b: 'ü' }) }),
  response: () => new HttpResponse({ status: 418, body: 'teapot', headers: { 'X-Kind': 'HttpResponse' } }),
  status: () => ({ status: 599 }),
  noContent: () => ({ status: 204 }),
  notModified: () => ({ status: 304, headers: { etag: '"1"' } }),
  headers: () => ({
    headers: [
      ['X-Twice', 'a'],
      ['x-twice', 'b'],
      ['X-Empty', ''],
      ['X-Latin', 'caf\u00e9'],
      ['Set-Cookie', 'raw=1; Path=/raw'],
      ['Set-Cookie', 'raw=2'],
      ['Content-Length', '1'],
      ['Connection', 'close'],
      ['Transfer-Encoding', 'gzip'],
      ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
      ['Server', 'mine'],
    ],
    body: 'four',
  }),
  cookies: () => ({
    cookies: [
      { name: 'plain', value: 'a b;ü' },
      {
        name: 'full',
        value: 'v',
        domain: 'example.org',
        path: '/p',
        expires: date,
        secure: true,
        httpOnly: true,
        maxAge: 60.9,
        sameSite: 'Lax',
      },
      { name: 'none', value: 'v', sameSite: 'None' },
      { name: 'strict', value: 'v', sameSite: 'Strict' },
      { name: 'time', value: 'v', expires: date.getTime() },
    ],
  }),
  negotiated: () => ({ jsonBody: { a: 1 }, enableContentNegotiation: true, cookies: [{ name: 'a', value: '1' }] }),
  badCookie: () => ({ cookies: [{ name: 'bad name', value: '1' }] }),
  throws: () => {
    throw new Error('thrown by the function');
  },
  throwsText: () => {
    throw 'a text that was thrown';
  },
  unserializable: () => ({ jsonBody: 1n }),
};

for (const [name, handler] of Object.entries(responses))
  app.http(name, { route: `answer/${name}`, methods: ['GET', 'HEAD', 'POST'], authLevel: 'anonymous', handler });

/** No output binding at all. */
app.generic('noOutput', {
  trigger: { type: 'httpTrigger', name: 'request', route: 'answer/noOutput', authLevel: 'anonymous', methods: ['GET'] },
  handler: () => ({ body: 'nobody sees this' }),
});
