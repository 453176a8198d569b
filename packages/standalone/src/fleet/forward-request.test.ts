import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Agent as SecureAgent } from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { callerHeader, type ForwardTarget, forwardRequest, gatewayKeyHeader } from './forward-request.ts';

type Handler = (incoming: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
const agents: Agent[] = [];
afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(handler: Handler): Promise<number> {
  const server = createServer(handler);
  server.on('checkContinue', handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A gateway in front of a Runtime; what happened to its requests is in `events`. */
async function open(runtime: Handler | number, secure: Partial<ForwardTarget> = {}) {
  const agent = new Agent({ keepAlive: true });
  agents.push(agent);
  const port = typeof runtime === 'number' ? runtime : await serve(runtime);
  const plain = { runtimeId: 'r2', url: new URL(`http://127.0.0.1:${port}`), agent, key: 'secret' };
  const target: ForwardTarget = { ...plain, ...secure };
  const events: string[] = [];
  const gateway = await serve((incoming, response) =>
    forwardRequest(target, incoming, response, {
      onUnreachable() {
        events.push('unreachable');
        response.writeHead(503).end('elsewhere');
      },
      onEnd: () => events.push('end'),
    }),
  );
  const send = (options: Record<string, unknown> = {}) =>
    request({ port: gateway, host: '127.0.0.1', path: '/work?a=1', headers: { host: 'shop.localhost' }, ...options });
  return { gateway, events, send };
}

/** The system refuses its connections at once, as when there are too many. */
class FailingAgent extends Agent {
  override createConnection(): Socket {
    return new Socket().destroy(new Error('connect EMFILE'));
  }
}

async function answerOf(outgoing: ReturnType<typeof request>) {
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, text: await text(answer) };
}

describe('forwardRequest', () => {
  it('I1: method, path, headers, host name and caller arrive, and what callers claim for themselves does not', async () => {
    const seen: Record<string, unknown>[] = [];
    const { send, events } = await open((incoming, response) => {
      const { method, url, headers } = incoming;
      seen.push({ method, url, ...headers });
      response.writeHead(201, { 'x-answer': 'yes', connection: 'close' });
      incoming.pipe(response);
    });
    const headers = {
      host: 'shop.localhost',
      'X-Mixed': 'Case',
      [gatewayKeyHeader]: 'mine',
      [callerHeader]: '6.6.6.6',
    };
    const outgoing = send({ method: 'POST', headers });
    outgoing.end('body');
    expect(await answerOf(outgoing)).toMatchObject({ status: 201, text: 'body', headers: { 'x-answer': 'yes' } });
    expect(seen).toEqual([
      expect.objectContaining({
        ...{ method: 'POST', url: '/work?a=1', host: 'shop.localhost', 'x-mixed': 'Case' },
        ...{ [gatewayKeyHeader]: 'secret', [callerHeader]: '127.0.0.1' },
      }),
    ]);
    expect(events).toEqual(['end']);
  });

  it('I1: bodies flow both ways at once, no faster than they are taken', async () => {
    const { send } = await open((incoming, response) => incoming.pipe(response));
    const outgoing = send({ method: 'POST' });
    outgoing.write('first');
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    const [chunk] = (await once(answer, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('first');
    answer.pause();
    const block = Buffer.alloc(1_000_000);
    let written = 0;
    while (outgoing.write(block)) written += 1;
    for (; written < 200 && outgoing.writableNeedDrain === false; written += 1) outgoing.write(block);
    // Nobody reads, so somebody has to wait.
    expect(outgoing.writableNeedDrain).toBe(true);
    answer.resume();
    await once(outgoing, 'drain');
    outgoing.destroy();
  });

  it('I2: a request that finds no connection may go elsewhere, with its body', async () => {
    const gone = await serve(() => {});
    servers.splice(-1)[0]?.close();
    const { send, events } = await open(gone);
    const outgoing = send({ method: 'POST' });
    outgoing.end('body');
    expect(await answerOf(outgoing)).toMatchObject({ status: 503, text: 'elsewhere' });
    expect(events).toEqual(['end', 'unreachable']);
  });

  it('I2: a request whose connection is refused at once may go elsewhere as well', async () => {
    const { send, events } = await open(1, { agent: new FailingAgent() });
    const outgoing = send({ method: 'POST' });
    outgoing.end('body');
    expect(await answerOf(outgoing)).toMatchObject({ status: 503, text: 'elsewhere' });
    expect(events).toEqual(['end', 'unreachable']);
  });

  it('I1: an answer arrives whole, and its head before a body that takes its time', async () => {
    const headSeen = Promise.withResolvers<void>();
    const { send } = await open((incoming, response) => {
      response.writeHead(incoming.url === '/none' ? 204 : 200, { 'x-answer': 'yes' });
      if (incoming.url === '/none') response.end();
      else if (incoming.url === '/now') response.end('at once');
      else {
        response.flushHeaders();
        void headSeen.promise.then(() => response.end('late'));
      }
    });
    const seen: string[] = [];
    for (const path of ['/now', '/none', '/later']) {
      const outgoing = send({ path });
      if (path === '/later') outgoing.once('response', () => headSeen.resolve());
      outgoing.end();
      const { status, text, headers } = await answerOf(outgoing);
      seen.push(`${status} ${headers['x-answer']} ${text}`);
    }
    expect(seen).toEqual(['200 yes at once', '204 yes ', '200 yes late']);
  });

  it('I2: a Runtime whose certificate nobody vouches for gets nothing of the request', async () => {
    const { certificate: cert, key } = createSelfSigned('runtime');
    const secure = createSecureServer({ cert, key }, (_incoming, response) => response.end('never'));
    servers.push(secure);
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const { port } = secure.address() as AddressInfo;
    const { send, events } = await open(port, { url: new URL(`https://127.0.0.1:${port}`), agent: new SecureAgent() });
    for (const headers of [{ host: 'shop.localhost' }, { host: 'shop.localhost', expect: '100-continue' }]) {
      const outgoing = send({ method: 'POST', headers });
      outgoing.end('body');
      expect(await answerOf(outgoing)).toMatchObject({ status: 503, text: 'elsewhere' });
    }
    expect(events).toEqual(['end', 'unreachable', 'end', 'unreachable']);
  });

  it('I2, I3: a request that was begun is not sent again: 502 says whose it was', async () => {
    let count = 0;
    const { send, events } = await open((incoming) => {
      count += 1;
      incoming.socket.destroy();
    });
    const outgoing = send({ method: 'POST' });
    outgoing.end('body');
    expect(await answerOf(outgoing)).toMatchObject({
      status: 502,
      headers: { 'x-switchyard-error': 'FLEET_RUNTIME_LOST' },
      text: expect.stringMatching(/^FLEET_RUNTIME_LOST: The Runtime 'r2' ended/),
    });
    expect([count, events]).toEqual([1, ['end']]);
  });

  it('I3: an answer that has begun breaks off where its Runtime does', async () => {
    const { send } = await open((incoming, response) => {
      response.writeHead(200);
      response.write('half', () => incoming.socket.destroy());
    });
    const outgoing = send();
    outgoing.end();
    await expect(answerOf(outgoing)).rejects.toThrow(/aborted/);
  });

  it('I3: when the caller leaves, the Runtime hears of it', async () => {
    const left = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { send } = await open((_incoming, response) => {
      response.once('close', () => left.resolve());
      begun.resolve();
    });
    const outgoing = send();
    outgoing.on('error', () => {});
    outgoing.end();
    await begun.promise;
    outgoing.destroy();
    await left.promise;
    expect(outgoing.destroyed).toBe(true);
  });

  it('I4: the Runtime says whether the body shall come', async () => {
    const { send } = await open((incoming, response) => {
      if (incoming.url === '/no') {
        response.writeHead(417).end('no');
        return;
      }
      response.writeContinue();
      incoming.pipe(response);
    });
    const headers = { host: 'shop.localhost', expect: '100-continue', 'content-length': '4' };
    const outgoing = send({ method: 'POST', headers });
    outgoing.flushHeaders();
    await once(outgoing, 'continue');
    outgoing.end('body');
    expect(await answerOf(outgoing)).toMatchObject({ status: 200, text: 'body' });
    const refused = send({ method: 'POST', headers, path: '/no' });
    refused.flushHeaders();
    expect(await answerOf(refused)).toMatchObject({ status: 417, text: 'no' });
    refused.destroy();
  });
});
