import { createServer, type RequestListener, type Server } from 'node:http';
import { connect as connectSocket } from 'node:net';
import type { RpcHttp, TypedData } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeFunction,
  type FakeWorkerOptions,
  invocationFailure,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import type { FunctionKeys, RuntimeApplication } from '../contract.ts';
import { call } from '../testing/fake-http.ts';
import { createHarness, listen } from '../testing/runtime-harness.ts';
import { createApplication, functionFile, httpBindings, sampleProfile } from '../testing/sample-application.ts';
import { sampleDefinition } from '../testing/sample-worker.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type RunOptions = Parameters<typeof createApplication>[0];

/** A Runtime behind a real HTTP server, with one app and a worker that echoes what it gets. */
async function createRun(
  given: {
    readonly application?: RunOptions;
    readonly functions?: readonly FakeFunction[];
    readonly onInvocation?: FakeWorkerOptions['onInvocation'];
  } = {},
) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const harness = createHarness({ clock, random: createSeededRandom(1), log });
  const application: RuntimeApplication = createApplication(given.application);
  const added = harness.runtime.addApplication(application);
  const worker = createFakeWorker(harness.dial('w1'), {
    workerId: 'w1',
    functions: given.functions ?? [http('echo')],
    onInvocation:
      given.onInvocation ?? (({ inputData }) => invocationSuccess({ returnValue: describeRequest(inputData[0]) })),
  });
  await added;
  const serve: RequestListener = (request, response) => harness.runtime.handleRequest(request, response);
  const server = createServer(serve).on('checkContinue', serve);
  servers.push(server);
  const base = await listen(server);
  return { clock, log, worker, base, port: Number(new URL(base).port), ...harness };
}

function http(name: string, binding: Readonly<Record<string, unknown>> = {}): FakeFunction {
  return {
    name,
    bindings: httpBindings(binding),
  };
}

/** The worker's view of the request, as JSON text. */
function describeRequest(input: { rpcData: unknown } | undefined): TypedData {
  const rpcData = input?.rpcData as { readonly value: TypedData } | undefined;
  const data = rpcData?.value.data;
  const request = (data?.$case === 'http' ? data.value : {}) as RpcHttp;
  const body = request.body?.data;
  const described = {
    method: request.method,
    url: request.url,
    content: body?.$case === 'bytes' ? Buffer.from(body.value).toString() : (body?.value ?? null),
    params: Object.fromEntries([...request.nullableParams].map(([name, { string }]) => [name, string?.value])),
    query: Object.fromEntries([...request.nullableQuery].map(([name, { string }]) => [name, string?.value])),
  };
  return { data: { $case: 'string', value: JSON.stringify(described) } };
}

/** Sends raw bytes and gives everything that comes back until the server closes or `until` appears. */
function exchange(port: number, request: string, until?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (until !== undefined && received.includes(until)) socket.destroy();
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
    socket.end(request);
  });
}

const keys: FunctionKeys = { levelOf: (key) => (key === 'k' ? 'function' : key === 'm' ? 'admin' : undefined) };

