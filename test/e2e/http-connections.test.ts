/** HTTP on the wire: raw connections, odd and broken requests, slow and vanishing callers, many at once, large bodies. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, startDevProcess, testApp } from './dev-process.ts';
import { bodyOf, callAtOnce, exchangeRaw, openRequest } from './http-client.ts';

const megabyte = 1_048_576;

describe('connections', () => {
  let dev: DevProcess;
  let port: number;
  beforeAll(async () => {
    dev = await startDevProcess({ apps: [testApp('http-v4')], flags: ['--no-azurite'] });
    port = await dev.port();
  });
  afterAll(() => dev.close());

  const get = (path: string, ...headers: string[]) =>
    `GET /site/v1/${path} HTTP/1.1\r\n${['Host: h', ...headers].join('\r\n')}\r\n\r\n`;
  const close = 'Connection: close';
  const cancelledOnes = async (): Promise<string[]> => JSON.parse((await dev.request('/site/v1/cancelled')).text);

  describe('requests that are odd but right', () => {
    it('serves HTTP/1.0, with and without a host and a kept connection', async () => {
      const plain = await exchangeRaw(port, 'GET /site/v1/answer/text HTTP/1.0\r\n\r\n');
      expect(plain.received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]*gr/);
      expect(plain.received).not.toContain('Transfer-Encoding');
      const kept = await exchangeRaw(
        port,
        'GET /site/v1/answer/text HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /site/v1/answer/text HTTP/1.0\r\n\r\n',
      );
      expect(kept.received.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    });

    it('answers pipelined requests in their order, whichever function is done first', async () => {
      const { received } = await exchangeRaw(
        port,
        get('slow/300?name=first') + get('answer/text') + get('slow/10') + get('answer/json', close),
      );
      const bodies = received.split(/(?=HTTP\/1\.1 )/).map((one) => one.split('\r\n\r\n')[1]);
      expect(bodies).toEqual(['slow', 'gr\u00c3\u00bc\u00c3\u009fe', 'slow', expect.stringContaining('{"a":[1')]);
    });

    it('takes an absolute target, and the host in it', async () => {
      const { received } = await exchangeRaw(
        port,
        'GET http://other.example:99/site/v1/see?a=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
      );
      expect(received).toContain('"url":"http://other.example:99/site/v1/see?a=1"');
    });

    it('reads a head that comes byte by byte, and a body that does', async () => {
      const request = `POST /site/v1/mirror HTTP/1.1\r\nHost: h\r\n${close}\r\nContent-Length: 5\r\n\r\nbytes`;
      const received = await new Promise<string>((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1', noDelay: true });
        let text = '';
        socket.on('data', (part) => {
          text += part;
        });
        socket.once('error', reject).once('close', () => resolve(text));
        let sent = 0;
        const next = (): void => {
          if (sent === request.length) return;
          socket.write(request[sent] ?? '', () => setImmediate(next));
          sent += 1;
        };
        next();
      });
      expect(received).toMatch(/^HTTP\/1\.1 200 [\s\S]*bytes$/);
    });

    it('invites a body, but not one that is too long or for nobody', async () => {
      const post = (path: string, bytes: number) =>
        `POST /site/v1/${path} HTTP/1.1\r\nHost: h\r\n${close}\r\nExpect: 100-continue\r\nContent-Length: ${bytes}\r\n\r\n`;
      const invited = await exchangeRaw(port, `${post('count', 4)}body`);
      expect(invited.received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 [\s\S]*"sizeBytes":4/);
      expect((await exchangeRaw(port, post('count', 105_000_000))).received).toMatch(/^HTTP\/1\.1 413 /);
      expect((await exchangeRaw(port, post('nothing-here', 4))).received).toMatch(/^HTTP\/1\.1 404 /);
      const other = await exchangeRaw(port, get('see', 'Expect: a miracle', close));
      expect(other.received).toMatch(/^HTTP\/1\.1 417 /);
    });
  });

  describe('requests that are wrong', () => {
    it.each<[what: string, request: string, status: number]>([
      ['no HTTP at all', 'hello\r\n\r\n', 400],
      ['no host', 'GET /site/v1/see HTTP/1.1\r\n\r\n', 400],
      ['a host that is none', 'GET /site/v1/see HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
      ['a broken header', 'GET /site/v1/see HTTP/1.1\r\nHost: h\r\nno colon here\r\n\r\n', 400],
      ['a space in the target', 'GET /site/v1/s ee HTTP/1.1\r\nHost: h\r\n\r\n', 400],
      ['two lengths', 'POST /site/v1/see HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx', 400],
      ['a length that is none', 'POST /site/v1/see HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n', 400],
      [
        'a length and chunks',
        'POST /site/v1/see HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
      ],
      ['a broken chunk', 'POST /site/v1/see HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
      ['a head that is too long', `GET /site/v1/see HTTP/1.1\r\nHost: h\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
      ['the target of OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', 400],
      ['a path that cannot be decoded', 'GET /site/v1/%zz%00 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', 404],
    ])('%s', async (_what, request, status) => {
      const { received } = await exchangeRaw(port, request, /\r\n\r\n/);
      expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect((await dev.request('/site/v1/answer/text')).status).toBe(200);
    });

    it('refuses tunnels and WebSockets', async () => {
      const tunnel = await exchangeRaw(port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n');
      expect(tunnel.received).not.toMatch(/^HTTP\/1\.1 2/);
      const socket = await exchangeRaw(port, get('see', 'Connection: Upgrade, close', 'Upgrade: websocket'));
      expect(socket.received).toMatch(/^HTTP\/1\.1 501 [\s\S]*WebSocket/);
    });

    it('survives a hundred connections of noise', async () => {
      const noise = Array.from({ length: 100 }, (_, seed) =>
        exchangeRaw(
          port,
          Buffer.from(Uint8Array.from({ length: 500 }, (_byte, at) => (at * seed * 31 + seed) % 256)),
          /./,
        ),
      );
      await Promise.all(noise);
      expect((await dev.request('/site/v1/answer/text')).status).toBe(200);
    });
  });

  describe('callers', () => {
    it('that go away while the function runs are noticed', async () => {
      const executing = /Executing 'Functions.slow'/;
      const before = dev.lines.filter((line) => executing.test(line)).length;
      const { outgoing } = openRequest(port, '/site/v1/slow/60000?name=impatient');
      outgoing.on('error', () => {}).end();
      await dev.matching(executing, before + 1);
      outgoing.destroy();
      await expect.poll(cancelledOnes).toContain('impatient');
    });

    it('that go away while they send leave nothing to run', async () => {
      const executed = (): number => dev.lines.filter((line) => line.includes("Executed 'Functions.count'")).length;
      const before = executed();
      const { outgoing } = openRequest(port, '/site/v1/count', { method: 'POST', headers: { 'content-length': 100 } });
      outgoing.on('error', () => {}).write('half');
      await new Promise<void>((resolve) => outgoing.once('socket', (socket) => socket.once('connect', resolve)));
      outgoing.destroy();
      expect((await dev.request('/site/v1/count', { body: 'x' })).status).toBe(200);
      await expect.poll(executed).toBe(before + 1);
    });

    it('that read slowly get all of it, and keep nobody waiting', async () => {
      const { outgoing, response } = openRequest(port, `/site/v1/large/${20 * megabyte}`);
      outgoing.end();
      const slow = await response;
      slow.pause();
      expect(await callAtOnce(port, '/site/v1/answer/empty', 50)).toEqual({ '200 ': 50 });
      expect((await bodyOf(slow)).byteLength).toBe(20 * megabyte);
    });

    it('that send too much get to read why', async () => {
      const length = 104_857_601;
      const { outgoing, response } = openRequest(port, '/site/v1/count', { method: 'POST' });
      let sent = 0;
      const part = Buffer.alloc(megabyte, 'x');
      while (sent < length) {
        const size = Math.min(part.byteLength, length - sent);
        sent += size;
        if (!outgoing.write(part.subarray(0, size))) await new Promise((resolve) => outgoing.once('drain', resolve));
      }
      outgoing.end();
      expect((await response).statusCode).toBe(413);
    });
  });

  it('carries a hundred megabytes each way, in bounded memory', async () => {
    const before = peakMemory(dev.pid);
    const body = Buffer.alloc(104_857_600, 'a large body ');
    const counted = await dev.request('/site/v1/count', { method: 'PUT', body });
    expect(JSON.parse(counted.text)).toEqual({ sizeBytes: body.byteLength });
    expect((await dev.request(`/site/v1/large/${body.byteLength}`)).body.byteLength).toBe(body.byteLength);
    expect(peakMemory(dev.pid) - before).toBeLessThan(700 * megabyte);
  });

  it('serves a thousand long calls at once without a loss', async () => {
    expect(await callAtOnce(port, '/site/v1/slow/2000', 1_000)).toEqual({ '200 slow': 1_000 });
  });
});

/** The most memory that a process has had, in bytes. */
function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;
}
