import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ForwardOrigin, toCallerHeaders, toWorkerHeaders } from './forward-headers.ts';

const origin: ForwardOrigin = {
  host: 'localhost:5000',
  remoteAddress: '10.0.0.7',
  authority: 'app.example:8080',
  scheme: 'https',
  invocationId: 'i1',
};

const written = [
  ...['x-forwarded-for', '10.0.0.7', 'x-forwarded-host', 'app.example:8080', 'x-forwarded-proto', 'https'],
  ...['x-ms-invocation-id', 'i1'],
];

const toWorker = (...rawHeaders: string[]) => toWorkerHeaders('GET', rawHeaders, origin);

describe('toWorkerHeaders', () => {
  test('keeps the headers of the caller in their order and spelling, also repeated and empty ones', () => {
    const sent = ['X-Two', '1', 'accept', '*/*', 'x-two', '2', 'X-Empty', '', 'Content-Length', '5'];
    expect(toWorker(...sent)).toEqual(['host', 'localhost:5000', ...sent, ...written]);
  });

  test('leaves out what belongs to the connection, and what it names', () => {
    const sent = ['Connection', 'keep-alive, X-Hop', 'Keep-Alive', 'timeout=5', 'X-Hop', '1', 'TE', 'trailers'];
    const more = ['Upgrade', 'h2c', 'Proxy-Authorization', 'secret', 'Proxy-Connection', 'keep-alive', 'Trailer', 'x'];
    expect(toWorker(...sent, ...more, 'x-kept', '1')).toEqual(['host', 'localhost:5000', 'x-kept', '1', ...written]);
  });

  test('writes what workers rely on, whatever the caller says', () => {
    const forged = ['Host', 'evil', 'X-Ms-Invocation-Id', 'i2', 'X-Forwarded-Host', 'evil', 'x-forwarded-proto', 'ftp'];
    expect(toWorker(...forged, 'Expect', '100-continue')).toEqual(['host', 'localhost:5000', ...written]);
  });

  test('adds the address of the caller to those that came along, in order', () => {
    const headers = toWorker('X-Forwarded-For', '1.1.1.1', 'x-forwarded-for', '2.2.2.2, 3.3.3.3');
    expect(headers.slice(2, 4)).toEqual(['x-forwarded-for', '1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.7']);
    const gone = toWorkerHeaders('GET', [], { ...origin, remoteAddress: undefined });
    expect(gone).not.toContain('x-forwarded-for');
  });

  test('frames the body as the caller did', () => {
    expect(toWorker('Transfer-Encoding', 'chunked').slice(2, 4)).toEqual(['transfer-encoding', 'chunked']);
    expect(toWorker('Content-Length', '0').slice(2, 4)).toEqual(['Content-Length', '0']);
    expect(toWorker('Connection', 'content-length', 'content-length', '3')).toContain('3');
    expect(toWorkerHeaders('POST', [], origin).slice(2, 4)).toEqual(['content-length', '0']);
    expect(toWorkerHeaders('DELETE', [], origin)).not.toContain('content-length');
  });
});

describe('toCallerHeaders', () => {
  test('keeps the headers of the worker, each set-cookie by itself', () => {
    const sent = ['Set-Cookie', 'a=1', 'x-ms-invocation-id', 'i1', 'set-cookie', 'b=2', 'Content-Length', '3'];
    const connection = ['Connection', 'close, x-hop', 'Transfer-Encoding', 'chunked', 'Keep-Alive', 'timeout=5'];
    expect(toCallerHeaders([...sent, ...connection, 'X-Hop', '1', 'Proxy-Authenticate', 'x'], true)).toEqual(sent);
  });

  test('announces trailers only where chunks can carry them', () => {
    expect(toCallerHeaders(['Trailer', 'x-sum'], true)).toEqual(['Trailer', 'x-sum']);
    expect(toCallerHeaders(['Trailer', 'x-sum'], false)).toEqual([]);
  });

  test('takes any list of headers', () => {
    const raw = fc.array(fc.tuple(fc.string(), fc.string())).map((pairs) => pairs.flat());
    fc.assert(
      fc.property(raw, fc.boolean(), (rawHeaders, sendsChunks) => {
        const kept = toCallerHeaders(rawHeaders, sendsChunks);
        expect(kept.length % 2).toBe(0);
        expect(toWorkerHeaders('POST', rawHeaders, origin).length % 2).toBe(0);
      }),
    );
  });
});