describe('Gateway', () => {
  test('I1: gives the request to the function, and its answer to the caller', async () => {
    const { base, port } = await createRun({ functions: [http('echo', { route: 'items/{id:int}/{rest?}' })] });
    const response = await fetch(`${base}/api/items/7/a%20b?x=1&x=2`, { method: 'POST', body: 'hello' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      method: 'POST',
      url: `http://127.0.0.1:${port}/api/items/7/a%20b?x=1&x=2`,
      content: 'hello',
      params: { id: '7', rest: 'a b' },
      query: { x: '1,2' },
    });
  });

  test('I1: reads a body that comes in chunks without a length', async () => {
    const { base } = await createRun();
    const body = new ReadableStream({
      start(controller) {
        for (const part of ['one ', 'two ', 'three']) controller.enqueue(new TextEncoder().encode(part));
        controller.close();
      },
    });
    const response = await fetch(`${base}/api/echo`, { method: 'PUT', body, duplex: 'half' } as RequestInit);
    expect(await response.json()).toMatchObject({ content: 'one two three' });
  });

  test('writes status, headers, cookies and bytes as the function gave them', async () => {
    const value: RpcHttp = {
      method: '',
      url: '',
      headers: new Map([
        ['X-Custom', 'a, b'],
        ['content-type', 'application/octet-stream'],
      ]),
      body: { data: { $case: 'bytes', value: new Uint8Array([0, 255, 13, 10]) } },
      params: new Map(),
      statusCode: '202',
      query: new Map(),
      enableContentNegotiation: false,
      rawBody: undefined,
      identities: [],
      cookies: [1, 2].map((number) => ({
        name: `c${number}`,
        value: 'v',
        domain: undefined,
        path: undefined,
        expires: undefined,
        secure: undefined,
        httpOnly: undefined,
        sameSite: 0,
        maxAge: undefined,
      })),
      nullableHeaders: new Map(),
      nullableParams: new Map(),
      nullableQuery: new Map(),
    };
    const { base } = await createRun({
      onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'http', value } } }),
    });
    const response = await fetch(`${base}/api/echo`);
    expect(response.status).toBe(202);
    expect(response.headers.get('x-custom')).toBe('a, b');
    expect(response.headers.getSetCookie()).toEqual(['c1=v; path=/', 'c2=v; path=/']);
    expect(response.headers.get('content-length')).toBe('4');
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 13, 10]);
  });

  test('a body that is larger than one write arrives whole', async () => {
    const value = Buffer.alloc(300_000, 'ä');
    const { base } = await createRun({
      onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'bytes', value } } }),
    });
    const received = await (await fetch(`${base}/api/echo`)).arrayBuffer();
    expect(Buffer.from(received).equals(value)).toBe(true);
  });

  test('an empty route prefix and a function at the root', async () => {
    const hostJson = { version: '2.0', extensions: { http: { routePrefix: '' } } };
    const { base } = await createRun({ application: { hostJson }, functions: [http('root', { route: '{*rest}' })] });
    expect(await (await fetch(`${base}/`)).json()).toMatchObject({ method: 'GET' });
    expect(await (await fetch(`${base}/a/b`)).json()).toMatchObject({ params: { rest: 'a/b' } });
  });

  test.each(['', 'api'])('a function with the route / is at the root of the prefix %j', async (routePrefix) => {
    const hostJson = { version: '2.0', extensions: { http: { routePrefix } } };
    const { base } = await createRun({ application: { hostJson }, functions: [http('root', { route: '/' })] });
    expect(await (await fetch(`${base}/${routePrefix}`)).json()).toMatchObject({ method: 'GET' });
  });

  test('I2: what is not there is 404, and so are a wrong method and a disabled function', async () => {
    const { base, worker } = await createRun({
      application: { settings: { 'AzureWebJobs.off.Disabled': '1' } },
      functions: [http('echo', { methods: ['get'] }), http('off')],
    });
    const statuses = await Promise.all(
      [
        fetch(`${base}/api/nothing`),
        fetch(`${base}/echo`),
        fetch(`${base}/api/echo`, { method: 'DELETE' }),
        fetch(`${base}/api/off`),
        fetch(`${base}/runtime/webhooks/x`),
        fetch(`${base}/admin/unknown`),
        fetch(`${base}/api/%00`),
      ].map(async (response) => [(await response).status, await (await response).text()]),
    );
    expect(statuses).toEqual(statuses.map(() => [404, '']));
    expect(worker.bodies('invocationRequest')).toEqual([]);
  });

  test('I2: a caller without the key of the level gets 401 and nothing else', async () => {
    const { base, worker } = await createRun({
      application: { keys },
      functions: [http('open'), http('closed', { authLevel: 'function' }), http('top', { authLevel: 'admin' })],
    });
    const ask = async (path: string, key?: string) => {
      const response = await fetch(
        `${base}/api/${path}`,
        key === undefined ? {} : { headers: { 'x-functions-key': key } },
      );
      return [response.status, (await response.text()) === ''];
    };
    expect([await ask('closed'), await ask('closed', 'wrong'), await ask('top', 'k')]).toEqual([
      [401, true],
      [401, true],
      [401, true],
    ]);
    expect(worker.bodies('invocationRequest')).toEqual([]);
    expect([await ask('open'), await ask('closed', 'k'), await ask('closed?code=k'), await ask('top', 'm')]).toEqual([
      [200, false],
      [200, false],
      [200, false],
      [200, false],
    ]);
  });

  test('the page at the root', async () => {
    const { base } = await createRun();
    const page = await fetch(`${base}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('running');
    expect((await fetch(`${base}/`, { method: 'POST' })).status).toBe(404);
    const hidden = await createRun({ application: { settings: { AzureWebJobsDisableHomepage: 'true' } } });
    expect((await fetch(`${hidden.base}/`)).status).toBe(204);
  });

  test.each([
    ['a failure', () => invocationFailure('kaboom')],
    [
      'an answer that HTTP cannot carry',
      () =>
        invocationSuccess({ returnValue: { data: { $case: 'json', value: '{"body":"x","headers":{"a b":"c"}}' } } }),
    ],
    [
      'a status that ends no request',
      () => invocationSuccess({ returnValue: { data: { $case: 'json', value: '{"body":"x","status":101}' } } }),
    ],
  ])('I3: %s is 500 with an empty body', async (_what, onInvocation) => {
    const { base } = await createRun({ onInvocation });
    const response = await fetch(`${base}/api/echo`);
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect((await fetch(`${base}/admin/host/ping`)).status).toBe(200);
  });

  test('I3: a function that takes too long is 500, and its worker is replaced', async () => {
    const { clock, base, supply, worker } = await createRun({
      application: { hostJson: { version: '2.0', functionTimeout: '00:00:05' } },
      onInvocation: () => new Promise(() => {}),
    });
    const reply = fetch(`${base}/api/echo`);
    await worker.first('invocationRequest');
    await clock.advance(5_000);
    const response = await reply;
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'invocation-timeout' }]);
  });

  test('I3: a worker that dies is 500 at once', async () => {
    const { base, worker } = await createRun({ onInvocation: () => new Promise(() => {}) });
    const reply = fetch(`${base}/api/echo`);
    await worker.first('invocationRequest');
    worker.crash();
    expect((await reply).status).toBe(500);
  });

  test.each([
    ['GET /api/echo HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', '400'],
    ['GET /api/echo HTTP/1.1\r\nHost: <x>\r\nConnection: close\r\n\r\n', '400'],
    ['GET /api/%zz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', '404'],
    ['GET /api/echo%2f.. HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', '404'],
    ['OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', '400'],
    ['TRACE /api/echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', '405'],
    ['GET http://other:81/api/echo?a=b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', '200'],
    ['GET /api/echo HTTP/1.0\r\n\r\n', '200'],
    ['HEAD /api/echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', '200'],
    ['POST /api/echo HTTP/1.1\r\nHost: h\r\nContent-Length: nope\r\nConnection: close\r\n\r\n', '400'],
    [`GET /api/echo HTTP/1.1\r\nHost: h\r\nX: ${'y'.repeat(20_000)}\r\nConnection: close\r\n\r\n`, '431'],
    ['not http at all\r\n\r\n', '400'],
  ])('I3: %j gets %s', async (request, status) => {
    const { port, base } = await createRun();
    expect(await exchange(port, request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((await fetch(`${base}/api/echo`)).status).toBe(200);
  });

  test('I3: an absolute target counts before the Host header', async () => {
    const { port } = await createRun();
    const answer = await exchange(
      port,
      'GET http://other:81/api/echo?a=b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toContain('"url": "http://other:81/api/echo?a=b"');
  });

  test('I1: pipelined requests are answered one after the other', async () => {
    const { port } = await createRun();
    const one = (query: string, more = '') => `GET /api/echo?q=${query} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
    const answer = await exchange(port, one('first') + one('second') + one('third', 'Connection: close\r\n'));
    const order = [...answer.matchAll(/"q": "(\w+)"/g)].map((match) => match[1]);
    expect(order).toEqual(['first', 'second', 'third']);
  });

  test('I1: a client that waits for 100-continue gets it, and its answer', async () => {
    const { port } = await createRun();
    const head =
      'POST /api/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n';
    const answer = await exchange(port, `${head}hello`);
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(answer).toContain('"content": "hello"');
  });

  test('I4: a caller that goes away while its request waits for a worker leaves nothing behind', async () => {
    const { clock, runtime, worker, dial } = await createRun();
    worker.crash();
    await clock.settle();
    const waiting = call(runtime, '/api/echo');
    const patient = call(runtime, '/api/echo');
    waiting.abort();
    await clock.settle();
    const next = createFakeWorker(dial('w2'), { workerId: 'w2' });
    expect((await patient.reply).status).toBe(204);
    expect(next.bodies('invocationRequest')).toHaveLength(1);
  });

  test('I4: a caller that goes away during its body starts nothing', async () => {
    const { port, clock, worker } = await createRun();
    const head = 'POST /api/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nonly a part';
    await new Promise<void>((resolve) => {
      const socket = connectSocket(port, '127.0.0.1', () => socket.write(head, () => socket.destroy()));
      socket.on('close', () => resolve());
    });
    await clock.settle();
    expect(worker.bodies('invocationRequest')).toEqual([]);
  });

  test('holds requests while no worker is ready, and answers 503 when none comes', async () => {
    const { clock, runtime, worker } = await createRun();
    worker.crash();
    await clock.settle();
    const { reply } = call(runtime, '/api/echo');
    await clock.advance(29_999);
    const late = call(runtime, '/api/echo').reply;
    await clock.advance(1);
    expect(await reply).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    await clock.advance(29_999);
    expect((await late).status).toBe(503);
  });

  test('holds requests while the functions are not known yet', async () => {
    const clock = new VirtualClock();
    const { runtime, dial } = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog() });
    const added = runtime.addApplication(createApplication());
    const early = call(runtime, '/api/echo');
    const gone = call(runtime, '/api/echo');
    await clock.advance(20_000);
    gone.abort();
    await clock.settle();
    const worker = createFakeWorker(dial('w1'), {
      workerId: 'w1',
      functions: [http('echo')],
      onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'string', value: 'at last' } } }),
    });
    await added;
    expect(await early.reply).toMatchObject({ status: 200, body: 'at last' });
    expect(worker.bodies('invocationRequest')).toHaveLength(1);
  });

  test('does not hold them for ever', async () => {
    const clock = new VirtualClock();
    const { runtime } = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog() });
    runtime.addApplication(createApplication()).catch(() => {});
    const { reply } = call(runtime, '/api/echo');
    await clock.advance(30_000);
    expect((await reply).status).toBe(503);
  });

  test.each([
    ['the worker lists the functions', true],
    ['function.json files do', false],
  ])('answers 503 at once while no worker starts, and serves when one does (%s)', async (_name, workerIndexing) => {
    const clock = new VirtualClock();
    const { runtime, supply, dial } = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog() });
    const files = [functionFile('echo', { bindings: http('echo').bindings })];
    const added = runtime.addApplication(createApplication({ worker: { ...sampleProfile, workerIndexing }, files }));
    added.catch(() => {});
    supply.expect('w1', sampleDefinition);
    const held = call(runtime, '/api/echo').reply;
    await clock.settle();
    supply.exit('w1', 1, ['boom']);
    expect(await held).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    const refused = await call(runtime, '/api/echo').reply;
    expect(refused).toMatchObject({ status: 503, body: expect.stringContaining('exit code 1') });
    expect(refused.body).toMatch(/names\.\n$/);
    const hopeful = dial('w2');
    const patient = call(runtime, '/api/echo').reply;
    await clock.settle();
    createFakeWorker(hopeful, { workerId: 'w2', functions: [http('echo')], onInvocation: () => invocationSuccess() });
    expect((await patient).status).toBe(204);
  });

  test('tells nobody but a developer why', async () => {
    const { runtime, supply } = createHarness({
      clock: new VirtualClock(),
      random: createSeededRandom(1),
      log: createMemoryLog(),
    });
    const added = runtime.addApplication(createApplication({ development: false }));
    supply.expect('w1', sampleDefinition);
    supply.exit('w1', 1, ['boom']);
    await expect(added).rejects.toThrow('boom');
    expect(await call(runtime, '/api/echo').reply).toMatchObject({ status: 503, body: '' });
  });

  test('an app that is being stopped answers 503', async () => {
    const { clock, runtime } = await createRun({ onInvocation: () => new Promise(() => {}) });
    const running = call(runtime, '/api/echo');
    await clock.settle();
    const removed = runtime.removeApplication('sample:1', 5_000);
    expect(await call(runtime, '/api/echo').reply).toMatchObject({
      status: 503,
      headers: { connection: 'close', 'retry-after': '5' },
    });
    await clock.runUntil(removed);
    expect((await running.reply).status).toBe(500);
  });

  test('with several apps the host name decides; others are told which there are, but only developers', async () => {
    const clock = new VirtualClock();
    const { runtime, dial } = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog() });
    for (const applicationId of ['a', 'b']) {
      const definition = { applicationId, metadataVersion: '1', codeVersion: '1' };
      const added = runtime.addApplication(createApplication({ definition }));
      createFakeWorker(dial(`w${applicationId}`, definition), {
        workerId: `w${applicationId}`,
        functions: [http('who')],
        onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'string', value: applicationId } } }),
      });
      await added;
    }
    const ask = (host: string) => call(runtime, '/api/who', { headers: { host } }).reply;
    expect([(await ask('a.localhost:7071')).body, (await ask('B.localhost')).body]).toEqual(['a', 'b']);
    expect(await ask('127.0.0.1:7071')).toMatchObject({
      status: 404,
      body: 'No app answers to this host name. Use one of: a.localhost, b.localhost.\n',
    });
    const definition = { applicationId: 'c', metadataVersion: '1', codeVersion: '1' };
    runtime.addApplication(createApplication({ definition, development: false })).catch(() => {});
    expect(await ask('127.0.0.1:7071')).toMatchObject({ status: 404, body: '' });
  });

  test('without any app there is nothing to answer', async () => {
    const clock = new VirtualClock();
    const { runtime } = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog() });
    expect(await call(runtime, '/').reply).toMatchObject({ status: 404, body: 'No app is running here.\n' });
  });

  describe('what keeps a request from its function', () => {
    const offline = (page: () => string | undefined) => createRun({ application: { offlinePage: page } });

    test('app_offline.htm, for as long as it is there; the admin API stays', async () => {
      let page: string | undefined = '<p>Back soon</p>';
      const { base } = await offline(() => page);
      const reply = await fetch(`${base}/api/echo`);
      expect([reply.status, reply.headers.get('content-type'), await reply.text()]).toEqual([
        503,
        'text/html; charset=utf-8',
        '<p>Back soon</p>',
      ]);
      expect((await fetch(`${base}/admin/host/status`)).status).toBe(200);
      page = undefined;
      expect((await fetch(`${base}/api/echo`)).status).toBe(200);
    });

    test('that it asks for a WebSocket', async () => {
      const { port, worker } = await createRun();
      const ask = 'GET /api/echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: WebSocket\r\n\r\n';
      expect(await exchange(port, ask)).toMatch(/^HTTP\/1\.1 501 [\s\S]*take no WebSocket connections/);
      expect(worker.bodies('invocationRequest')).toEqual([]);
    });
  });
});
