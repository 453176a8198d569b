import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import { createDeferred } from '@switchyard/kernel';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorkerOptions,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import type { RuntimeLimits } from '../limits.ts';
import { createTestWorkerHttp } from '../testing/node-worker-http.ts';
import { createHarness, listen } from '../testing/runtime-harness.ts';
import { createApplication, httpBindings } from '../testing/sample-application.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const functions = [
  {
    name: 'f',
    bindings: httpBindings(),
  },
];

type Given = {
  readonly http?: Readonly<Record<string, number>>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly onInvocation?: FakeWorkerOptions['onInvocation'];
  readonly capabilities?: Readonly<Record<string, string>>;
  readonly limits?: Partial<RuntimeLimits>;
};

/** A Runtime behind HTTP with an app and no worker yet. */
async function createRun(given: Given = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const workerHttp = createTestWorkerHttp();
  const options = { limits: given.limits ?? {} };
  const harness = createHarness({ clock, random: createSeededRandom(1), log, workerHttp, options });
  const hostJson = { version: '2.0', extensions: { http: given.http ?? {} } };
  const added = harness.runtime.addApplication(createApplication({ hostJson, settings: given.settings ?? {} }));
  const onInvocation = given.onInvocation ?? (() => invocationSuccess());
  const start = async (capabilities = given.capabilities ?? {}) => {
    const worker = createFakeWorker(harness.dial('w1'), { workerId: 'w1', functions, onInvocation, capabilities });
    await added;
    return worker;
  };
  const seen = { arrived: 0, gone: 0 };
  const serve: RequestListener = (request, response) => {
    harness.runtime.handleRequest(request, response);
    seen.arrived += 1;
    response.once('close', () => {
      seen.gone += 1;
    });
  };
  const server = createServer(serve).on('checkContinue', serve);
  servers.push(server);
  const url = `${await listen(server)}/api/f`;
  return { clock, log, url, start, seen, ...harness };
}

/** Answers invocations one by one, when the test says so. */
function createAnswers() {
  const waiting: (() => void)[] = [];
  const onInvocation: FakeWorkerOptions['onInvocation'] = () =>
    new Promise((resolve) => waiting.push(() => resolve(invocationSuccess())));
  return { waiting, onInvocation };
}

const statusOf = (url: string, init?: RequestInit): Promise<number> =>
  fetch(url, init).then(async (response) => {
    await response.arrayBuffer();
    return response.status;
  });

