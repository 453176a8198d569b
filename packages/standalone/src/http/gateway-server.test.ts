import { Agent, get } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGatewayServer, type GatewayServer } from './gateway-server.ts';

const host = '127.0.0.1';
let gateway: GatewayServer;
let port: number;
beforeEach(async () => {
  gateway = createGatewayServer();
  port = await gateway.listen({ host, port: 0 });
});
afterEach(() => gateway.close());

/** The body of the answer, or the code of the error. */
function fetchPath(path: string): Promise<string> {
  return new Promise((resolve) => {
    get({ host, port, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => resolve(body));
      response.once('error', () => resolve('broken'));
    }).once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
  });
}

describe('createGatewayServer', () => {
  it('holds requests until there is a handler, and serves them in their order', async () => {
    const order: string[] = [];
    const early = fetchPath('/early');
    await expect.poll(() => gateway.held).toBe(1);
    const second = fetchPath('/second');
    await expect.poll(() => gateway.held).toBe(2);
    gateway.serve((request, response) => {
      order.push(request.url ?? '');
      response.end(`served ${request.url}`);
    });
    expect(await Promise.all([early, second])).toEqual(['served /early', 'served /second']);
    expect(await fetchPath('/late')).toBe('served /late');
    expect(order).toEqual(['/early', '/second', '/late']);
    expect(gateway.held).toBe(0);
  });

  it('lets a request end after it has stopped listening, and takes no new one', async () => {
    let finish: () => void = () => {};
    const arrived = new Promise<void>((resolve) => {
      gateway.serve((_request, response) => {
        finish = () => response.end('done');
        resolve();
      });
    });
    const answer = fetchPath('/slow');
    await arrived;
    gateway.stopListening();
    expect(await fetchPath('/new')).toBe('ECONNREFUSED');
    finish();
    expect(await answer).toBe('done');
  });

  it('tells callers on open connections that these end with the answer', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const connectionOf = (path: string): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        get({ host, port, path, agent }, (response) => {
          response.resume().once('end', () => resolve(response.headers.connection));
        }).once('error', reject);
      });
    try {
      gateway.serve((_request, response) => response.end());
      expect(await connectionOf('/before')).toBe('keep-alive');
      gateway.serve((_request, response) => {
        gateway.stopListening();
        response.end();
      });
      expect(await connectionOf('/during')).toBe('close');
    } finally {
      agent.destroy();
    }
  });

  it('stops listening, and cuts what is still open, when it closes', async () => {
    const arrived = new Promise<void>((resolve) => gateway.serve(() => resolve()));
    const answer = fetchPath('/never');
    await arrived;
    gateway.close();
    expect(await answer).toBe('ECONNRESET');
    expect(await fetchPath('/new')).toBe('ECONNREFUSED');
  });

  it('turns requests away when too many wait already', async () => {
    const small = createGatewayServer({ maxHeld: 1 });
    port = await small.listen({ host, port: 0 });
    const first = fetchPath('/first');
    await expect.poll(() => small.held).toBe(1);
    expect(await fetchPath('/second')).toContain('still starting');
    small.close();
    expect(await first).toBe('ECONNRESET');
  });
});
