import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { createWorkerHttpProxy, type ProxyRoute, type WorkerHttpProxy } from './worker-http-proxy.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Setup {
  readonly proxy: WorkerHttpProxy;
  readonly route: ProxyRoute;
  readonly url: string;
}

async function open(worker: (request: IncomingMessage, response: ServerResponse) => void): Promise<Setup> {
  return await openTo(await listen(worker));
}

async function openTo(workerUrl: string, retryMs = 1): Promise<Setup> {
  let handle: WorkerHttpProxy['handle'] = () => {};
  const url = await listen((incoming, response) => handle(incoming, response));
  const deps = { clock: systemClock, random: systemRandom, request };
  const proxy = createWorkerHttpProxy(deps, { uri: url, connectTries: 3, retryMs });
  handle = proxy.handle;
  return { proxy, url, route: proxy.open(`${workerUrl}/`) };
}

const withToken = ({ route }: Setup): Record<string, string> => ({ 'proxy-authorization': `Bearer ${route.token}` });

/** fetch refuses to send some of these headers. */
function ask(url: string, headers: Record<string, string>, method = 'GET'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, resolve).on('error', reject).end();
  });
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += String(chunk);
  return text;
}

describe('createWorkerHttpProxy', () => {
  it('I1: nothing without the token of an open route reaches a worker', async () => {
    let reached = 0;
    const setup = await open((_request, response) => {
      reached += 1;
      response.end();
    });
    const { token } = setup.route;
    for (const value of [undefined, '', 'Bearer', 'Bearer x', `Basic ${token}`, `Bearer ${token}x`]) {
      const response = await ask(setup.url, value === undefined ? {} : { 'proxy-authorization': value });
      expect([response.statusCode, response.headers['proxy-authenticate']]).toEqual([407, 'Bearer']);
      response.resume();
    }
    setup.route.close();
    expect((await ask(setup.url, withToken(setup))).statusCode).toBe(407);
    expect(reached).toBe(0);
  });

  it('I1: each route leads to its own worker', async () => {
    const setup = await open((_request, response) => response.end('one'));
    const other = setup.proxy.open(await listen((_request, response) => response.end('two')));
    expect(other.token).not.toBe(setup.route.token);
    expect(await textOf(await ask(setup.url, { 'proxy-authorization': `Bearer ${other.token}` }))).toBe('two');
    expect(await textOf(await ask(setup.url, withToken(setup)))).toBe('one');
  });

  it('I3: passes on what is the caller’s, and keeps what belongs to the connection', async () => {
    const seen: IncomingMessage[] = [];
    const setup = await open((incoming, response) => {
      seen.push(incoming);
      response.writeHead(418, 'Short and stout', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Keep-Alive', 'timeout=9']);
      response.end('tea');
    });
    const headers = {
      ...withToken(setup),
      authorization: 'Bearer of-the-caller',
      connection: 'close, x-hop',
      'x-hop': '1',
    };
    const response = await ask(`${setup.url}/api/tea?a=%20b`, headers, 'DELETE');
    expect([response.statusCode, response.statusMessage, response.headers['set-cookie']]).toEqual([
      418,
      'Short and stout',
      ['a=1', 'b=2'],
    ]);
    expect(response.headers['keep-alive']).not.toBe('timeout=9');
    expect(await textOf(response)).toBe('tea');
    expect(seen[0]).toMatchObject({ method: 'DELETE', url: '/api/tea?a=%20b' });
    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer of-the-caller' });
    expect(seen[0]?.headers).not.toHaveProperty('proxy-authorization');
    expect(seen[0]?.headers).not.toHaveProperty('x-hop');
  });

  it('I2: bytes arrive while the rest is still to come, in both directions', async () => {
    const setup = await open((incoming, response) => {
      response.writeHead(200);
      response.flushHeaders();
      incoming.pipe(response);
    });
    const outgoing = request(setup.url, { method: 'POST', headers: withToken(setup) });
    const answered = new Promise<IncomingMessage>((resolve) => outgoing.once('response', resolve));
    outgoing.write('first');
    const response = await answered;
    const chunks = response[Symbol.asyncIterator]();
    expect(String((await chunks.next()).value)).toBe('first');
    outgoing.end('second');
    expect(String((await chunks.next()).value)).toBe('second');
    expect((await chunks.next()).done).toBe(true);
  });

  it('I2: a caller that does not read stops the worker', async () => {
    let written = 0;
    const setup = await open((_incoming, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const write = (): void => {
        let flows = true;
        for (; flows && written < 1_000; written += 1) flows = response.write(chunk);
        if (written < 1_000) response.once('drain', write);
        else response.end();
      };
      write();
    });
    const response = await ask(setup.url, withToken(setup));
    let before = -1;
    while (written !== before) {
      before = written;
      for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(written).toBeLessThan(1_000);
    let received = 0;
    for await (const chunk of response) received += (chunk as Buffer).length;
    expect(received).toBe(1_000 * 64 * 1024);
  });

  it('I4: tries a worker that does not listen yet again, with the whole body', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const setup = await openTo(`http://127.0.0.1:${port}`);
    const refused = await ask(setup.url, withToken(setup), 'POST');
    expect([refused.statusCode, await textOf(refused)]).toEqual([502, expect.stringContaining('ECONNREFUSED')]);
    const late = createServer((incoming, response) => incoming.pipe(response));
    servers.push(late);
    const patient = await openTo(`http://127.0.0.1:${port}`, 50);
    const asked = fetch(patient.url, { method: 'POST', body: 'the body', headers: withToken(patient) });
    await new Promise<void>((resolve) => late.listen(port, '127.0.0.1', resolve));
    expect(await (await asked).text()).toBe('the body');
  });

  it('I5: a caller that goes away takes its request to the worker with it', async () => {
    let note: () => void = () => {};
    const gone = new Promise<string>((resolve) => {
      note = () => resolve('gone');
    });
    const setup = await open((_incoming, response) => {
      response.writeHead(200);
      response.write('x');
      response.once('close', () => note());
    });
    const outgoing = request(setup.url, { headers: withToken(setup) });
    outgoing.on('error', () => {});
    outgoing.on('response', () => outgoing.destroy());
    outgoing.end();
    expect(await gone).toBe('gone');
  });

  it('I5: a worker that breaks off breaks the answer off', async () => {
    const setup = await open((_incoming, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      response.once('drain', () => {});
      setImmediate(() => response.destroy());
    });
    const response = await ask(setup.url, withToken(setup));
    await expect(textOf(response)).rejects.toThrow();
  });
});
