import { RpcHttp, RpcHttpCookie, RpcHttpCookie_SameSite, type TypedData } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InvocationOutcome, LossReason } from '../contract.ts';
import { jsonData, textData, toTypedData } from '../typed-data.ts';
import type { HttpOutput, HttpReply } from './contract.ts';
import { toHttpReply } from './to-http-reply.ts';

const returned: HttpOutput = { name: '$return', method: 'GET' };
const named: HttpOutput = { name: 'res', method: 'GET' };
const plainText = ['content-type', 'text/plain; charset=utf-8'];
const error = { invocationId: 'i', error: { message: 'm', stack: '', type: '' } };

function succeeded(returnValue: TypedData | undefined, outputs: [string, TypedData][] = []): InvocationOutcome {
  return { kind: 'succeeded', invocationId: 'i', outputs: new Map(outputs), returnValue };
}

/** A response as it comes from the wire. */
function http(given: Partial<RpcHttp>): TypedData {
  const empty = RpcHttp.decode(new Uint8Array());
  return { data: { $case: 'http', value: { ...empty, ...given } } };
}

function replyTo(value: TypedData | undefined, output: HttpOutput = returned): HttpReply {
  return toHttpReply(succeeded(value), output);
}

const bytes = new Uint8Array([1, 2, 3]);
const bytesBody: TypedData = { data: { $case: 'bytes', value: bytes } };

describe('a response of the worker', () => {
  it('goes out as it is when its body is bytes', () => {
    const reply = replyTo(
      http({
        statusCode: '201',
        headers: new Map([
          ['content-type', 'image/png'],
          ['x-a', 'b'],
        ]),
        body: bytesBody,
      }),
    );
    expect(reply).toEqual({
      status: 201,
      headers: [
        ['x-a', 'b'],
        ['content-type', 'image/png'],
      ],
      body: bytes,
    });
  });

  it('has no content type when its body is bytes and it names none', () => {
    expect(replyTo(http({ body: bytesBody }))).toEqual({ status: 200, headers: [], body: bytes });
    const stream: TypedData = { data: { $case: 'stream', value: bytes } };
    expect(replyTo(http({ body: stream }))).toEqual({ status: 200, headers: [], body: bytes });
  });

  it.each([
    ['a text', textData('hi'), 'hi'],
    ['an empty text', textData(''), ''],
    ['nothing', { data: undefined }, ''],
    ['an object', jsonData('{"a":[1,{}]}'), '{\n  "a": [\n    1,\n    {}\n  ]\n}'],
    ['a JSON text', jsonData('"hi"'), 'hi'],
    ['a JSON null', jsonData('null'), ''],
    ['a truth value', jsonData('true'), 'true'],
    ['a whole number', { data: { $case: 'int', value: 5n } }, '5'],
    ['a fraction', { data: { $case: 'double', value: 1.5 } }, '1.5'],
    ['a text that is JSON', textData('{"a":1}'), '{"a":1}'],
  ] as [string, TypedData, string][])('writes %s as plain text in UTF-8', (_name, body, expected) => {
    expect(replyTo(http({ body, statusCode: '200' }))).toEqual({ status: 200, headers: [plainText], body: expected });
  });

  it('keeps its content type for a text and adds the charset', () => {
    const headers = new Map([['Content-Type', 'application/json']]);
    const reply = replyTo(http({ headers, body: textData('{}') }));
    expect(reply.headers).toEqual([['content-type', 'application/json; charset=utf-8']]);
  });

  it.each([
    ['', 200],
    ['abc', 200],
    ['404', 404],
    [' 404 ', 404],
    ['+204', 204],
    ['4.5', 200],
    ['999', 999],
  ])('reads the status %o as %i', (statusCode, status) => {
    expect(replyTo(http({ statusCode, body: bytesBody })).status).toBe(status);
  });

  it('without a body is itself the content, with status 200', () => {
    const reply = replyTo(http({ statusCode: '418', headers: new Map([['x', 'y']]) }));
    expect(reply.status).toBe(200);
    expect(reply.headers).toEqual([plainText]);
    expect(JSON.parse(String(reply.body))).toEqual({
      method: '',
      query: {},
      statusCode: '418',
      headers: { x: 'y' },
      enableContentNegotiation: false,
      cookies: [],
    });
  });

  it('sets its cookies, one header each, after its other headers', () => {
    const cookie = {
      ...RpcHttpCookie.decode(new Uint8Array()),
      name: 'c',
      value: 'a b',
      sameSite: RpcHttpCookie_SameSite.Lax,
    };
    const reply = replyTo(
      http({ body: bytesBody, headers: new Map([['x', 'y']]), cookies: [cookie, { ...cookie, name: 'd' }] }),
    );
    expect(reply.headers).toEqual([
      ['x', 'y'],
      ['set-cookie', 'c=a%20b; path=/; samesite=lax'],
      ['set-cookie', 'd=a%20b; path=/; samesite=lax'],
    ]);
  });

  it('leaves the connection to the gateway and the length to the body, but for HEAD', () => {
    const headers = new Map([
      ['Transfer-Encoding', 'chunked'],
      ['connection', 'close'],
      ['Content-Length', '999'],
    ]);
    expect(replyTo(http({ headers, body: bytesBody })).headers).toEqual([]);
    const head = replyTo(http({ headers, body: bytesBody }), { name: '$return', method: 'HEAD' });
    expect(head.headers).toEqual([['content-length', '999']]);
  });
});

