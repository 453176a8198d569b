import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { systemClock } from '@switchyard/kernel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CapabilityInstance } from '../capability-module.ts';
import { codeOf } from '../testing/code-of.ts';
import { methodsOf } from '../testing/methods-of.ts';
import type { ResolvedAddress } from './guarded-agent.ts';
import type { HttpResponse } from './http-client.ts';
import { createWebCapability } from './web-capability.ts';

let server: Server;
let port: number;
let instance: CapabilityInstance;
let asked: string[];
let seen: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let addressesOf: (host: string) => readonly string[];

/** In these tests 127.0.0.1 stands for the public internet, and 127.0.0.2 for a private network. */
const publicAddress = '127.0.0.1';
const privateAddress = '127.0.0.2';

beforeEach(async () => {
  asked = [];
  seen = [];
  addressesOf = () => [publicAddress];
  answer = (_request, response) => response.end('hello');
  server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  port = (server.address() as AddressInfo).port;
  await open({});
});

afterEach(async () => {
  await instance.dispose?.();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function open(config: Readonly<Record<string, unknown>>): Promise<void> {
  await instance?.dispose?.();
  const resolve = async (host: string): Promise<ResolvedAddress[]> => {
    asked.push(host);
    return addressesOf(host).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  const reasonAgainst = (address: string): string | undefined =>
    address === publicAddress ? undefined : `${address} is private`;
  instance = await createWebCapability({ clock: systemClock, resolve, reasonAgainst }).create({
    ...{ name: 'web', version: '1.0.0', shard: 's', statePath: null },
    config: { ports: [port], timeoutMs: 5_000, ...config },
  });
}

const fetch = async (path: string, request: unknown = {}, host = 'site.example'): Promise<HttpResponse> =>
  (await methodsOf(instance)('fetch', [
    path.startsWith('http') ? path : `http://${host}:${port}${path}`,
    request,
  ])) as HttpResponse;

const codeOfFetch = (path: string, request?: unknown, host?: string) => codeOf(() => fetch(path, request, host));

const textOf = ({ body }: HttpResponse): string => Buffer.from(body).toString('utf8');

test('fetches, and tells status, headers and body', async () => {
  answer = (request, response) => {
    response.writeHead(418, { 'x-a': 'b', 'content-type': 'text/plain' });
    request.pipe(response);
  };
  const response = await fetch('/tea', { method: 'POST', headers: { 'X-Mine': '1' }, body: 'hot' });
  expect([response.status, response.headers['x-a'], textOf(response)]).toEqual([418, 'b', 'hot']);
  expect(seen[0]?.headers).toMatchObject({ 'x-mine': '1', 'content-length': '3', host: `site.example:${port}` });
});

test('I1: a name is asked for once per connection, and a later answer changes nothing', async () => {
  let answers = 0;
  addressesOf = () => {
    answers += 1;
    return [answers === 1 ? publicAddress : privateAddress];
  };
  answer = (_request, response) => response.writeHead(200, { connection: 'close' }).end('first');
  expect(textOf(await fetch('/'))).toBe('first');
  expect(answers).toBe(1);
  expect(await codeOfFetch('/')).toBe('WEB_TARGET_REFUSED');
  expect(seen).toHaveLength(1);
});

test('I2: one private address among many refuses the name', async () => {
  addressesOf = () => [publicAddress, privateAddress];
  await expect(fetch('/')).rejects.toThrow('127.0.0.2 is private');
  addressesOf = () => ['::ffff:127.0.0.1'];
  expect(await codeOfFetch('/')).toBe('WEB_TARGET_REFUSED');
  expect(seen).toHaveLength(0);
});

test('I3: the operator allows a private host by name and port, and nothing beside it', async () => {
  await open({ allow: [`inside.example:${port}`] });
  addressesOf = () => [privateAddress];
  expect(textOf(await fetch('/', {}, 'inside.example'))).toBe('hello');
  expect(await codeOfFetch('/', {}, 'site.example')).toBe('WEB_TARGET_REFUSED');
});

test('the real policy refuses this machine under every name', async () => {
  await instance.dispose?.();
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  instance = await createWebCapability({ clock: systemClock, resolve }).create({
    ...{ name: 'web', version: '1.0.0', shard: 's', statePath: null, config: { ports: [port] } },
  });
  for (const host of ['site.example', 'localhost', '127.0.0.1', '[::ffff:127.0.0.1]', '0x7f.1', '169.254.169.254'])
    expect(await codeOfFetch('/', {}, host)).toBe('WEB_TARGET_REFUSED');
  expect(seen).toHaveLength(0);
});

test('a redirect is checked like an address of its own', async () => {
  const targets = [
    'http://127.0.0.2/',
    `http://127.0.0.1.evil.example:${port}/`,
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'http://[::1]/',
    'gopher://x',
  ];
  addressesOf = (host) => [host.endsWith('evil.example') ? privateAddress : publicAddress];
  for (const location of targets) {
    answer = (_request, response) => response.writeHead(302, { location }).end();
    expect(await codeOfFetch('/')).toBe('WEB_TARGET_REFUSED');
  }
  expect(seen).toHaveLength(targets.length);
});

test('follows redirects, keeps to their number, and tells the way', async () => {
  answer = (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end('there');
    else response.writeHead(302, { location: `/${left - 1}` }).end('ignored');
  };
  const response = await fetch('/3');
  expect([textOf(response), response.redirects.length, response.url]).toEqual([
    'there',
    3,
    `http://site.example:${port}/0`,
  ]);
  expect(await codeOfFetch('/6')).toBe('WEB_LIMIT_EXCEEDED');
});

test('credentials do not follow to another origin; a see-other becomes a GET', async () => {
  answer = (request, response) => {
    if (request.url === '/a') response.writeHead(303, { location: `http://other.example:${port}/b` }).end();
    else response.end('b');
  };
  const headers = { Authorization: 'Bearer x', Cookie: 'a=b', 'X-Kept': 'yes', 'Content-Type': 'text/plain' };
  await fetch('/a', { method: 'POST', headers, body: 'x' });
  expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer x', cookie: 'a=b' });
  expect(seen[1]?.method).toBe('GET');
  expect(seen[1]?.headers).toMatchObject({ 'x-kept': 'yes', host: `other.example:${port}` });
  for (const name of ['authorization', 'cookie', 'content-type']) expect(seen[1]?.headers[name]).toBeUndefined();
});

test.each([
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
] as const)('unpacks %s, and stops when it unpacks to too much', async (encoding, pack) => {
  await open({ maxResponseBytes: 100_000 });
  const send = (content: Buffer) => {
    answer = (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(pack(content));
  };
  send(Buffer.from('packed'));
  expect(textOf(await fetch('/'))).toBe('packed');
  send(Buffer.alloc(50_000_000));
  expect(await codeOfFetch('/')).toBe('WEB_LIMIT_EXCEEDED');
});

test('a body without end is given up at the limit', async () => {
  await open({ maxResponseBytes: 100_000 });
  answer = (_request, response) => {
    const write = (): void => {
      while (response.write(Buffer.alloc(10_000)));
    };
    response.on('drain', write);
    write();
  };
  expect(await codeOfFetch('/')).toBe('WEB_LIMIT_EXCEEDED');
});

test('an answer that does not come is given up in time, and so is one whose lease ended', async () => {
  answer = () => {};
  expect(await codeOfFetch('/', { timeoutMs: 100 })).toBe('WEB_DEADLINE_PASSED');
  answer = (_request, response) => response.write('begun, never ended');
  expect(await codeOfFetch('/', { timeoutMs: 100 })).toBe('WEB_DEADLINE_PASSED');
  const controller = new AbortController();
  const url = `http://site.example:${port}/`;
  answer = () => controller.abort(new Error('released'));
  await expect(methodsOf(instance)('fetch', [url], { signal: controller.signal })).rejects.toThrow('released');
});

test('a host that is not there, or speaks no HTTP, is named', async () => {
  answer = (request) => request.socket.end('no http at all\r\n\r\n');
  expect(await codeOfFetch('/')).toBe('WEB_REQUEST_FAILED');
  addressesOf = () => [];
  await expect(fetch('/?token=secret', {}, 'none.example')).rejects.toThrow(/'none\.example' has no address/);
  const failure = await fetch('/?token=secret', {}, 'none.example').catch(String);
  expect(failure).not.toContain('secret');
});

test.each([
  [{ method: 'TRACE' }],
  [{ method: 'GET', body: 'x' }],
  [{ headers: { Host: 'other' } }],
  [{ headers: { 'Transfer-Encoding': 'chunked' } }],
  [{ headers: { 'x-a': 'b\r\nx-c: d' } }],
  [{ headers: { 'x a': 'b' } }],
  [{ headers: { 'x-a': 7 } }],
  [{ timeoutMs: 0 }],
  [{ method: 'POST', body: 'x'.repeat(2_000_000) }],
])('refuses the request %j', async (request) => {
  expect(await codeOfFetch('/', request)).toBe('PARAMETER_INVALID');
  expect(seen).toHaveLength(0);
});

test('reads JSON and says when it is none; continues the trace', async () => {
  const web = methodsOf(instance);
  answer = (_request, response) => response.end('{"a":[1]}');
  const url = `http://site.example:${port}/`;
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  expect(await web('fetchJson', [url], { traceparent })).toEqual({ status: 200, url, json: { a: [1] } });
  expect(seen[0]?.headers.traceparent).toBe(traceparent);
  answer = (_request, response) => response.end('<html>');
  expect(await codeOf(() => web('fetchJson', [url]))).toBe('PARAMETER_INVALID');
});

test.each([[{ ports: 80 }], [{ ports: [0] }], [{ allow: ['no-port'] }], [{ timeoutMs: -1 }], [{ maxRedirects: 1.5 }]])(
  'refuses the configuration %j',
  async (config) => {
    expect(await codeOf(() => open(config))).toBe('CAPABILITY_CONFIG_INVALID');
  },
);
