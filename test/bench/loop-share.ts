/**
 * How the Runtime's event loop is shared: a quiet tenant's calls beside a flood through the same gateway, with fair turns
 * and first come, first served, in turns. Workers are played in this process, so that nothing competes but the loop.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { silentLog, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { createMemoryLinkPair, type SupplyEvent } from '@switchyard/protocol';
import { createRuntime } from '@switchyard/runtime';
import { createFakeWorker, invocationSuccess, toRpcFunctionMetadata } from '@switchyard/testkit';
import { createAzureQueueService, createKinds } from '@switchyard/triggers';
import { createHelloApplication } from '../decoupled/hello-application.ts';
import type { BenchRow } from './bench-row.ts';
import { median, quantile } from './statistics.ts';

const rounds = 5;
const floodConnections = 256;
const measureMs = 1_500;
/** Between two calls of the quiet tenant. */
const pauseMs = 2;

interface Gateway {
  readonly port: number;
  close(): Promise<void>;
}

/** Runs the benchmark; takes about twenty seconds. */
export async function benchLoopShare(): Promise<BenchRow[]> {
  const fair = await openGateway();
  const unfair = await openGateway(Number.MAX_SAFE_INTEGER);
  const samples = { fair: [] as number[], unfair: [] as number[], alone: [] as number[] };
  try {
    await measure(fair.port, 16);
    for (let round = 0; round < rounds; round += 1) {
      samples.alone.push(await measure(fair.port, 0));
      samples.fair.push(await measure(fair.port, floodConnections));
      samples.unfair.push(await measure(unfair.port, floodConnections));
    }
  } finally {
    await fair.close();
    await unfair.close();
  }
  const name = `event loop: a quiet tenant's p99 beside ${floodConnections} busy connections`;
  const ours = median(samples.fair);
  const row = (reference: number, against: string): BenchRow => {
    return { name, ours, reference, against, ratio: ours / reference, unit: 'ms', target: '' };
  };
  return [row(median(samples.unfair), 'first come, first served'), row(median(samples.alone), 'the same tenant alone')];
}

/** A gateway with an app each of a loud and a quiet tenant. */
async function openGateway(startsPerTurn?: number): Promise<Gateway> {
  const timerStatus = { read: async () => undefined, write: async () => {} };
  const observers = new Set<(event: SupplyEvent) => void>();
  const supply = {
    ensure() {},
    release() {},
    watch: (observer: (event: SupplyEvent) => void) => {
      observers.add(observer);
      return () => observers.delete(observer);
    },
  };
  const runtime = createRuntime(
    {
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      meter: silentMeter,
      supply,
      kinds: createKinds({ queues: createAzureQueueService(), timerStatus }),
    },
    { cpus: 1, ...(startsPerTurn === undefined ? {} : { limits: { startsPerTurn } }) },
  );
  for (const applicationId of ['loud', 'quiet']) {
    const application = { applicationId, metadataVersion: 'm1', codeVersion: 'c1' };
    const functions = [toRpcFunctionMetadata({ name: 'hello' })];
    const index = { functions, useDefaultIndexing: false };
    const hello = { ...createHelloApplication(application), tenantId: applicationId, index };
    const added = runtime.addApplication(hello);
    for (const observer of observers) observer({ kind: 'expected', workerId: applicationId, application });
    const { opener, acceptor } = createMemoryLinkPair();
    runtime.acceptWorker(acceptor);
    const returnValue = { data: { $case: 'string', value: 'Hello, world' } } as const;
    createFakeWorker(opener, { workerId: applicationId, onInvocation: () => invocationSuccess({ returnValue }) });
    await added;
  }
  const server = createServer((request, response) => runtime.handleRequest(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close().closeAllConnections();
      await runtime.drain(100);
    },
  };
}

/** The 99th percentile of the quiet tenant's calls, in milliseconds. */
async function measure(port: number, flood: number): Promise<number> {
  const latencies: number[] = [];
  const state = { isOver: false };
  const ended = Array.from({ length: flood }, () => call(port, 'loud', 0, state, () => {}));
  ended.push(call(port, 'quiet', pauseMs, state, (tookMs) => latencies.push(tookMs)));
  await new Promise((resolve) => setTimeout(resolve, measureMs));
  state.isOver = true;
  await Promise.all(ended);
  return quantile(latencies.slice(Math.floor(latencies.length / 10)), 0.99);
}

/** One connection with one call at a time; resolves when it is over. */
async function call(
  port: number,
  tenant: string,
  waitMs: number,
  state: { readonly isOver: boolean },
  onAnswer: (tookMs: number) => void,
): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let sentMs = 0;
  const send = (): void => {
    sentMs = performance.now();
    socket.write(`GET /api/hello HTTP/1.1\r\nHost: ${tenant}.localhost\r\n\r\n`);
  };
  socket.on('connect', send);
  socket.on('error', () => {});
  socket.on('data', () => {
    onAnswer(performance.now() - sentMs);
    if (state.isOver) socket.end();
    else if (waitMs > 0) setTimeout(send, waitMs);
    else send();
  });
  await new Promise((resolve) => socket.once('close', resolve));
}
