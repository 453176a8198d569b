import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RpcHttp } from '@switchyard/protocol';
import { describe, expect, test } from 'vitest';
import { toForwardedReply } from './forwarded-reply.ts';
import { toForwardedRequest } from './forwarded-request.ts';

const added = {
  userAgent: 'Azure-Functions-Host/4',
  others: [
    ['X-Azure-Functions-InvocationId', 'i-1'],
    ['traceparent', '00-ours'],
  ],
} as const;

function forward(given: Partial<RpcHttp>): ReturnType<typeof toForwardedRequest> {
  const http = { ...RpcHttp.decode(new Uint8Array()), method: 'get', url: 'http://app.localhost:7071/', ...given };
  return toForwardedRequest(http, 40_001, added, 'Web');
}

describe('toForwardedRequest', () => {
  test('keeps method, path, query, headers and body; adds the host headers', () => {
    const body = new Uint8Array([0, 1, 255]);
    const forwarded = forward({
      method: 'post',
      url: 'http://app.localhost:7071/api/a%20b/%2e%2e/x?q=1&q=2&r=%C3%A4#part',
      headers: new Map([
        ['host', 'app.localhost:7071'],
        ['user-agent', 'curl/8'],
        ['traceparent', '00-theirs'],
        ['content-length', '3'],
        ['connection', 'close'],
        ['accept-encoding', 'gzip'],
        ['cookie', 'a=1; b=2'],
      ]),
      body: { data: { $case: 'bytes', value: body } },
    });
    expect(forwarded).toEqual({
      port: 40_001,
      method: 'POST',
      path: '/api/a%20b/%2e%2e/x?q=1&q=2&r=%C3%A4',
      headers: [
        ['host', 'app.localhost:7071'],
        ['accept-encoding', 'gzip'],
        ['cookie', 'a=1; b=2'],
        ['user-agent', 'curl/8 Azure-Functions-Host/4'],
        ['X-Azure-Functions-InvocationId', 'i-1'],
        ['traceparent', '00-ours'],
      ],
      body,
    });
  });

  test.each([
    ['http://h', '/'],
    ['http://h?x=1', '/?x=1'],
    ['http://h/a//b/', '/a//b/'],
  ])('%s asks for %s', (url, path) => {
    expect(forward({ url }).path).toBe(path);
  });

  test('a request without a host gets one, and without a body has none', () => {
    const { headers, body } = forward({});
    expect(headers[0]).toEqual(['host', '127.0.0.1:40001']);
    expect(body).toHaveLength(0);
  });

  test('an address that is not absolute is refused', () => {
    expect(() => forward({ url: '/api/x' })).toThrow("its address '/api/x' is not absolute");
  });
});

describe('toForwardedReply', () => {
  function relay(status: number, headers: readonly (readonly [string, string])[], body: Uint8Array): RpcHttp {
    const { data } = toForwardedReply({ status, statusText: '', headers, body });
    if (data?.$case !== 'http') throw new Error('no response');
    return data.value;
  }

  test('keeps status, headers and bytes', () => {
    const body = new Uint8Array([137, 80, 78, 71]);
    const headers = [
      ['Content-Type', 'image/png'],
      ['Content-Length', '4'],
      ['Vary', 'a'],
      ['vary', 'b'],
      ['Transfer-Encoding', 'chunked'],
      ['Location', '/elsewhere'],
    ] as const;
    expect(relay(302, headers, body)).toMatchObject({
      statusCode: '302',
      headers: new Map([
        ['content-type', 'image/png'],
        ['content-length', '4'],
        ['vary', 'a, b'],
        ['location', '/elsewhere'],
      ]),
      body: { data: { $case: 'bytes', value: body } },
    });
  });

  test('every cookie arrives at a browser as the handler wrote it', async () => {
    const cookies = ['a=1; Path=/; Partitioned', 'b="x,y"; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'a=2'];
    const { headers } = relay(
      200,
      cookies.map((cookie) => ['Set-Cookie', cookie]),
      new Uint8Array(),
    );
    expect(headers.size).toBe(3);
    const server = createServer((_request, response) => {
      response.writeHead(200, [...headers].flat()).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const seen = await new Promise((resolve) => {
      request({ host: '127.0.0.1', port }, (response) => resolve(response.resume().headers['set-cookie'])).end();
    });
    server.close();
    expect(seen).toEqual(cookies);
  });
});
