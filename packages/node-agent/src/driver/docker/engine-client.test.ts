import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineClient, isUnreachable, reasonOf, statusOf } from './engine-client.ts';

describe('EngineClient', () => {
  let folder: string;
  let server: Server | undefined;
  let clock: VirtualClock;
  let client: EngineClient;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-client-'));
    clock = new VirtualClock();
    client = new EngineClient(clock, join(folder, 'engine.sock'));
  });
  afterEach(() => {
    client.close();
    server?.closeAllConnections();
    server?.close();
    server = undefined;
    rmSync(folder, { recursive: true });
  });

  const serve = async (listener: RequestListener): Promise<Server> => {
    const made = createServer(listener);
    server = made;
    await new Promise<void>((resolve) => made.listen(join(folder, 'engine.sock'), resolve));
    return made;
  };

  it('sends JSON and reads JSON', async () => {
    const seen: unknown[] = [];
    await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        seen.push([request.method, request.url, body]);
        response.end('{"ok":true}');
      });
    });
    const query = { name: 'a b', none: undefined, t: 3 };
    expect(await client.send({ method: 'POST', path: '/x', query, json: { a: 1 } })).toEqual({ ok: true });
    expect(seen).toEqual([['POST', '/x?name=a+b&t=3', '{"a":1}']]);
  });

  it('I1: tells an engine that is away from one that refuses', async () => {
    const away = await client.send({ method: 'GET', path: '/x' }).catch((error: unknown) => error);
    expect(isUnreachable(away)).toBe(true);
    expect(String(away)).toContain('docker.socket');

    await serve((request, response) => {
      response.statusCode = request.url === '/x' ? 404 : 500;
      response.end(request.url === '/x' ? '{"message":"No such image"}' : 'no JSON\n');
    });
    const refused = await client.send({ method: 'GET', path: '/x' }).catch((error: unknown) => error);
    expect([statusOf(refused), reasonOf(refused), isUnreachable(refused)]).toEqual([404, 'No such image', false]);
    const plain = await client.stream({ method: 'GET', path: '/y' }).catch((error: unknown) => error);
    expect([statusOf(plain), reasonOf(plain)]).toEqual([500, 'no JSON']);
    const hijack = await client.hijack({ method: 'POST', path: '/x' }).catch((error: unknown) => error);
    expect(statusOf(hijack)).toBe(404);
  });

  it('I1: counts an answer that is no HTTP, no JSON or broken off as an engine that is away', async () => {
    const made = await serve((request, response) => {
      if (request.url === '/broken') response.writeHead(200, { 'content-length': '100' }).write('x');
      if (request.url === '/broken') setImmediate(() => response.destroy());
      else response.end('<html>');
    });
    for (const path of ['/broken', '/html']) {
      const error = await client.send({ method: 'GET', path }).catch((caught: unknown) => caught);
      expect([path, isUnreachable(error)]).toEqual([path, true]);
    }
    expect(made.listening).toBe(true);
  });

  it('I1: counts work whose news break off as an engine that is away', async () => {
    await serve((_, response) => {
      response.writeHead(200).write('{"status":"Pulling"}\n');
      setImmediate(() => response.destroy());
    });
    const error = await client.progress({ method: 'POST', path: '/pull' }).catch((caught: unknown) => caught);
    expect(isUnreachable(error)).toBe(true);
  });

  it('I2: cuts work off that goes on for ever, with the reason of its signal', async () => {
    const gone: string[] = [];
    await serve((request, response) => {
      response.writeHead(200).write('{"status":"Pulling"}\n');
      response.once('close', () => gone.push(request.url ?? ''));
    });
    const stop = new AbortController();
    const call = { method: 'POST', path: '/pull', signal: stop.signal, timeoutMs: Number.POSITIVE_INFINITY } as const;
    const work = client.progress(call);
    const body = await client.stream({ ...call, path: '/stream' });
    const read = body.toArray();
    stop.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
    await expect(read).rejects.toThrow('enough');
    await expect.poll(() => [...gone].sort()).toEqual(['/pull', '/stream']);
  });

  it('I2: gives up at the deadline, also within the body', async () => {
    let asked = 0;
    await serve((request, response) => {
      if (request.url === '/slow-body') response.writeHead(200).write('{');
      asked += 1;
    });
    for (const path of ['/silent', '/slow-body']) {
      const before = asked;
      const answer = client.send({ method: 'GET', path, timeoutMs: 5_000 }).catch((error: unknown) => error);
      await expect.poll(() => asked).toBe(before + 1);
      await clock.advance(5_000);
      const error = await answer;
      expect(isUnreachable(error)).toBe(true);
      expect(String(error)).toContain('no answer within 5000 ms');
    }
  });

  it('I2: ends with the reason of its signal', async () => {
    await serve(() => {});
    const stop = new AbortController();
    const answer = client.send({ method: 'GET', path: '/x', signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
    await expect(client.send({ method: 'GET', path: '/x', signal: stop.signal })).rejects.toThrow('enough');
  });
});