describe('content negotiation, when the function asks for it', () => {
  const negotiated = (body: TypedData, accept = ''): HttpReply =>
    replyTo(http({ body, enableContentNegotiation: true, cookies: [RpcHttpCookie.decode(new Uint8Array())] }), {
      ...returned,
      accept,
    });

  it('writes objects as compact JSON and loses cookies', () => {
    expect(negotiated(jsonData('{"a": 1}'))).toEqual({
      status: 200,
      headers: [['content-type', 'application/json; charset=utf-8']],
      body: '{"a":1}',
    });
  });

  it('writes objects as JSON for a caller who prefers XML, too', () => {
    for (const given of ['{"a":1}', '[1,2]']) {
      expect(negotiated(jsonData(given), 'application/xml, application/json;q=0.9')).toEqual({
        status: 200,
        headers: [['content-type', 'application/json; charset=utf-8']],
        body: given,
      });
    }
  });

  it('writes a text as JSON only for a caller who accepts that', () => {
    expect(negotiated(textData('hi')).headers).toEqual([plainText]);
    expect(negotiated(textData('hi'), 'application/json')).toMatchObject({ body: '"hi"' });
  });

  it('writes a text as XML for a caller who prefers that', () => {
    const open = '<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">';
    expect(negotiated(textData('a <b> & \u0001c'), 'application/xml, application/json;q=0.9')).toMatchObject({
      headers: [['content-type', 'application/xml; charset=utf-8']],
      body: `${open}a &lt;b&gt; &amp; \ufffdc</string>`,
    });
    expect(negotiated(textData('\ud800 \u{1f600}'), 'text/xml')).toMatchObject({
      body: `${open}\ufffd \u{1f600}</string>`,
    });
  });

  it('answers 204 when there is nothing', () => {
    expect(negotiated({ data: undefined })).toEqual({ status: 204, headers: [], body: '' });
  });
});

describe('any other value', () => {
  it('that is nothing gives 204 for $return and an empty 200 for a named output', () => {
    for (const nothing of [undefined, { data: undefined }, jsonData('null')]) {
      expect(replyTo(nothing)).toEqual({ status: 204, headers: [], body: '' });
      const outcome = succeeded(undefined, nothing === undefined ? [] : [['res', nothing]]);
      expect(toHttpReply(outcome, named)).toEqual({ status: 200, headers: [], body: '' });
    }
  });

  it('of a function without an HTTP output gives an empty 200', () => {
    const reply = toHttpReply(succeeded(textData('ignored')), { name: undefined, method: 'GET' });
    expect(reply).toEqual({ status: 200, headers: [], body: '' });
  });

  it('prefers the return value to an item named $return', () => {
    const outcome = succeeded(http({ body: textData('return') }), [['$return', http({ body: { data: undefined } })]]);
    expect(toHttpReply(outcome, returned).body).toBe('return');
    expect(toHttpReply(succeeded(undefined, [['$return', textData('item')]]), returned).body).toBe('item');
  });

  it.each([
    ['a text', textData('v1 '), 'v1 ', plainText],
    ['a text with an object in it', textData(' {"a":1}'), '{\n  "a": 1\n}', plainText],
    ['a text with a quoted text in it', textData('"hi"'), 'hi', plainText],
    ['a text that only starts like JSON', textData('[oops'), '[oops', plainText],
    ['a list', jsonData('[1]'), '[\n  1\n]', plainText],
    ['a number', toTypedData(5), '5', plainText],
  ] as [string, TypedData, string, string[]][])('%s is the content', (_name, value, body, type) => {
    expect(replyTo(value)).toEqual({ status: 200, headers: [type], body });
  });

  it('that is bytes is the content without a type', () => {
    expect(replyTo(bytesBody)).toEqual({ status: 200, headers: [], body: bytes });
  });

  it('that is an object with a body is a response', () => {
    const reply = replyTo(
      jsonData(
        JSON.stringify({
          Status: 404,
          Body: { a: 1 },
          headers: { 'x-list': ['1', '2'], 'x-number': 5, 'x-null': null },
          cookies: [
            {
              name: 'c',
              value: 1,
              maxAge: 5,
              httpOnly: true,
              sameSite: 'Strict',
              path: '/p',
              expires: '2023-11-14T22:13:20Z',
            },
          ],
        }),
      ),
    );
    expect(reply).toEqual({
      status: 404,
      headers: [
        ['x-list', '1'],
        ['x-list', '2'],
        ['x-number', '5'],
        ['x-null', ''],
        ['set-cookie', 'c=1; expires=Tue, 14 Nov 2023 22:13:20 GMT; max-age=5; path=/p; samesite=strict; httponly'],
        plainText,
      ],
      body: '{"a":1}',
    });
    expect(replyTo(textData('{"statusCode":"201","status":500,"body":"x"}'))).toMatchObject({ status: 201, body: 'x' });
    expect(replyTo(jsonData('{"body":[1],"enableContentNegotiation":true}'))).toEqual({
      status: 200,
      headers: [['content-type', 'application/json; charset=utf-8']],
      body: '[1]',
    });
  });
});

