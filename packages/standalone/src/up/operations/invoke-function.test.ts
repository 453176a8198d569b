import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InvokeRequest } from '@switchyard/protocol/control-api';
import type { FunctionStatus } from '@switchyard/runtime';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { invokeFunction } from './invoke-function.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Seen {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function open(answer: RequestListener = (_, response) => response.end('done')) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url: path, headers } = request;
    seen.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
    answer(request, response);
  });
  closing.push(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const invoke = (called: FunctionStatus, request: InvokeRequest = {}) => {
    const target = { applicationId: 'shop', function: called, host: '127.0.0.1', port, key: 'master-key' };
    return invokeFunction(new VirtualClock(), target, request, new AbortController().signal);
  };
  return { seen, invoke, port };
}

const http = (template: string, methods: readonly string[] = []): FunctionStatus => ({
  name: 'hello',
  trigger: 'httpTrigger',
  disabled: false,
  route: { template, methods, authLevel: 'anonymous' },
});
const timer: FunctionStatus = { name: 'tick', trigger: 'timerTrigger', disabled: false };

describe('invokeFunction', () => {
  it.each<[FunctionStatus, InvokeRequest, string]>([
    [http('api/hello'), {}, 'GET /api/hello'],
    [http('api/hello', ['POST']), {}, 'POST /api/hello'],
    [http('api/hello'), { input: 'x' }, 'POST /api/hello'],
    [http('api/hello/{name?}'), {}, 'GET /api/hello'],
    [http('api/{*rest}'), {}, 'GET /api'],
    [http('api/hello/{name}'), { path: '/api/hello/you?a=1', method: 'PUT' }, 'PUT /api/hello/you?a=1'],
  ])('calls %j with %j as %s', async (called, request, line) => {
    const { invoke, seen, port } = await open();
    expect(await invoke(called, request)).toMatchObject({ status: 200, body: 'done', encoding: 'utf8' });
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([line]);
    expect(seen[0]).toMatchObject({
      body: request.input ?? '',
      headers: { host: `shop.localhost:${port}`, 'x-functions-key': 'master-key' },
    });
  });

  it('calls what has no route through the admin endpoint', async () => {
    const { invoke, seen } = await open((_, response) => response.writeHead(202).end());
    expect(await invoke(timer, { input: '{"a":1}' })).toMatchObject({ status: 202, body: '' });
    expect(seen).toMatchObject([{ method: 'POST', path: '/admin/functions/tick', body: '{"input":"{\\"a\\":1}"}' }]);
  });

  it('asks for a path where the route has parameters that it cannot know', async () => {
    const { invoke, seen } = await open();
    await expect(invoke(http('api/sum/{a:int}/{b?}'))).rejects.toMatchObject({ code: 'INVOKE_PATH_NEEDED' });
    expect(seen).toEqual([]);
  });

  it('gives bytes that are no text as base64, and headers with several values as one', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    const { invoke } = await open((_, response) =>
      response.writeHead(500, { 'set-cookie': ['a=1', 'b=2'] }).end(bytes),
    );
    expect(await invoke(http('api/hello'))).toMatchObject({
      status: 500,
      body: bytes.toString('base64'),
      encoding: 'base64',
      headers: { 'set-cookie': 'a=1, b=2' },
    });
  });

  it('refuses an answer that is too long, and tells of one that breaks off', async () => {
    const long = await open((_, response) => response.end(Buffer.alloc(9 * 1024 * 1024)));
    await expect(long.invoke(http('api/hello'))).rejects.toMatchObject({ code: 'INVOKE_ANSWER_TOO_LONG' });
    const broken = await open((request) => request.socket.destroy());
    await expect(broken.invoke(http('api/hello'))).rejects.toMatchObject({ code: 'INVOKE_FAILED' });
  });
});
