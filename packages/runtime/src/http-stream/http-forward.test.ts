import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createDeferred } from '@switchyard/kernel';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { closeServers, createForwardRun, serve, servers } from '../testing/forward-run.ts';
import { createHarness, listen } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';

afterEach(closeServers);

describe('HttpForward', () => {
  test('I1: the request goes to the worker as it came, and its response to the caller', async () => {
    const seen = createDeferred<{ method: string; url: string; headers: Record<string, unknown>; body: string }>();
    const { worker, base } = await createForwardRun((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        seen.resolve({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
        response.writeHead(201, { 'x-answer': 'a', 'set-cookie': ['a=1', 'b=2'] });
        response.end('streamed');
      });
    });
    const response = await fetch(`${base}/api/stream/7?q=1`, {
      method: 'POST',
      body: 'hello',
      headers: { 'x-mine': 'm' },
    });
    expect([response.status, await response.text()]).toEqual([201, 'streamed']);
    expect(response.headers.get('x-answer')).toBe('a');
    expect(response.headers.get('x-app')).toBe('yes');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const [invocation] = worker.bodies('invocationRequest');
    const { host } = new URL(base);
    expect(await seen.promise).toMatchObject({
      method: 'POST',
      url: '/api/stream/7?q=1',
      body: 'hello',
      headers: {
        'x-mine': 'm',
        'x-forwarded-host': host,
        'x-forwarded-proto': 'http',
        'x-forwarded-for': '127.0.0.1',
        'x-ms-invocation-id': invocation?.invocationId,
      },
    });
  });

  test('the invocation carries no request, but what a worker looks up beside it', async () => {
    const { worker, base } = await createForwardRun((_request, response) => response.end('x'));
    await (await fetch(`${base}/api/stream/7?q=1`)).text();
    const [invocation] = worker.bodies('invocationRequest');
    const [input] = invocation?.inputData ?? [];
    const data = input?.rpcData?.$case === 'data' ? input.rpcData.value.data : undefined;
    expect(data).toMatchObject({ $case: 'http', value: { method: '', url: '', params: new Map() } });
    expect(invocation?.triggerMetadata.get('id')).toEqual({ data: { $case: 'string', value: '7' } });
    expect([...(invocation?.triggerMetadata.keys() ?? [])]).toEqual(expect.arrayContaining(['Headers', 'Query']));
  });

  test('a worker that asks for route parameters gets them', async () => {
    const { worker, base } = await createForwardRun((_request, response) => response.end('x'), {
      capabilities: { RequiresRouteParameters: 'true' },
    });
    await (await fetch(`${base}/api/stream/7`)).text();
    const [input] = worker.bodies('invocationRequest')[0]?.inputData ?? [];
    const data = input?.rpcData?.$case === 'data' ? input.rpcData.value.data : undefined;
    expect(data).toMatchObject({ $case: 'http', value: { params: new Map([['id', '7']]) } });
  });

  test('I4: bytes flow both ways before either side has ended', async () => {
    const { base } = await createForwardRun((request, response) => {
      response.writeHead(200);
      request.on('data', (chunk: Uint8Array) => response.write(Buffer.from(chunk).toString().toUpperCase()));
      request.on('end', () => response.end());
    });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const first = writer.write(encoder.encode('one'));
    const response = await fetch(`${base}/api/stream`, {
      method: 'POST',
      body: readable,
      duplex: 'half',
    } as RequestInit);
    await first;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('ONE');
    await writer.write(encoder.encode('two'));
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('TWO');
    await writer.close();
    expect((await reader.read()).done).toBe(true);
  });

  test('I2: a function that fails before its head is 500 at once, though its server never answers', async () => {
    const arrived = createDeferred<void>();
    const gone = createDeferred<void>();
    const { base, fail } = await createForwardRun(
      (request) => {
        arrived.resolve();
        request.on('close', () => gone.resolve());
      },
      { answersByItself: false },
    );
    const reply = fetch(`${base}/api/stream`);
    await arrived.promise;
    fail();
    const response = await reply;
    expect([response.status, await response.text()]).toEqual([500, '']);
    await gone.promise;
  });

  test('I7: a function that succeeds and never answers is over soon, with the reply of its invocation', async () => {
    const arrived = createDeferred<void>();
    const { clock, base } = await createForwardRun(() => arrived.resolve());
    const reply = fetch(`${base}/api/stream`);
    await arrived.promise;
    await clock.advance(5_000);
    const { status, headers } = await reply;
    expect([status, headers.get('x-app')]).toEqual([204, 'yes']);
  });

  test('I7: one whose worker says that there is no answer is over at once', async () => {
    const { base } = await createForwardRun(() => {}, {
      capabilities: { TellsHttpUnanswered: 'true' },
      onInvocation: () => ({ ...invocationSuccess(), returnValue: { data: undefined } }),
    });
    expect((await fetch(`${base}/api/stream`)).status).toBe(204);
  });

  test('I7: an answer that begins within that time is the answer, however long it takes', async () => {
    const answering = createDeferred<ServerResponse>();
    const { clock, base } = await createForwardRun((_request, response) => answering.resolve(response));
    const reply = fetch(`${base}/api/stream`);
    const response = await answering.promise;
    await clock.advance(4_999);
    response.write('first ');
    const answer = await reply;
    await clock.advance(60_000);
    response.end('last');
    expect([answer.status, await answer.text()]).toEqual([200, 'first last']);
  });

  test('I2: a function that fails after its head resets the connection', async () => {
    const { base, fail } = await createForwardRun(
      (_request, response) => {
        response.writeHead(200);
        response.write('half');
      },
      { answersByItself: false },
    );
    const response = await fetch(`${base}/api/stream`);
    expect(response.status).toBe(200);
    const text = response.text();
    fail();
    await expect(text).rejects.toThrow();
  });

  test('I2: a failure in the midst of much data harms nobody else', async () => {
    const part = Buffer.alloc(262_144);
    const { base, fail } = await createForwardRun(
      (request, response) => {
        response.writeHead(200);
        const more = (): void => {
          while (!response.destroyed && response.write(part));
        };
        response.on('drain', more);
        request.on('close', () => response.destroy());
        more();
      },
      { answersByItself: false },
    );
    // Some callers read and some do not, so that the failure meets data in every place.
    const responses = await Promise.all(Array.from({ length: 8 }, () => fetch(`${base}/api/stream`)));
    const readers = responses.map((response) => (response.body as ReadableStream<Uint8Array>).getReader());
    for (const reader of readers.slice(0, 4)) for (let count = 0; count < 20; count += 1) await reader.read();
    fail();
    const drained = readers.map(async (reader) => {
      while (!(await reader.read()).done);
    });
    expect((await Promise.allSettled(drained)).map(({ status }) => status)).toEqual(Array(8).fill('rejected'));
  });

  test('I2: a worker whose server breaks off resets the connection', async () => {
    const { base } = await createForwardRun((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    const response = await fetch(`${base}/api/stream`);
    await expect(response.text()).rejects.toThrow();
  });

  test('I1: a worker that cannot be reached is tried for a while, and then 500', async () => {
    const closed = createServer();
    const httpUri = `${await listen(closed)}/`;
    await new Promise((resolve) => closed.close(resolve));
    const { clock, base } = await createForwardRun(() => {}, { httpUri });
    const reply = fetch(`${base}/api/stream`);
    let isAnswered = false;
    reply.then(
      () => {
        isAnswered = true;
      },
      () => {},
    );
    let waitedMs = 0;
    // Connections are real and the waits between them are virtual, so time moves in small steps until the answer is there.
    while (!isAnswered && waitedMs < 100_000) {
      waitedMs += 10;
      await clock.advance(10);
    }
    expect((await reply).status).toBe(500);
    expect(waitedMs).toBeGreaterThanOrEqual(50 + 100 + 200 + 6 * 250);
  });

  test('I3: an exchange on which nothing moves ends after four minutes', async () => {
    const arrived = createDeferred<void>();
    const { clock, base } = await createForwardRun(() => arrived.resolve(), { answersByItself: false });
    const reply = fetch(`${base}/api/stream`);
    await arrived.promise;
    await clock.advance(240_000);
    expect((await reply).status).toBe(500);
  });

  test('what belongs to one connection stays there', async () => {
    const seen = createDeferred<IncomingMessage>();
    const { base } = await createForwardRun((request, response) => {
      seen.resolve(request);
      response.writeHead(200, { connection: 'close', 'proxy-authenticate': 'x', 'x-end': 'y' });
      response.end('x');
    });
    const response = await new Promise<IncomingMessage>((resolve) => {
      const headers = {
        te: 'trailers',
        'proxy-authorization': 'secret',
        'x-ms-invocation-id': 'forged',
        'x-keep': 'k',
      };
      httpRequest(`${base}/api/stream`, { headers }, resolve).end();
    });
    response.resume();
    const { headers } = await seen.promise;
    expect(headers).not.toHaveProperty('te');
    expect(headers).not.toHaveProperty('proxy-authorization');
    expect(headers['x-ms-invocation-id']).not.toBe('forged');
    expect(headers['x-keep']).toBe('k');
    expect(response.headers).not.toHaveProperty('proxy-authenticate');
    expect(response.headers['x-end']).toBe('y');
  });

  test('I4: a head goes to the caller though no byte of the body is there yet', async () => {
    const { base } = await createForwardRun((_request, response) => response.writeHead(202).flushHeaders());
    const caller = new AbortController();
    expect((await fetch(`${base}/api/stream`, { signal: caller.signal })).status).toBe(202);
    caller.abort();
  });

  test('I4: a side that does not read stops the other, whichever it is', async () => {
    const held: { request: IncomingMessage; response: ServerResponse }[] = [];
    const part = Buffer.alloc(65_536);
    const { base } = await createForwardRun((request, response) => {
      held.push({ request, response });
      response.writeHead(200);
      // As much as the connection takes, and not a byte more.
      while (response.write(part));
    });
    const outgoing = httpRequest(`${base}/api/stream`, { method: 'POST' });
    const answer = new Promise<IncomingMessage>((resolve) => outgoing.once('response', resolve));
    while (outgoing.write(part));
    const response = await answer;
    // Neither side reads: both come to a standstill far below what they would send.
    const stalled = async (stream: { writableLength: number; write(bytes: Uint8Array): boolean }): Promise<void> => {
      for (let sent = 0; sent < 1_024 && stream.writableLength < 4_194_304; sent += 1) {
        stream.write(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const [worker] = held;
    if (worker === undefined) throw new Error('no request came');
    await Promise.all([stalled(outgoing), stalled(worker.response)]);
    expect(outgoing.writableLength).toBeGreaterThanOrEqual(4_194_304);
    expect(worker.response.writableLength).toBeGreaterThanOrEqual(4_194_304);
    response.destroy();
    outgoing.on('error', () => {}).destroy();
  });

  test('trailers go on in both directions', async () => {
    const seen = createDeferred<unknown>();
    const { base } = await createForwardRun((request, response) => {
      request.resume().once('end', () => {
        seen.resolve(request.trailers);
        response.writeHead(200, { trailer: 'x-sum' });
        response.write('body');
        response.addTrailers({ 'x-sum': '42' });
        response.end();
      });
    });
    const response = await new Promise<IncomingMessage>((resolve) => {
      const outgoing = httpRequest(`${base}/api/stream`, { method: 'POST', headers: { trailer: 'x-hash' } }, resolve);
      outgoing.write('body');
      outgoing.addTrailers({ 'x-hash': 'abc' });
      outgoing.end();
    });
    response.resume();
    await once(response, 'end');
    expect(await seen.promise).toEqual({ 'x-hash': 'abc' });
    expect([response.headers.trailer, response.trailers]).toEqual(['x-sum', { 'x-sum': '42' }]);
  });

  test('I2: a connection that its worker closed while it was idle is not used for the answer', async () => {
    const { base, workerServer } = await createForwardRun((_request, response) => response.end('fresh'), {
      keepAlive: true,
    });
    expect(await (await fetch(`${base}/api/stream`)).text()).toBe('fresh');
    workerServer?.closeIdleConnections();
    expect(await (await fetch(`${base}/api/stream`)).text()).toBe('fresh');
  });

  test('I1: an answer that cannot be read is 500 and told, also on a connection that was used before', async () => {
    const asked: string[] = [];
    const { base, log } = await createForwardRun(
      (request, response) => {
        asked.push(request.url ?? '');
        const isFine = request.url?.endsWith('fine') === true;
        if (isFine) response.end('fine');
        else response.socket?.end(`HTTP/1.1 200 OK\r\nx-big: ${'h'.repeat(100_000)}\r\ncontent-length: 0\r\n\r\n`);
      },
      { keepAlive: true },
    );
    for (let round = 0; round < 2; round += 1) {
      expect((await fetch(`${base}/api/stream`)).status).toBe(500);
      expect(await (await fetch(`${base}/api/stream/fine`)).text()).toBe('fine');
    }
    const told = log.records.filter(({ fields }) => fields.code === 'HTTP_STREAM_UNREADABLE');
    expect(told).toMatchObject([{ level: 'error' }, { level: 'error' }]);
    expect(told[0]?.message).toMatch(/function 'stream' cannot be passed on: .*header/i);
    // The worker was asked once for each.
    expect(asked).toEqual(['/api/stream', '/api/stream/fine', '/api/stream', '/api/stream/fine']);
  });

  test('a body beyond the limit that the app names is 413, announced or not', async () => {
    const arrived = createDeferred<void>();
    const { base, worker } = await createForwardRun(
      (request) => {
        arrived.resolve();
        request.resume();
      },
      { settings: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '10' }, answersByItself: false },
    );
    const announced = await fetch(`${base}/api/stream`, { method: 'POST', body: 'x'.repeat(11) });
    expect([announced.status, worker.bodies('invocationRequest')]).toEqual([413, []]);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const reply = fetch(`${base}/api/stream`, { method: 'POST', body: readable, duplex: 'half' } as RequestInit);
    await writer.write(new Uint8Array(10));
    await arrived.promise;
    await writer.write(new Uint8Array(1));
    expect((await reply).status).toBe(413);
    await writer.close().catch(() => {});
  });

  test('I5: a caller that goes away ends the exchange with the worker', async () => {
    const arrived = createDeferred<void>();
    const gone = createDeferred<void>();
    const { base } = await createForwardRun((request) => {
      arrived.resolve();
      request.on('close', () => gone.resolve());
    });
    const caller = new AbortController();
    const reply = fetch(`${base}/api/stream`, { signal: caller.signal }).catch((reason: unknown) => reason);
    await arrived.promise;
    caller.abort();
    expect(await reply).toMatchObject({ name: 'AbortError' });
    expect(await gone.promise).toBeUndefined();
  });

  test('an invocation whose request reaches nobody fails with its caller’s, and runs no longer', async () => {
    const closed = createServer();
    const address = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const run = await createForwardRun(() => {}, { httpUri: `${address}/`, answersByItself: false });
    const { clock, base, log, runtime } = run;
    let status = 0;
    void fetch(`${base}/api/stream`).then((reply) => {
      status = reply.status;
    });
    while (status === 0) {
      await clock.advance(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(status).toBe(500);
    expect(log.records.map(({ message }) => message).join('\n')).toMatch(/did not reach its worker/);
    const [jobHost] = runtime.status();
    expect(jobHost?.workers.map(({ inFlight }) => inFlight)).toEqual([0]);
  });

  test('I5: a caller that leaves before the worker is reached still announces its invocation there', async () => {
    const arrived = createDeferred<string>();
    const gone = createDeferred<void>();
    const closed = createServer();
    const address = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const { clock, base, worker } = await createForwardRun(() => {}, {
      httpUri: `${address}/`,
      answersByItself: false,
    });
    const caller = new AbortController();
    const reply = fetch(`${base}/api/stream`, { signal: caller.signal }).catch((reason: unknown) => reason);
    await expect.poll(() => worker.bodies('invocationRequest')).toHaveLength(1);
    const [invocation] = worker.bodies('invocationRequest');
    caller.abort();
    expect(await reply).toMatchObject({ name: 'AbortError' });
    const late = createServer((request) => {
      arrived.resolve(String(request.headers['x-ms-invocation-id']));
      request.on('close', () => gone.resolve());
    });
    servers.push(late);
    await new Promise<void>((resolve) => late.listen(Number(new URL(address).port), '127.0.0.1', resolve));
    let isThere = false;
    arrived.promise.then(() => {
      isThere = true;
    });
    for (let waitedMs = 0; !isThere && waitedMs < 100_000; waitedMs += 10) await clock.advance(10);
    expect(await arrived.promise).toBe(invocation?.invocationId);
    await gone.promise;
  });

  test('I6: the invocation ends when both its answer and the response are there, whichever is first', async () => {
    const waiting = createDeferred<ServerResponse>();
    const { base, log } = await createForwardRun((_request, response) => waiting.resolve(response));
    const executed = (): unknown[] => log.records.filter(({ message }) => message.startsWith('Executed'));
    const reply = fetch(`${base}/api/stream`);
    const response = await waiting.promise;
    expect(executed()).toEqual([]);
    response.end('late');
    expect(await (await reply).text()).toBe('late');
    await expect.poll(executed).toHaveLength(1);
    expect(JSON.stringify(executed())).toContain('Succeeded');
  });

  test('without a way to send requests such an app answers 500', async () => {
    const clock = new VirtualClock();
    const log = createMemoryLog(clock);
    const { runtime, dial } = createHarness({ clock, random: createSeededRandom(1), log });
    const added = runtime.addApplication(createApplication());
    createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [{ name: 'f' }],
      capabilities: { HttpUri: 'http://127.0.0.1:1/' },
    });
    await added;
    const base = await serve((request, response) => runtime.handleRequest(request, response));
    expect((await fetch(`${base}/api/f`)).status).toBe(500);
    expect(JSON.stringify(log.records)).toContain('enableHttpStream');
  });
});