describe('what HTTP cannot carry', () => {
  it.each([
    ['a line break in a value', { headers: new Map([['x', 'a\r\nset-cookie: b']]) }, 'HTTP_REPLY_HEADER_INVALID'],
    ['a character beyond Latin-1', { headers: new Map([['x', '日本']]) }, 'HTTP_REPLY_HEADER_INVALID'],
    ['a blank in a name', { headers: new Map([['a b', 'x']]) }, 'HTTP_REPLY_HEADER_INVALID'],
    ['an empty name', { headers: new Map([['', 'x']]) }, 'HTTP_REPLY_HEADER_INVALID'],
    ['a status below 200', { statusCode: '101' }, 'HTTP_REPLY_STATUS_INVALID'],
    ['a status above 999', { statusCode: '1000' }, 'HTTP_REPLY_STATUS_INVALID'],
    ['JSON that is none', { body: jsonData('{') }, 'TYPED_DATA_JSON_INVALID'],
    [
      'a collection',
      { body: { data: { $case: 'collectionString', value: { string: [] } } } },
      'TYPED_DATA_UNSUPPORTED',
    ],
  ] as [string, Partial<RpcHttp>, string][])('%s is an empty 500 with a problem', (_name, given, code) => {
    const reply = replyTo(http({ body: bytesBody, ...given }));
    expect(reply).toMatchObject({ status: 500, headers: [], body: '' });
    expect(reply.problem?.code).toBe(code);
  });

  it('names no value of a header in its problem, because it may be a secret', () => {
    const reply = replyTo(http({ body: bytesBody, headers: new Map([['x-key', 'secret\n']]) }));
    expect(reply.problem?.message).toContain('"x-key"');
    expect(reply.problem?.message).not.toContain('secret');
  });

  it('never throws and never breaks the header rules, whatever a function answers', () => {
    const response = fc
      .record({
        statusCode: fc.oneof(fc.string(), fc.integer().map(String)),
        headers: fc
          .array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })))
          .map((list) => new Map(list)),
        body: fc.option(fc.jsonValue().map(toTypedData), { nil: undefined }),
        enableContentNegotiation: fc.boolean(),
      })
      .map(http);
    const value = fc.oneof(response, fc.jsonValue().map(toTypedData), fc.json().map(textData), fc.json().map(jsonData));
    fc.assert(
      fc.property(value, (answer) => {
        const reply = replyTo(answer);
        expect(reply.status).toBeGreaterThanOrEqual(200);
        for (const header of reply.headers) expect(() => new Headers([[...header]])).not.toThrow();
      }),
    );
  });
});

describe('an invocation that did not succeed', () => {
  it('is an empty 500 when it failed or was cancelled', () => {
    for (const outcome of [
      { kind: 'failed', ...error },
      { kind: 'cancelled', invocationId: 'i' },
    ] as InvocationOutcome[]) {
      expect(toHttpReply(outcome, returned)).toEqual({ status: 500, headers: [], body: '' });
    }
  });

  it.each([
    ['worker-lost', 500],
    ['timeout', 500],
    ['no-worker', 503],
    ['stopping', 503],
    ['overloaded', 429],
  ] as [LossReason, number][])('lost by %s is a %i', (reason, status) => {
    expect(toHttpReply({ kind: 'lost', reason, ...error }, returned).status).toBe(status);
  });

  it('tells the front end when it should scale out', () => {
    const reply = toHttpReply({ kind: 'lost', reason: 'overloaded', ...error }, returned);
    expect(reply.headers).toEqual([['x-function-scaleout', '1']]);
  });
});
