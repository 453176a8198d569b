import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { callerHeader, gatewayKeyHeader } from '../forward-request.ts';
import { createGatewayDoor } from './gateway-door.ts';

function ask(key: string | undefined, opened: string | undefined) {
  const seen: IncomingMessage[] = [];
  const door = createGatewayDoor((request) => seen.push(request));
  if (opened !== undefined) door.open(opened);
  const own = key === undefined ? [] : ['X-Switchyard-Gateway', key, 'X-Switchyard-Caller', '10.1.2.3'];
  const rawHeaders = ['Host', 'shop.localhost', ...own];
  const headers = Object.fromEntries(
    rawHeaders.flatMap((name, at) => (at % 2 ? [] : [[name.toLowerCase(), rawHeaders[at + 1]]])),
  );
  const request = { headers, rawHeaders, socket: { remoteAddress: '127.0.0.1' } } as unknown as IncomingMessage;
  const status: number[] = [];
  const response = { writeHead: (code: number) => status.push(code), end: () => {} } as unknown as ServerResponse;
  door.handle(request, response);
  return { seen, status, request, door };
}

describe('createGatewayDoor', () => {
  it.each([
    ['no key', undefined, 'secret'],
    ['another key', 'guess', 'secret'],
    ['the key of a join that is over', 'secret', undefined],
    ['an empty key', '', undefined],
  ])('I1: %s is refused', (_what, key, opened) => {
    const { seen, status } = ask(key, opened);
    expect([seen, status]).toEqual([[], [403]]);
  });

  it('I2: the Runtime sees the caller, and nothing of how the request came', () => {
    const { seen, request, door } = ask('secret', 'secret');
    expect(seen).toEqual([request]);
    expect(request.rawHeaders).toEqual(['Host', 'shop.localhost']);
    expect([request.headers[gatewayKeyHeader], request.headers[callerHeader]]).toEqual([undefined, undefined]);
    expect(request.socket.remoteAddress).toBe('10.1.2.3');
    door.close();
    const again = { ...request, headers: { [gatewayKeyHeader]: 'secret' } } as unknown as IncomingMessage;
    const status: number[] = [];
    const response = { writeHead: (code: number) => status.push(code), end: () => {} } as unknown as ServerResponse;
    door.handle(again, response);
    expect(status).toEqual([403]);
  });
});
