import { createServer, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMemoryLog } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { createServiceFront } from './service-front.ts';
import type { RouteChoice } from './service-routes.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const port = await listen(() => {});
  const server = servers.pop();
  await new Promise((resolve) => server?.close(resolve));
  return port;
}

/** A front whose requests go to these ports in turn. */
async function open(ports: readonly number[], refusal: Exclude<RouteChoice['kind'], 'pod'> = 'unknown') {
  const asked: string[] = [];
  const suspended: string[] = [];
  const under = { way: 0 };
  const rest = [...ports];
  const front = createServiceFront({
    log: createMemoryLog(),
    request,
    routes: {
      choose(serviceId) {
        asked.push(serviceId);
        const port = rest.shift();
        if (port === undefined) return { kind: refusal };
        under.way += 1;
        const done = (): void => {
          under.way -= 1;
        };
        return { kind: 'pod', endpoint: `http://127.0.0.1:${port}`, done };
      },
      suspend: (_, endpoint) => void suspended.push(endpoint),
    },
  });
  const at = await listen(front);
  const send = (host: string, body?: string) =>
    new Promise<{ status: number; text: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST';
      const outgoing = request(
        { host: '127.0.0.1', port: at, path: '/items?x=1', method, headers: { host } },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              text: Buffer.concat(chunks).toString(),
              headers: answer.headers,
            }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  return { asked, suspended, under, send };
}

const echo: RequestListener = (incoming, response) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const { 'x-forwarded-host': host, 'x-forwarded-for': client } = incoming.headers;
    response.writeHead(201, { 'content-type': 'application/json', 'x-own': 'yes' });
    response.end(JSON.stringify({ url: incoming.url, body: Buffer.concat(chunks).toString(), host, client }));
  });
};

describe('createServiceFront', () => {
  it.each([
    ['shop.localhost:7075', 'shop'],
    ['shop.v2.localhost', 'shop.v2'],
    ['Shop.example.com', 'shop'],
  ])('takes %s for the service %s', async (host, serviceId) => {
    const { asked, send } = await open([]);
    expect(await send(host)).toMatchObject({ status: 404 });
    expect(asked).toEqual([serviceId]);
  });

  it('brings a request to a pod and its answer back, with headers and body', async () => {
    const { under, send } = await open([await listen(echo)]);
    const { status, text, headers } = await send('shop.localhost', 'hello');
    expect([status, headers['x-own']]).toEqual([201, 'yes']);
    expect(JSON.parse(text)).toEqual({ url: '/items?x=1', body: 'hello', host: 'shop.localhost', client: '127.0.0.1' });
    await expect.poll(() => under.way).toBe(0);
  });

  it('goes to the next pod where nobody listens, with the whole body', async () => {
    const gone = await closedPort();
    const { suspended, send } = await open([gone, await listen(echo)]);
    expect(JSON.parse((await send('shop.localhost', 'hello')).text)).toMatchObject({ body: 'hello' });
    expect(suspended).toEqual([`http://127.0.0.1:${gone}`]);
  });

  it('does not send twice what a pod has taken', async () => {
    const other = { calls: 0 };
    const breaking = await listen((incoming) => incoming.socket.destroy());
    const good = await listen((_, response) => {
      other.calls += 1;
      response.end();
    });
    const { send } = await open([breaking, good]);
    expect((await send('shop.localhost', 'hello')).status).toBe(502);
    expect(other.calls).toBe(0);
  });

  it.each(['down', 'full'] as const)('answers 503 when its pods are %s', async (kind) => {
    const { send } = await open([], kind);
    expect(await send('shop.localhost')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });
});
