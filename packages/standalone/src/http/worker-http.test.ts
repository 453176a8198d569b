import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkerHttp } from './worker-http.ts';

const seen: { url: string | undefined; method: string | undefined; rawHeaders: readonly string[]; port: number }[] = [];
const server = createServer((incoming, response) => {
  const { url, method, rawHeaders, socket } = incoming;
  seen.push({ url, method, rawHeaders, port: socket.remotePort ?? 0 });
  response.writeHead(200, { 'x-large': 'x'.repeat(30_000) }).end('answer');
});
const workerHttp = createWorkerHttp();
let port: number;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(() => {
  workerHttp.close();
  server.close();
});

function call(httpUri: string, target: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = ['Host', 'worker', 'X-One', 'a', 'x-one', 'b'];
    const request = workerHttp.open({ httpUri, method: 'GET', target, headers });
    request.once('response', (response) => response.resume().once('end', () => resolve(response)));
    request.once('error', reject);
    request.end();
  });
}

describe('createWorkerHttp', () => {
  it.each([
    ['https:// there', 'https://10.1.2.3:1/', false, true],
    ['http:// there where that is allowed', 'http://10.1.2.3:1/', true, true],
    ['http:// there', 'http://10.1.2.3:1/', false, false],
    ['https:// elsewhere', 'https://10.1.3.3:1/', true, false],
    ['another protocol', 'ftp://10.1.2.3/', true, false],
    ['http:// of this machine', 'http://127.0.0.1:1/', false, true],
  ])('with a network of sidecars, calls %s: %s', (_where, httpUri, allowClear, isCalled) => {
    const remote = createWorkerHttp({ networks: (host) => host === '10.1.2.3', allowClear });
    const open = (): void => {
      remote
        .open({ httpUri, method: 'GET', target: '/', headers: [] })
        .on('error', () => {})
        .destroy();
    };
    if (isCalled) open();
    else expect(open).toThrow(expect.objectContaining({ code: 'WORKER_HTTP_ADDRESS' }));
    remote.close();
  });

  it('believes the certificate of one sidecar at its own place, whatever it believes elsewhere', async () => {
    const [one, other] = [createSelfSigned('sidecar', ['sidecar']), createSelfSigned('other')];
    const secure = createSecureServer({ cert: one.certificate, key: one.key }, (_incoming, response) => response.end());
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const origin = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    const pinned = { ca: one.certificate, servername: 'sidecar' };
    const ask = async (certificateAt: (at: string) => typeof pinned | undefined): Promise<number | undefined> => {
      const remote = createWorkerHttp({
        ...{ networks: () => true, authority: other.certificate, allowClear: false, certificateAt },
      });
      try {
        const asking = remote.open({ httpUri: origin, method: 'GET', target: '/', headers: ['Host', 'worker'] });
        const [answer] = (await once(asking.end(), 'response')) as [IncomingMessage];
        return answer.resume().statusCode;
      } finally {
        remote.close();
      }
    };
    expect(await ask((at) => (at === origin ? pinned : undefined))).toBe(200);
    await expect(ask(() => undefined)).rejects.toThrow('self-signed');
    await expect(ask(() => ({ ca: other.certificate, servername: 'sidecar' }))).rejects.toThrow('self-signed');
    secure.close();
  });

  it('sends the target and the headers as they are, below the path of the address', async () => {
    await call(`http://localhost:${port}/`, '/api/a%2Fb//..?x=1&x=2');
    await call(`http://127.0.0.1:${port}/below`, '/api');
    expect(seen.map(({ method, url }) => [method, url])).toEqual([
      ['GET', '/api/a%2Fb//..?x=1&x=2'],
      ['GET', '/below/api'],
    ]);
    expect(seen[0]?.rawHeaders.slice(0, 6)).toEqual(['Host', 'worker', 'X-One', 'a', 'x-one', 'b']);
  });

  it('keeps connections for the next request, and takes large heads', async () => {
    const first = await call(`http://127.0.0.1:${port}`, '/one');
    await call(`http://127.0.0.1:${port}`, '/two');
    expect(first.headers['x-large']).toHaveLength(30_000);
    const [one, two] = seen.slice(-2);
    expect(one?.port).toBe(two?.port);
  });

  it.each(['http://169.254.169.254/', 'https://localhost:1/', 'http://example.com/', 'ftp://localhost/'])(
    'refuses %s',
    (httpUri) => {
      const open = (): unknown => workerHttp.open({ httpUri, method: 'GET', target: '/', headers: [] });
      expect(open).toThrow(`The worker announced '${httpUri}'`);
    },
  );
});
