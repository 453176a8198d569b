import { createServer, type RequestListener, request, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createNodeClient } from './node-client.ts';
import type { HandlerClient, HandlerOutcome, HandlerRequest } from './ports.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

function createClient(replyBytes = 1_000_000): HandlerClient {
  const client = createNodeClient(request, { replyBytes, connections: 8 });
  closers.push(() => client.close());
  return client;
}

function get(port: number, given: Partial<HandlerRequest> = {}): HandlerRequest {
  return { port, method: 'GET', path: '/', headers: [['host', 'h']], body: new Uint8Array(), ...given };
}

const forever = new AbortController().signal;

function bodyOf(outcome: HandlerOutcome): string {
  return outcome.kind === 'replied' ? new TextDecoder().decode(outcome.reply.body) : outcome.kind;
}

describe('createNodeClient', () => {
  test('sends what it is given and nothing of its own', async () => {
    const { port } = await serve((incoming, response) => {
      const chunks: Uint8Array[] = [];
      incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      incoming.on('end', () => {
        const { method, url, rawHeaders } = incoming;
        response.end(JSON.stringify({ method, url, rawHeaders, body: Buffer.concat(chunks).toString('hex') }));
      });
    });
    const outcome = await createClient().send(
      get(port, {
        method: 'POST',
        path: '/a?b=1',
        headers: [
          ['host', 'somewhere:1'],
          ['X-Mixed', 'a'],
          ['x-mixed', 'b'],
        ],
        body: new Uint8Array([0, 255]),
      }),
      forever,
    );
    expect(JSON.parse(bodyOf(outcome))).toEqual({
      method: 'POST',
      url: '/a?b=1',
      rawHeaders: [
        'host',
        'somewhere:1',
        'X-Mixed',
        'a',
        'x-mixed',
        'b',
        'content-length',
        '2',
        'Connection',
        'keep-alive',
      ],
      body: '00ff',
    });
  });

  test('gives back status, headers and bytes as they came, redirects and errors too', async () => {
    const { port } = await serve((_incoming, response) => {
      response.sendDate = false;
      response.writeHead(307, 'Go There', ['Location', '/x', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
      response.end(Buffer.from([137, 80]));
    });
    const outcome = await createClient().send(get(port), forever);
    expect(outcome).toMatchObject({
      kind: 'replied',
      reply: { status: 307, statusText: 'Go There', body: Buffer.from([137, 80]) },
    });
    expect(outcome.kind === 'replied' && outcome.reply.headers.slice(0, 3)).toEqual([
      ['Location', '/x'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
  });

  test('a connection that the handler closed while it was idle is replaced', async () => {
    const { port, server } = await serve((_incoming, response) => response.end('ok'));
    const client = createClient();
    expect(bodyOf(await client.send(get(port), forever))).toBe('ok');
    server.closeIdleConnections();
    expect(bodyOf(await client.send(get(port), forever))).toBe('ok');
  });

  test('a handler that hangs up is unreachable, and so is nobody', async () => {
    const { port, server } = await serve((incoming) => incoming.socket.destroy());
    const client = createClient();
    expect(await client.send(get(port), forever)).toMatchObject({ kind: 'unreachable' });
    await new Promise((resolve) => server.close(resolve));
    const outcome = await client.send(get(port), forever);
    expect(outcome).toMatchObject({ kind: 'unreachable', reason: expect.stringContaining('ECONNREFUSED') });
  });

  test('an answer that breaks off, or is no HTTP, is no answer', async () => {
    const { port } = await serve((_incoming, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    });
    expect(await createClient().send(get(port), forever)).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringContaining('the answer broke off'),
    });
    const tcp = createTcpServer((socket) => socket.end('what?\r\n\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => tcp.once('listening', resolve));
    closers.push(() => tcp.close());
    const outcome = await createClient().send(get((tcp.address() as AddressInfo).port), forever);
    expect(outcome.kind).toBe('unreachable');
  });

  test('an answer beyond the limit is given up', async () => {
    const { port } = await serve((_incoming, response) => {
      response.write(Buffer.alloc(600));
      response.end(Buffer.alloc(600));
    });
    expect(await createClient(1_000).send(get(port), forever)).toEqual({ kind: 'too-long', limitBytes: 1_000 });
    expect(bodyOf(await createClient(1_200).send(get(port), forever))).toHaveLength(1_200);
  });

  test('aborting ends the request, before its answer and within it', async () => {
    const controller = new AbortController();
    const { port } = await serve((_incoming, response) => {
      response.write('begun');
      setImmediate(() => controller.abort());
    });
    expect(await createClient().send(get(port), controller.signal)).toEqual({ kind: 'aborted' });
    expect(await createClient().send(get(port), controller.signal)).toEqual({ kind: 'aborted' });
  });

  test('what HTTP cannot carry is told apart', async () => {
    const client = createClient();
    expect(await client.send(get(1, { headers: [['x', 'a\r\nb']] }), forever)).toMatchObject({ kind: 'invalid' });
    expect(await client.send(get(1, { path: '/a b' }), forever)).toMatchObject({ kind: 'invalid' });
  });
});
