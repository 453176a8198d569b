/** Functions with a retry policy whose requests go to the worker as streams. */
import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  invocationFailure,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { call } from '../testing/fake-http.ts';
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

interface Given {
  readonly onHttp?: RequestListener;
  /** It fails once the caller has the head of an answer. */
  readonly failsAnswered?: boolean;
  /** The try that does not fail. */
  readonly succeedsAt?: number;
}

describe('a function with a retry policy that fails', () => {
  const retry = { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: '00:00:01' };
  const keptBytes = 1_048_576;

  /** How often it was tried, what its worker got over HTTP, and the status for the caller. */
  const tries = async (
    capabilities: 'none' | 'HttpUri',
    send: (outgoing: ReturnType<typeof httpRequest>) => void,
    { onHttp = () => {}, failsAnswered = false, succeedsAt = 0 }: Given = {},
  ) => {
    let given = 0;
    const clock = new VirtualClock();
    const bodies: number[] = [];
    const streaming = createServer((request, response) => {
      let sizeBytes = 0;
      request.on('data', (part: Uint8Array) => {
        sizeBytes += part.byteLength;
      });
      request.on('error', () => {});
      request.on('end', () => bodies.push(sizeBytes));
      onHttp(request, response);
    });
    servers.push(streaming);
    const HttpUri = `${await listen(streaming)}/`;
    const workerHttp = createTestWorkerHttp();
    const harness = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog(), workerHttp });
    const added = harness.runtime.addApplication(createApplication({ hostJson: { version: '2.0', retry } }));
    const worker = createFakeWorker(harness.dial('w1'), {
      workerId: 'w1',
      functions,
      capabilities: capabilities === 'none' ? {} : { HttpUri },
      // It fails once its request is there, as a function does that has read it.
      onInvocation: async () => {
        const attempt = worker.bodies('invocationRequest').length;
        const isThere = () => capabilities === 'none' || bodies.length >= attempt;
        await vi.waitUntil(() => isThere() && (given > 0 || !failsAnswered), { timeout: 10_000 });
        return attempt === succeedsAt ? invocationSuccess() : invocationFailure('no');
      },
    });
    await added;
    const server = createServer((request, response) => harness.runtime.handleRequest(request, response));
    servers.push(server);
    const base = await listen(server);
    const status = new Promise<number>((resolve) => {
      const outgoing = httpRequest(`${base}/api/f`, { method: 'POST' }, (response) => {
        response.resume().on('error', () => {});
        resolve(response.statusCode ?? 0);
      });
      outgoing.on('error', () => {});
      send(outgoing);
    });
    void status.then((code) => {
      given = code;
    });
    // The clock goes on only while a try waits for its turn, so that nothing that is under way runs out of time.
    const retries = async (): Promise<number> =>
      JSON.parse((await call(harness.runtime, '/admin/host/drain/status').reply).body).outstandingRetries;
    while (given === 0) {
      await vi.waitUntil(async () => given > 0 || (await retries()) > 0, { timeout: 20_000, interval: 5 });
      if (given === 0) await clock.advance(1_000);
    }
    return { tried: worker.bodies('invocationRequest').length, bodies, status: given, clock };
  };
  const withLength = (bytes: number) => (outgoing: ReturnType<typeof httpRequest>) => {
    outgoing.setHeader('content-length', bytes).end(Buffer.alloc(bytes));
  };

  test('is tried again with all of its request, over gRPC and as a stream', async () => {
    expect(await tries('none', withLength(4))).toMatchObject({ tried: 3, status: 500 });
    expect(await tries('HttpUri', withLength(0))).toMatchObject({ tried: 3, bodies: [0, 0, 0], status: 500 });
    expect(await tries('HttpUri', withLength(4))).toMatchObject({ tried: 3, bodies: [4, 4, 4], status: 500 });
    const large = await tries('HttpUri', withLength(keptBytes));
    expect(large).toMatchObject({ tried: 3, bodies: [keptBytes, keptBytes, keptBytes], status: 500 });
  });

  test('is tried once where its stream was not kept: too long, or of unknown length', async () => {
    expect(await tries('HttpUri', withLength(keptBytes + 1))).toMatchObject({ tried: 1, bodies: [keptBytes + 1] });
    const chunked = (outgoing: ReturnType<typeof httpRequest>) => {
      outgoing.write('a part');
      outgoing.end('the rest');
    };
    expect(await tries('HttpUri', chunked)).toMatchObject({ tried: 1, bodies: [14], status: 500 });
  });

  test('is tried once where its caller has the head of an answer', async () => {
    const onHttp: RequestListener = (_request, response) => response.writeHead(201).flushHeaders();
    const run = await tries('HttpUri', withLength(4), { onHttp, failsAnswered: true });
    await run.clock.advance(10_000);
    expect(run).toMatchObject({ tried: 1, status: 201 });
  });

  test('the answer of the try that succeeds is the caller’s', async () => {
    let arrived = 0;
    const onHttp: RequestListener = (_request, response) => {
      arrived += 1;
      if (arrived === 3) response.writeHead(202).end('the third answer');
    };
    const run = await tries('HttpUri', withLength(4), { onHttp, succeedsAt: 3 });
    expect(run).toMatchObject({ tried: 3, bodies: [4, 4, 4], status: 202 });
  });
});
