import { describe, expect, it } from 'vitest';
import { grpcStatus } from '../link.ts';
import { admit as admitWithin, type RpcMethod } from './server-methods.ts';

const echo: RpcMethod = { kind: 'unary', call: (request) => request };
const methods = new Map<string, RpcMethod>([['/Echo/Say', echo]]);
const headers = { ':method': 'POST', ':path': '/Echo/Say', 'content-type': 'application/grpc', te: 'trailers' };

const admit = (request: Parameters<typeof admitWithin>[0], known: typeof methods): ReturnType<typeof admitWithin> =>
  admitWithin(request, known, 1000);

describe('admit', () => {
  it.each(['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8', 'Application/GRPC'])(
    "takes content-type '%s'",
    (type) => {
      expect(admit({ ...headers, 'content-type': type }, methods)).toMatchObject({ kind: 'admitted', method: echo });
    },
  );

  it.each([
    [{ 'content-type': 'application/json' }, 415],
    [{ 'content-type': 'application/grpc-web' }, 415],
    [{ 'content-type': undefined }, 415],
    [{ ':method': 'GET' }, 405],
    [{ ':method': 'CONNECT', ':path': undefined }, 405],
  ])('answers %j with HTTP %d', (change, status) => {
    expect(admit({ ...headers, ...change }, methods)).toEqual({ kind: 'http', status });
  });

  it.each(['/Echo/Shout', '/echo/say', '', '/__proto__', '/constructor', 'toString'])(
    "knows no method '%s'",
    (path) => {
      const admission = admit({ ...headers, ':path': path }, methods);
      expect(admission).toMatchObject({ kind: 'refused', status: { code: grpcStatus.unimplemented } });
    },
  );

  it('counts headers as HTTP/2 does, and refuses too many', () => {
    // The four headers take 7 + 4, 5 + 9, 12 + 16 and 2 + 8 bytes, and 32 each.
    expect(admitWithin(headers, methods, 191)).toMatchObject({ kind: 'admitted' });
    expect(admitWithin(headers, methods, 190)).toMatchObject({
      kind: 'refused',
      status: { code: grpcStatus.resourceExhausted, message: expect.stringMatching(/191 bytes.*190/) },
    });
    const more = { ...headers, 'set-cookie': ['a', 'b'.repeat(600)] };
    expect(admit(more, methods).kind).toBe('admitted');
    expect(admit({ ...more, 'x-more': 'c'.repeat(200) }, methods).kind).toBe('refused');
  });

  it('reads the timeout, and refuses a malformed one', () => {
    expect(admit({ ...headers, 'grpc-timeout': '250m' }, methods)).toMatchObject({ timeoutMs: 250 });
    expect(admit(headers, methods)).toMatchObject({ timeoutMs: undefined });
    expect(admit({ ...headers, 'grpc-timeout': 'soon' }, methods)).toMatchObject({
      kind: 'refused',
      status: { code: grpcStatus.internal, message: expect.stringContaining("'soon'") },
    });
  });

  it.each([
    [undefined, grpcStatus.internal],
    ['identity', grpcStatus.internal],
    ['gzip', grpcStatus.unimplemented],
  ])('with grpc-encoding %s, compressed messages mean code %d', (encoding, code) => {
    expect(admit({ ...headers, 'grpc-encoding': encoding }, methods)).toMatchObject({ onCompressed: { code } });
  });
});
