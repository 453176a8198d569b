import { app, HttpResponse } from '@azure/functions';

const date = new Date(Date.UTC(2030, 0, 2, 3, 4, 5));

/** One response for each way to write one. */
const responses = {
  nothing: () => undefined,
  empty: () => ({}),
  text: () => ({ body: 'grüße' }),
  emptyText: () => ({ body: '' }),
  html: () => ({ body: '<p>hi</p>', headers: { 'Content-Type': 'text/html' } }),
  json: () => ({ jsonBody: { a: [1, { b: null }], ü: 'ü' } }),
  jsonText: () => ({ jsonBody: 'text' }),
  jsonNumber: () => ({ jsonBody: 42 }),
  jsonNull: () => ({ jsonBody: null }),
  problem: () => ({ jsonBody: [1], headers: { 'content-type': 'application/problem+json' } }),
  bytes: () => ({ body: Uint8Array.of(0, 255, 10, 13) }),
  image: () => ({ body: Uint8Array.of(137, 80, 78, 71), headers: { 'content-type': 'image/png' } }),
  form: () => ({ body: new URLSearchParams({ a: '1', b: 'ü' }) }),
  classic: () => new HttpResponse({ status: 418, body: 'teapot', headers: { 'X-Kind': 'HttpResponse' } }),
  created: () => ({ status: 201, headers: { location: '/somewhere' } }),
  moved: () => ({ status: 302, headers: { location: 'https://example.org/' } }),
  noContent: () => ({ status: 204 }),
  notModified: () => ({ status: 304, headers: { etag: '"1"' } }),
  refused: () => ({ status: 403, body: 'no' }),
  missing: () => ({ status: 404, body: 'nothing here' }),
  failed: () => ({ status: 500, body: 'mine' }),
  odd: () => ({ status: 599 }),
  headers: () => ({ headers: { 'X-One': '1', 'x-two': 'two', 'X-Kit-Custom': 'from the function' }, body: 'four' }),
  cookie: () => ({ cookies: [{ name: 'plain', value: 'v' }] }),
  cookieFull: () => ({
    cookies: [
      {
        name: 'full',
        value: 'v',
        domain: 'example.org',
        path: '/p',
        expires: date,
        secure: true,
        httpOnly: true,
        maxAge: 60,
        sameSite: 'Lax',
      },
    ],
  }),
  cookieNone: () => ({ cookies: [{ name: 'none', value: 'v', sameSite: 'None' }] }),
  cookieStrict: () => ({ cookies: [{ name: 'strict', value: 'v', sameSite: 'Strict' }] }),
  cookies: () => ({
    cookies: [
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ],
  }),
  large: () => ({ body: 'x'.repeat(3_000_000) }),
  throws: () => {
    throw new Error('thrown by the function');
  },
  rejects: async () => Promise.reject(new Error('rejected by the function')),
};

for (const [name, handler] of Object.entries(responses))
  app.http(`answer_${name}`, {
    route: `answer/${name}`,
    methods: ['GET', 'HEAD', 'POST'],
    authLevel: 'anonymous',
    handler,
  });

/** An HTTP function without an HTTP output. */
app.generic('noOutput', {
  trigger: { type: 'httpTrigger', name: 'request', route: 'answer/noOutput', authLevel: 'anonymous', methods: ['GET'] },
  handler: () => ({ body: 'nobody sees this' }),
});
