import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDeferred } from '@switchyard/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHeldRequests, type HeldRequests, maxHeldRequests } from './held-requests.ts';

describe('createHeldRequests', () => {
  let held: HeldRequests;
  let server: Server;
  let arrived: number;
  let closed: number;
  let origin: string;
  beforeEach(async () => {
    held = createHeldRequests();
    [arrived, closed] = [0, 0];
    server = createServer((incoming, response) => {
      arrived += 1;
      response.once('close', () => {
        closed += 1;
      });
      held.listener(incoming, response);
    });
    const listening = createDeferred<void>();
    server.listen(0, '127.0.0.1', () => listening.resolve());
    await listening.promise;
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });
  const arrive = (count: number) => expect.poll(() => arrived).toBe(count);

  it('I1: serves what came before as what comes after, in order, with its body', async () => {
    const early = fetch(`${origin}/first`, { method: 'POST', body: 'hello' });
    await arrive(1);
    const next = fetch(`${origin}/second`);
    await arrive(2);
    const paths: string[] = [];
    held.serve((incoming, response) => {
      paths.push(incoming.url ?? '');
      incoming.pipe(response);
    });
    expect([await (await early).text(), (await next).status]).toEqual(['hello', 200]);
    await fetch(`${origin}/third`);
    expect(paths).toEqual(['/first', '/second', '/third']);
  });

  it('I2: serves nobody who has gone', async () => {
    const gone = request(origin).on('error', () => {});
    gone.end();
    await arrive(1);
    gone.destroy();
    await expect.poll(() => closed).toBe(1);
    const served: string[] = [];
    held.serve((incoming, response) => {
      served.push(incoming.url ?? '');
      response.end();
    });
    await fetch(`${origin}/here`);
    expect(served).toEqual(['/here']);
  });

  it('I3: holds only so many, and says so', async () => {
    const response = { destroyed: true } as never;
    for (let count = 0; count < maxHeldRequests; count += 1) held.listener({} as never, response);
    const answer = await fetch(origin);
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toMatchObject([
      503,
      '1',
      { error: { code: 'STARTING' } },
    ]);
  });
});