describe('HttpFunctions', () => {
  test('I1: requests beyond maxConcurrentRequests wait for their turn, and all are answered', async () => {
    const { waiting, onInvocation } = createAnswers();
    const { url, start } = await createRun({ http: { maxConcurrentRequests: 2 }, onInvocation });
    const worker = await start();
    const replies = [1, 2, 3, 4, 5].map(() => statusOf(url));
    for (let answered = 0; answered < 5; answered += 1) {
      await expect.poll(() => worker.bodies('invocationRequest').length).toBe(Math.min(5, answered + 2));
      waiting[answered]?.();
    }
    expect(await Promise.all(replies)).toEqual([204, 204, 204, 204, 204]);
  });

  test('I1: one request too many is 429, before its body is read', async () => {
    const { waiting, onInvocation } = createAnswers();
    const { url, start } = await createRun({ http: { maxOutstandingRequests: 1 }, onInvocation });
    const worker = await start();
    const first = statusOf(url);
    await expect.poll(() => worker.bodies('invocationRequest')).toHaveLength(1);
    const refused = await fetch(url, { method: 'POST', body: 'x' });
    expect([refused.status, refused.headers.get('x-function-scaleout'), await refused.text()]).toEqual([429, '1', '']);
    waiting[0]?.();
    expect(await first).toBe(204);
    const third = statusOf(url);
    await expect.poll(() => worker.bodies('invocationRequest')).toHaveLength(2);
    waiting[1]?.();
    expect(await third).toBe(204);
  });

  test('I1: a body that is refused, and a caller that stops waiting, give their turns back', async () => {
    const { waiting, onInvocation } = createAnswers();
    const http = { maxConcurrentRequests: 1, maxOutstandingRequests: 2 };
    const settings = { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1' };
    const { url, start, seen } = await createRun({ http, settings, onInvocation });
    const worker = await start();
    expect(await statusOf(url, { method: 'POST', body: 'xx' })).toBe(413);
    const running = statusOf(url);
    await expect.poll(() => seen.arrived).toBe(2);
    const caller = new AbortController();
    const waits = fetch(url, { signal: caller.signal }).catch((reason: unknown) => reason);
    await expect.poll(() => seen.arrived).toBe(3);
    expect(await statusOf(url)).toBe(429);
    const before = seen.gone;
    caller.abort();
    expect(await waits).toMatchObject({ name: 'AbortError' });
    await expect.poll(() => seen.gone).toBe(before + 1);
    const second = statusOf(url);
    await expect.poll(() => seen.arrived).toBe(5);
    waiting[0]?.();
    await expect.poll(() => worker.bodies('invocationRequest')).toHaveLength(2);
    waiting[1]?.();
    expect(await Promise.all([running, second])).toEqual([204, 204]);
  });

  test('I2: a body beyond the limit is 413, announced or in chunks, and the app goes on', async () => {
    const { url, start } = await createRun({ settings: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '100' } });
    const worker = await start();
    expect(await statusOf(url, { method: 'POST', body: 'x'.repeat(101) })).toBe(413);
    const body = ReadableStream.from([Buffer.alloc(60), Buffer.alloc(60)]);
    expect(await statusOf(url, { method: 'POST', body, duplex: 'half' } as RequestInit)).toBe(413);
    expect(worker.bodies('invocationRequest')).toEqual([]);
    expect(await statusOf(url, { method: 'POST', body: 'x'.repeat(100) })).toBe(204);
  });

  test('I2: large bodies wait on the wire for room, and beyond a while their callers are told to come back', async () => {
    const { waiting, onInvocation } = createAnswers();
    const limits = { bufferedBodyBytes: 150_000, waitingBodies: 2 };
    const { clock, url, start, seen } = await createRun({ onInvocation, limits });
    const worker = await start();
    const post = (bytes: number): Promise<number> => statusOf(url, { method: 'POST', body: 'x'.repeat(bytes) });
    const first = post(100_000);
    await expect.poll(() => worker.bodies('invocationRequest').length).toBe(1);
    const second = post(100_000);
    await expect.poll(() => seen.arrived).toBe(2);
    const third = post(100_000);
    await expect.poll(() => seen.arrived).toBe(3);
    // Nobody else may wait, and small bodies need no room.
    expect(await post(100_000)).toBe(503);
    const small = post(10);
    await expect.poll(() => worker.bodies('invocationRequest').length).toBe(2);
    waiting.shift()?.();
    expect(await first).toBe(204);
    await expect.poll(() => worker.bodies('invocationRequest').length).toBe(3);
    await clock.advance(30_000);
    expect(await third).toBe(503);
    for (const answer of waiting.splice(0)) answer();
    expect([await small, await second]).toEqual([204, 204]);
  });

  test('I2: a body in chunks is given up where there is no room for the rest of it', async () => {
    const { waiting, onInvocation } = createAnswers();
    const limits = { bufferedBodyBytes: 250_000 };
    const { url, start } = await createRun({ onInvocation, limits });
    const worker = await start();
    const first = statusOf(url, { method: 'POST', body: 'x'.repeat(100_000) });
    await expect.poll(() => worker.bodies('invocationRequest').length).toBe(1);
    const body = ReadableStream.from([Buffer.alloc(60_000), Buffer.alloc(60_000), Buffer.alloc(60_000)]);
    expect(await statusOf(url, { method: 'POST', body, duplex: 'half' } as RequestInit)).toBe(503);
    waiting.shift()?.();
    expect(await first).toBe(204);
  });

  test('I2: a body in front of a worker that nobody knows yet is read as that worker wants it', async () => {
    const { url, start } = await createRun({ settings: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '4' } });
    const early = statusOf(url, { method: 'POST', body: 'four' });
    const worker = await start({ RpcHttpBodyOnly: 'true', RawHttpBodyBytes: 'true' });
    expect(await early).toBe(204);
    const [input] = worker.bodies('invocationRequest')[0]?.inputData ?? [];
    expect(input?.rpcData?.value).toMatchObject({
      data: { value: { body: { data: { $case: 'bytes', value: new Uint8Array(Buffer.from('four')) } } } },
    });
  });

  test('I2: a body in front of a worker that will stream is left on the wire for it', async () => {
    const seen = createDeferred<string>();
    const streaming = createServer((request, response) => {
      seen.resolve(String(request.headers['transfer-encoding']));
      request.pipe(response);
    });
    servers.push(streaming);
    const { url, start } = await createRun();
    const body = ReadableStream.from([Buffer.from('in '), Buffer.from('parts')]);
    const early = fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit);
    await start({ HttpUri: `${await listen(streaming)}/` });
    expect(await (await early).text()).toBe('in parts');
    expect(await seen.promise).toBe('chunked');
  });

  test('I3: a caller that goes away cancels its invocation, where the worker can', async () => {
    const { onInvocation } = createAnswers();
    const { url, start } = await createRun({ onInvocation });
    const worker = await start({ HandlesInvocationCancelMessage: 'true' });
    const caller = new AbortController();
    const reply = fetch(url, { signal: caller.signal }).catch((reason: unknown) => reason);
    await expect.poll(() => worker.bodies('invocationRequest')).toHaveLength(1);
    caller.abort();
    expect(await reply).toMatchObject({ name: 'AbortError' });
    await expect.poll(() => worker.bodies('invocationCancel')).toHaveLength(1);
    expect(worker.bodies('invocationCancel')[0]?.invocationId).toBe(
      worker.bodies('invocationRequest')[0]?.invocationId,
    );
  });

  test('I3: a caller that got its answer cancels nothing', async () => {
    const { url, start } = await createRun();
    const worker = await start({ HandlesInvocationCancelMessage: 'true' });
    for (let count = 0; count < 3; count += 1) expect(await statusOf(url)).toBe(204);
    expect(worker.bodies('invocationCancel')).toEqual([]);
  });

  test('a body that stands still is 408', async () => {
    const { url, start, clock } = await createRun();
    await start();
    const outgoing = httpRequest(url, { method: 'POST', headers: { 'content-length': '10' } });
    const answered = new Promise<number | undefined>((resolve) =>
      outgoing.once('response', ({ statusCode }) => resolve(statusCode)),
    );
    outgoing.on('error', () => {}).write('half');
    let isAnswered = false;
    void answered.then(() => {
      isAnswered = true;
    });
    // The first bytes come over a real connection; the pause after them is virtual.
    for (let waitedMs = 0; !isAnswered && waitedMs < 200_000; waitedMs += 1_000) {
      await clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await answered).toBe(408);
  });

  test('I4: an app that is drained waits for a body that is still on its way', async () => {
    const { url, start, runtime, clock, seen } = await createRun();
    const worker = await start();
    const outgoing = httpRequest(url, { method: 'POST' });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      outgoing.once('response', (response) => resolve(response.resume().statusCode)).once('error', reject);
    });
    outgoing.write('half');
    await expect.poll(() => seen.arrived).toBe(1);
    const key = runtime.status()[0]?.key ?? '';
    let isRemoved = false;
    const removed = runtime.removeApplication(key, 10_000).then(() => {
      isRemoved = true;
    });
    outgoing.end(' and the rest');
    expect(await answered).toBe(204);
    expect(worker.bodies('invocationRequest')).toHaveLength(1);
    for (let waitedMs = 0; !isRemoved && waitedMs < 20_000; waitedMs += 100) await clock.advance(100);
    await removed;
  });
});
