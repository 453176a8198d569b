import { sensitiveHeaders } from 'node:http2';
import { isPlatformError } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { fromHeaders, toHeaders } from './metadata.ts';

describe('toHeaders', () => {
  it('passes names and values on, and keeps tokens out of the compression tables', () => {
    const headers = toHeaders(
      new Map([
        ['authorization', 'Bearer x'],
        ['x-worker-id', 'w1'],
        ['trace-bin', 'AAEC'],
      ]),
    );
    expect({ ...headers }).toMatchObject({ authorization: 'Bearer x', 'x-worker-id': 'w1', 'trace-bin': 'AAEC' });
    expect(headers[sensitiveHeaders]).toEqual(['authorization']);
  });

  it.each([
    ['X-Upper', 'v'],
    ['with space', 'v'],
    [':path', '/other'],
    ['', 'v'],
    ['grpc-timeout', '1S'],
    ['te', 'gzip'],
    ['content-type', 'text/html'],
    ['x-line', 'a\r\nb: c'],
    ['x-unicode', 'ü'],
  ])("refuses '%s: %s'", (name, value) => {
    let thrown: unknown;
    try {
      toHeaders(new Map([[name, value]]));
    } catch (error) {
      thrown = error;
    }
    expect(isPlatformError(thrown) && thrown.code).toBe('RPC_METADATA_INVALID');
    expect(String(thrown)).toContain(`'${name}'`);
  });

  it('never quotes a value, which may be a secret', () => {
    expect(() => toHeaders(new Map([['authorization', 'söcret']]))).toThrow(/^((?!söcret).)*$/);
  });
});

it('fromHeaders leaves out what belongs to HTTP/2 and gRPC, and takes hostile names as they are', () => {
  const headers = JSON.parse(
    '{":path":"/x","te":"trailers","content-type":"application/grpc","grpc-timeout":"1S","__proto__":"p","x":["a","b"],"user-agent":"u"}',
  );
  expect([...fromHeaders(headers)]).toEqual([
    ['__proto__', 'p'],
    ['x', 'a, b'],
    ['user-agent', 'u'],
  ]);
});
