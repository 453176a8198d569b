/** What a function sees of a request, and what its caller sees of each way to answer, in both programming models. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type DevProcess, type RequestOptions, startDevProcess, testApp } from './dev-process.ts';
import { bodyOf, exchangeRaw, openRequest } from './http-client.ts';

const flags = ['--no-azurite'];
const json = { 'content-type': 'application/json' };

describe('the v4 model', () => {
  let dev: DevProcess;
  beforeAll(async () => {
    dev = await startDevProcess({ apps: [testApp('http-v4')], flags });
  });
  afterAll(() => dev.close());

  const see = async (query = '', options: RequestOptions = {}) => {
    const answer = await dev.request(`/site/v1/see${query}`, options);
    const { body, ...seen } = JSON.parse(answer.text);
    return { ...seen, body: Buffer.from(body, 'base64') };
  };
  const answer = (name: string, options?: RequestOptions): Promise<Answer> =>
    dev.request(`/site/v1/answer/${name}`, options);

  describe('requests', () => {
    it.each<[what: string, type: string, body: string | Uint8Array]>([
      ['JSON', 'application/json', '{"a":1}'],
      ['text', 'text/plain; charset=utf-8', 'grüße'],
      ['bytes', 'application/octet-stream', Uint8Array.of(0, 255, 128)],
      ['a form', 'multipart/form-data; boundary=x', '--x\r\n\r\nvalue\r\n--x--'],
      ['bytes that call themselves text', 'text/plain', Uint8Array.of(0xff, 0xfe)],
      ['JSON that is none', 'application/json', '{"a":'],
    ])('carry %s as it was sent', async (_what, type, body) => {
      const seen = await see('', { method: 'POST', headers: { 'content-type': type }, body });
      expect([seen.method, seen.headers['content-type']]).toEqual(['POST', type]);
      expect(seen.body.equals(Buffer.from(body))).toBe(true);
    });

    it('carry a body that comes in chunks, which the official host drops', async () => {
      const { outgoing, response } = openRequest(await dev.port(), '/site/v1/see', { method: 'PUT', headers: json });
      for (const part of ['{"in":', '"chunks"}']) outgoing.write(part);
      outgoing.end();
      const seen = JSON.parse(String(await bodyOf(await response)));
      expect(Buffer.from(seen.body, 'base64').toString()).toBe('{"in":"chunks"}');
    });

    it('carry repeated headers joined, empty ones, cookies, and names in lower case', async () => {
      const headers = ['Host', 'h', 'X-Dup', 'a', 'x-DUP', 'b,c', 'X-Empty', '', 'Cookie', 'a=1', 'Cookie', 'b=2'];
      const { outgoing, response } = openRequest(await dev.port(), '/site/v1/see', { headers });
      outgoing.end();
      const seen = JSON.parse(String(await bodyOf(await response)));
      expect(seen.headers).toEqual({
        connection: 'close',
        cookie: 'a=1; b=2',
        host: 'h',
        'x-dup': 'a,b,c',
        'x-empty': '',
      });
    });

    it('carry the query with its escapes resolved, values of one name joined', async () => {
      const seen = await see('?a=1&A=2&b=%C3%A9+x&empty=&bare&bad=%zz');
      expect(seen.query).toEqual([
        ['a', '1,2'],
        ['b', 'é x'],
        ['empty', ''],
        ['bare', ''],
        ['bad', '%zz'],
      ]);
      expect(seen.url).toContain('/site/v1/see?a=1&A=2&b=%C3%A9+x&empty=&bare&bad=%zz');
    });

    it('carry a body of any method that has one', async () => {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const headers = { 'content-length': String(method.length) };
        expect(String((await see('', { method, headers, body: method })).body)).toBe(method);
      }
      // The fetch classes leave the body of these out.
      const headers = { 'content-length': '1' };
      expect((await see('', { method: 'GET', headers, body: 'x' })).body).toHaveLength(0);
    });
  });

  describe('responses', () => {
    it.each<[name: string, status: number, type: string | undefined, body: string]>([
      ['nothing', 204, undefined, ''],
      ['empty', 200, undefined, ''],
      ['text', 200, 'text/plain;charset=UTF-8', 'grüße'],
      ['typedText', 200, 'text/html', '<p>hi</p>'],
      ['json', 200, 'application/json', '{"a":[1,{"b":null}],"ü":"ü"}'],
      ['jsonText', 200, 'application/json', '"text"'],
      ['typedJson', 200, 'application/problem+json', '[1]'],
      ['stream', 200, undefined, 'one two'],
      ['form', 200, 'application/x-www-form-urlencoded;charset=UTF-8', 'a=1&b=%C3%BC'],
      ['response', 418, 'text/plain;charset=UTF-8', 'teapot'],
      ['status', 599, undefined, ''],
      ['noContent', 204, undefined, ''],
      ['notModified', 304, undefined, ''],
      ['negotiated', 200, 'application/json', '{"a":1}'],
      ['noOutput', 200, undefined, ''],
    ])('%s', async (name, status, type, body) => {
      const given = await answer(name);
      expect([given.status, given.headers['content-type'], given.text]).toEqual([status, type, body]);
      const length = status === 204 || status === 304 ? undefined : String(Buffer.byteLength(body));
      expect(given.headers['content-length']).toBe(length);
    });

    it('bytes are as they were', async () => {
      expect([...(await answer('bytes')).body]).toEqual([0, 255, 10, 13]);
    });

    it('headers are the function’s own; the connection and the length are the server’s', async () => {
      const { received } = await exchangeRaw(
        await dev.port(),
        'GET /site/v1/answer/headers HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
      );
      const [head = '', body] = received.split('\r\n\r\n');
      expect(head.split('\r\n').slice(1).sort()).toEqual([
        'Connection: close',
        'Content-Length: 4',
        'content-type: text/plain;charset=UTF-8',
        'date: Thu, 01 Jan 1970 00:00:00 GMT',
        'server: mine',
        'set-cookie: raw=2',
        'x-empty: ',
        'x-latin: caf\u00e9',
        'x-twice: a, b',
      ]);
      expect(body).toBe('four');
    });

    it('a response without headers of its own has those of the server alone', async () => {
      const { received } = await exchangeRaw(
        await dev.port(),
        'GET /site/v1/answer/empty HTTP/1.1\r\nHost: h\r\n\r\nGET /site/v1/answer/empty HTTP/1.0\r\n\r\n',
      );
      const [kept = '', closed = ''] = received.split(/(?=HTTP\/1\.1 )/);
      expect(
        kept
          .trim()
          .split('\r\n')
          .map((line) => line.split(':')[0]),
      ).toEqual([...['HTTP/1.1 200 OK', 'Content-Length', 'Date', 'Connection', 'Keep-Alive']]);
      expect(closed).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Length: 0\r\nDate: .*\r\nConnection: close/);
    });

    it('cookies stand in headers of their own, with every attribute', async () => {
      expect((await answer('cookies')).headers['set-cookie']).toEqual([
        'plain=a%20b%3B%C3%BC; path=/',
        'full=v; expires=Wed, 02 Jan 2030 03:04:05 GMT; max-age=60; domain=example.org; path=/p; secure; samesite=lax; httponly',
        'none=v; path=/; samesite=none',
        'strict=v; path=/; samesite=strict',
        'time=v; expires=Wed, 02 Jan 2030 03:04:05 GMT; path=/',
      ]);
      expect((await answer('negotiated')).headers).not.toHaveProperty('set-cookie');
    });

    it('HEAD has the length of the body that it leaves out, and none where nobody knows it', async () => {
      const text = await answer('text', { method: 'HEAD' });
      expect([text.status, text.headers['content-length'], text.text]).toEqual([200, '7', '']);
      expect((await answer('empty', { method: 'HEAD' })).headers).not.toHaveProperty('content-length');
    });

    it.each(['throws', 'throwsText', 'unserializable', 'badCookie'])('%s is 500 without a word', async (name) => {
      expect(await answer(name)).toMatchObject({ status: 500, text: '', headers: { 'content-length': '0' } });
      await dev.line(new RegExp(`Executed 'Functions.${name}' \\((Failed|Succeeded)`));
    });
  });
});

describe('the v3 model', () => {
  let dev: DevProcess;
  beforeAll(async () => {
    dev = await startDevProcess({ apps: [testApp('http-v3')], flags });
  });
  afterAll(() => dev.close());

  const see = async (path: string, options: RequestOptions = {}) =>
    JSON.parse((await dev.request(`/see${path}`, options)).text);

  it('sees JSON parsed, text as text and bytes as bytes, with the raw body beside', async () => {
    const parsed = await see('/7?a=1', { headers: json, body: '{"n":{"m":1},"list":[1],"big":12345678901234567890}' });
    expect(parsed).toMatchObject({
      method: 'POST',
      params: { id: '7' },
      query: { a: '1' },
      kind: 'object',
      body: { n: { m: 1 }, list: [1] },
      rawBody: '{"n":{"m":1},"list":[1],"big":12345678901234567890}',
    });
    expect(await see('', { headers: json, body: '{"n":' })).toMatchObject({ kind: 'string', body: '{"n":' });
    const text = await see('', { headers: { 'content-type': 'text/plain' }, body: 'grüße' });
    expect(text).toMatchObject({ kind: 'string', body: 'grüße', rawBody: 'grüße', params: {} });
    const headers = { 'content-type': 'application/octet-stream' };
    const bytes = await see('', { headers, body: Uint8Array.of(1, 2) });
    expect(bytes).toMatchObject({ kind: 'buffer', body: { type: 'Buffer', data: [1, 2] } });
  });

  it('finds JSON properties, query and route parameters among the binding data, the last ones first', async () => {
    const { binding } = await see('/7?query=q&code=secret', { headers: json, body: '{"fromBody":true,"id":"body"}' });
    expect(binding).toMatchObject({ fromBody: 'True', id: 7, query: 'q', sys: { methodName: 'see' } });
    expect(binding).not.toHaveProperty('code');
  });

  const text = 'text/plain; charset=utf-8';
  it.each<[path: string, status: number, type: string | undefined, body: string]>([
    ['answer/text', 200, text, 'text'],
    ['answer/number', 202, text, '42'],
    ['answer/boolean', 200, text, 'false'],
    ['answer/object', 200, text, '{\n  "a": 1\n}'],
    ['answer/list', 203, text, '[\n  1,\n  2\n]'],
    ['answer/jsonText', 200, text, '{"a":1}'],
    ['answer/typed', 200, 'application/vnd.mine+json; charset=utf-8', '{\n  "a": 1\n}'],
    ['answer/nothing', 204, text, ''],
    ['answer/odd', 200, text, 'odd'],
    ['answer/badHeader', 500, undefined, ''],
    ['answer/badStatus', 500, undefined, ''],
    ['returned/response', 201, text, 'body'],
    ['returned/object', 200, text, ''],
    ['done', 202, text, 'done'],
    ['noOutput', 200, undefined, ''],
  ])('%s', async (path, status, type, body) => {
    const given = await dev.request(`/${path}`);
    expect([given.status, given.headers['content-type'], given.text]).toEqual([status, type, body]);
  });

  it('sends bytes with the type that the function names', async () => {
    const given = await dev.request('/answer/bytes');
    expect([given.headers['content-type'], [...given.body]]).toEqual(['image/png', [0, 255]]);
  });

  it('writes cookies', async () => {
    expect((await dev.request('/answer/cookies')).headers['set-cookie']).toEqual([
      'a=1; max-age=5; path=/; samesite=strict',
      'b=2; path=/',
    ]);
  });

  it('says on the console why an answer could not be sent', async () => {
    await dev.request('/answer/badHeader');
    await dev.line(/The response of a function could not be sent.*x-bad/);
    await dev.request('/answer/badStatus');
    await dev.line(/The response of a function could not be sent.*99/);
  });

  it('takes every method when function.json names none', async () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      expect((await dev.request('/anyMethod', { method })).headers['x-method']).toBe(method);
    }
  });
});
