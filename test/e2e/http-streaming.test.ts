/** HTTP as streams (`app.setup({ enableHttpStream: true })`), with real workers: the whole way there and back. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, startDevProcess, testApp } from './dev-process.ts';
import { bodyOf, callAtOnce, exchangeRaw, nextPart, openRequest } from './http-client.ts';

const flags = ['--no-azurite'];
const megabyte = 1_048_576;

describe('the example app `streaming`', () => {
  let dev: DevProcess;
  let port: number;
  beforeAll(async () => {
    dev = await startDevProcess({ apps: [exampleApp('streaming')], flags });
    port = await dev.port();
  });
  afterAll(() => dev.close());

  it('sends each event when it is there', async () => {
    // The pause is longer than a busy machine stands still, so each event comes by itself.
    const { outgoing, response } = openRequest(port, '/api/events?count=2&everyMs=2000');
    outgoing.end();
    const head = await response;
    expect(head.headers).toMatchObject({ 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' });
    for (const number of [1, 2]) {
      expect(await nextPart(head)).toMatch(
        new RegExp(`^id: ${number}\ndata: \\{"number":${number},"time":".+"\\}\n\n$`),
      );
      if (number < 2) expect(dev.output).not.toContain("Executed 'Functions.events'");
    }
    expect(await nextPart(head)).toBe('');
    await dev.line(/Executed 'Functions.events' \(Succeeded/);
  });

  it('passes a gigabyte each way, in memory that does not grow with it', async () => {
    const before = peakMemory(dev.pid);
    const part = Buffer.alloc(megabyte, 'a part of a large body ');
    const hash = createHash('sha256');
    const { outgoing, response } = openRequest(port, '/api/upload', { method: 'PUT' });
    for (let sent = 0; sent < 1_024; sent += 1) {
      hash.update(part);
      if (!outgoing.write(part)) await new Promise((resolve) => outgoing.once('drain', resolve));
    }
    outgoing.end();
    const answer = JSON.parse(String(await bodyOf(await response)));
    expect(answer).toEqual({ sizeBytes: 1_024 * megabyte, sha256: hash.digest('hex') });

    const download = openRequest(port, `/api/download/${1_024 * megabyte}`);
    download.outgoing.end();
    const head = await download.response;
    expect(head.headers['content-length']).toBe(String(1_024 * megabyte));
    let received = 0;
    for await (const chunk of head) received += (chunk as Buffer).byteLength;
    expect(received).toBe(1_024 * megabyte);
    expect(peakMemory(dev.pid) - before).toBeLessThan(200 * megabyte);
  });

  it('gives back what comes while the rest is still on its way, unchanged', async () => {
    const body = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 256));
    const { outgoing, response } = openRequest(port, '/api/echo', {
      method: 'POST',
      headers: { 'content-type': 'x/y', 'content-length': body.byteLength },
    });
    outgoing.write(body.subarray(0, 1_000_000));
    const head = await response;
    expect([head.statusCode, head.headers['content-type']]).toEqual([200, 'x/y']);
    outgoing.end(body.subarray(1_000_000));
    expect((await bodyOf(head)).equals(body)).toBe(true);
  });
});

describe('an app that streams', () => {
  let dev: DevProcess;
  let port: number;
  beforeAll(async () => {
    dev = await startDevProcess({ apps: [testApp('http-stream')], flags });
    port = await dev.port();
  });
  afterAll(() => dev.close());

  const call = async (path: string, options: Parameters<typeof openRequest>[2] = {}) => {
    const { outgoing, response } = openRequest(port, `/api/${path}`, options);
    outgoing.end();
    return response;
  };
  const goneOnes = async (): Promise<string[]> => JSON.parse(String(await bodyOf(await call('gone'))));

  it('gets requests as they were sent, and its head as it wrote it', async () => {
    const headers = ['Host', 'example.org:81', 'X-Dup', 'a', 'x-dup', 'b', 'X-Empty', '', 'X-Forwarded-For', '1.1.1.1'];
    const response = await call('see/7?x=1&x=%C3%A9&y', { headers });
    const { params, ...seen } = JSON.parse(String(await bodyOf(response)));
    expect(params).toMatchObject({ id: '7' });
    expect(seen).toEqual({
      url: 'http://example.org:81/api/see/7?x=1&x=%C3%A9&y',
      query: [
        ['x', '1'],
        ['x', 'é'],
        ['y', ''],
      ],
      headers: [
        ['connection', 'close'],
        ['host', 'example.org:81'],
        ['x-dup', 'a,b'],
        ['x-empty', ''],
        ['x-forwarded-for', '1.1.1.1'],
      ],
    });
    expect(response.statusCode).toBe(201);
    expect(response.headers).toEqual({
      'content-type': 'application/json',
      'set-cookie': ['a=1', 'b=2; Path=/b; HttpOnly'],
      'x-method': 'GET',
      'x-own': 'from the function',
      'x-app': 'streams',
      'x-ms-invocation-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      date: expect.any(String),
      connection: 'close',
      'transfer-encoding': 'chunked',
    });
  });

  it('finds the query among its parameters, as on the official host', async () => {
    // The library takes every text of trigger_metadata for a parameter of the route.
    const response = await call('see/7?x=1&id=8&code=secret');
    expect(JSON.parse(String(await bodyOf(response))).params).toEqual({ id: '7', x: '1' });
  });

  it('reads and writes at the same time, part by part', async () => {
    const { outgoing, response } = openRequest(port, '/api/capitals', { method: 'POST' });
    outgoing.write('one');
    const head = await response;
    expect(await nextPart(head)).toBe('ONE');
    outgoing.write('two');
    expect(await nextPart(head)).toBe('TWO');
    outgoing.end();
    expect(await nextPart(head)).toBe('');
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('answers %s with %i and no body', async (method, status) => {
    const response = await call(`status/${status}`, { method });
    expect([response.statusCode, String(await bodyOf(response))]).toEqual([status, '']);
    expect(response.headers['x-status']).toBe(String(status));
    expect(response.headers['content-length']).toBe(method === 'HEAD' ? '12' : undefined);
  });

  it('answers 500 at once when the function throws before its head', async () => {
    const response = await call('fail');
    expect([response.statusCode, String(await bodyOf(response))]).toEqual([500, '']);
    await dev.line(/Executed 'Functions.fail' \(Failed/);
  });

  it('answers for a function that returns nothing', async () => {
    const response = await call('silent');
    expect([response.statusCode, String(await bodyOf(response))]).toEqual([204, '']);
  });

  it('tries a function with a retry policy again, with the whole request', async () => {
    const got = await call('thirdTime/nothing');
    expect([got.statusCode, JSON.parse(String(await bodyOf(got)))]).toEqual([200, { body: '', tries: 3 }]);
    const { outgoing, response } = openRequest(port, '/api/thirdTime/text', { method: 'POST' });
    outgoing.end('the body');
    const posted = await response;
    expect([posted.statusCode, JSON.parse(String(await bodyOf(posted)))]).toEqual([
      200,
      { body: 'the body', tries: 3 },
    ]);
  });

  it('never lets a part of a response pass for the whole', async () => {
    const response = await call('breakOff');
    expect(response.statusCode).toBe(200);
    await expect(bodyOf(response)).rejects.toThrow('aborted');
    await dev.line(/Exception: failed after the head/);
    // An HTTP/1.0 response ends with its connection: only a reset tells that it is not whole.
    const old = await exchangeRaw(port, 'GET /api/breakOff HTTP/1.0\r\n\r\n');
    expect(old.received).toMatch(/^HTTP\/1\.1 200 [\s\S]*the first half$/);
    expect(old.error).toBe('ECONNRESET');
  });

  it('tells callers when their worker dies, and serves again with the next one', async () => {
    const atOnce = await call('die/atOnce');
    expect([atOnce.statusCode, String(await bodyOf(atOnce))]).toEqual([500, '']);
    await expect.poll(async () => (await call('pid')).statusCode).toBe(200);
    const midway = await call('die/midway');
    expect(midway.statusCode).toBe(200);
    await expect(bodyOf(midway)).rejects.toThrow('aborted');
    await expect.poll(async () => (await call('pid')).statusCode).toBe(200);
  });

  it('hears of callers that go away, in the middle of either direction', async () => {
    const endless = await call('endless');
    expect(await nextPart(endless)).toContain('more');
    endless.destroy();
    const { outgoing } = openRequest(port, '/api/swallow', { method: 'POST' });
    outgoing.on('error', () => {}).write('the beginning');
    await dev.line(/Executing 'Functions.swallow'/);
    outgoing.destroy();
    await expect.poll(goneOnes).toEqual(expect.arrayContaining(['endless', 'swallow: aborted']));
    await dev.line(/Executed 'Functions.endless'/);
    await dev.line(/Executed 'Functions.swallow' \(Failed/);
  });

  it('may answer before the body is there, and the connection stays good', async () => {
    const length = 32 * megabyte;
    const head = (path: string, bytes: number) =>
      `POST /api/${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n`;
    const sent = Buffer.concat([
      Buffer.from(`${head('early', length)}\r\n`),
      Buffer.alloc(length, 'x'),
      Buffer.from(`${head('capitals', 3)}Connection: close\r\n\r\nyes`),
    ]);
    const { received, error } = await exchangeRaw(port, sent);
    expect(received).toMatch(/^HTTP\/1\.1 413 [\s\S]*too much[\s\S]*HTTP\/1\.1 200 [\s\S]*YES/);
    expect(error).toBeUndefined();
  });

  it('invites the body of a caller that waits for that, once', async () => {
    const { received } = await exchangeRaw(
      port,
      'POST /api/capitals HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody',
    );
    expect(received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 [\s\S]*BODY/);
    expect(received.match(/100 Continue/g)).toHaveLength(1);
    const unknown = await exchangeRaw(
      port,
      'POST /api/nothing HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n',
    );
    expect(unknown.received).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('refuses a change to WebSocket, and takes no notice of h2c', async () => {
    const upgrade = (protocol: string) =>
      `GET /api/pid HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`;
    const refused = await exchangeRaw(port, upgrade('websocket'));
    expect(refused.received).toMatch(/^HTTP\/1\.1 501 [\s\S]*Functions take no WebSocket connections/);
    expect((await exchangeRaw(port, upgrade('h2c'))).received).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('keeps a slow reader from filling the memory of the Runtime', async () => {
    const before = peakMemory(dev.pid);
    const response = await call('large/256');
    expect(await nextPart(response)).not.toBe('');
    response.pause();
    // The library writes without a look at who takes it, so the worker holds all of it by now, and the Runtime does not.
    const made = async (): Promise<number> => Number(await bodyOf(await call('partsMade')));
    await expect.poll(made).toBe(256 * 16);
    expect(peakMemory(dev.pid) - before).toBeLessThan(64 * megabyte);
    response.destroy();
  });

  it('serves a thousand long calls at once without a loss', async () => {
    await (await call('pid')).resume();
    const [worker = 0] = childrenOf(dev.pid);
    const before = openFilesOf(worker);
    expect(await callAtOnce(port, '/api/slow/2000', 1_000)).toEqual({ '200 slow': 1_000 });
    // The connections to the worker are given up when they stay idle.
    await expect.poll(() => openFilesOf(worker)).toBeLessThanOrEqual(before + 2);
  });

  it('runs its other triggers as ever', async () => {
    await dev.line(/ticked, past due: false/);
    await dev.line(/Executed 'Functions.tick' \(Succeeded/);
  });
});

describe('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT', () => {
  it('holds for streams too, when an app sets it', async () => {
    const environment = { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1000' };
    const dev = await startDevProcess({ apps: [testApp('http-stream')], flags, environment });
    try {
      const port = await dev.port();
      const announced = await dev.request('/api/capitals', { method: 'POST', body: 'x'.repeat(1_001) });
      expect(announced.status).toBe(413);
      const { outgoing, response } = openRequest(port, '/api/swallow', { method: 'POST' });
      for (const part of ['x'.repeat(600), 'x'.repeat(600)]) outgoing.write(part);
      expect((await response).statusCode).toBe(413);
      outgoing.destroy();
      expect((await dev.request('/api/capitals', { method: 'POST', body: 'x'.repeat(1_000) })).status).toBe(200);
    } finally {
      await dev.close();
    }
  });
});

/** The most memory that a process has had, in bytes. */
function peakMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
}

/** The Node processes that a process has started. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const isChild = new RegExp(`^PPid:\\s+${pid}$`, 'm').test(readFileSync(`/proc/${name}/status`, 'utf8'));
        return isChild && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('worker');
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** How many files a process has open, sockets included. */
function openFilesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
