/**
 * A Runtime with many dormant apps, for `runtime-core.ts`: `node --expose-gc runtime-core-process.ts`. Prints one line of
 * JSON and ends. Each app has two HTTP functions and a timer, indexed before; nothing runs but the Runtime itself.
 */
import { silentLog, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import {
  createMemoryLinkPair,
  type Link,
  StreamingMessage,
  type SupplyEvent,
  type WorkerSupply,
} from '@switchyard/protocol';
import { createRuntime, type RuntimeApplication } from '@switchyard/runtime';
import { createFakeWorker, invocationSuccess, toRpcFunctionMetadata } from '@switchyard/testkit';
import { createAzureQueueService, createKinds } from '@switchyard/triggers';
import { createHelloApplication } from '../decoupled/hello-application.ts';
import { ask } from '../decoupled/in-memory-request.ts';
import { quantile } from './statistics.ts';

export interface CoreResult {
  readonly createP50Ms: number;
  readonly createP99Ms: number;
  readonly startMs: number;
  readonly heapBytesPerApp: number;
  readonly residentBytesPerApp: number;
  readonly routeP50Ms: number;
  readonly routeP99Ms: number;
  readonly encodeP50Ms: number;
}

const apps = 1_000;
const warmUpCalls = 3_000;
const measuredCalls = 3_000;

const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});

let announce: (event: SupplyEvent) => void = () => {};

/** Starts nothing; workers are announced by hand. */
const supply: WorkerSupply = {
  ensure: () => {},
  release: () => {},
  watch(observer) {
    announce = observer;
    return () => {};
  },
};

const route = (name: string) => [
  {
    type: 'httpTrigger',
    direction: 'in' as const,
    name: 'request',
    methods: ['get'],
    authLevel: 'anonymous',
    route: name,
  },
  { type: 'http', direction: 'out' as const, name: '$return' },
];
const timer = [{ type: 'timerTrigger', direction: 'in' as const, name: 'timer', schedule: '0 0 3 * * *' }];

const functions = [
  { name: 'hello', functionId: 'hello', bindings: route('hello') },
  { name: 'other', functionId: 'other', bindings: route('other/{id}') },
  { name: 'nightly', functionId: 'nightly', bindings: timer },
].map(toRpcFunctionMetadata);

function dormant(applicationId: string): RuntimeApplication {
  return {
    ...createHelloApplication({ applicationId, metadataVersion: 'm1', codeVersion: 'c1' }),
    settings: new Map(
      Array.from({ length: 20 }, (_, index) => [`SETTING_${index}`, `value ${index} of ${applicationId}`]),
    ),
    index: { functions, useDefaultIndexing: false },
    scale: { alwaysReady: 0, idleMs: 300_000 },
  };
}

const timerStatus = { read: async () => undefined, write: async () => {} };
const kinds = createKinds({ queues: createAzureQueueService(), timerStatus });
const base = { clock: systemClock, random: systemRandom, log: silentLog, meter: silentMeter };
const runtime = createRuntime(
  { ...base, supply, kinds, verifyWorker: () => ({ kind: 'accepted' }) },
  { cpus: 1, exactHostNames: true },
);

async function fill() {
  // The code is loaded and warm before anything is counted.
  for (let index = 0; index < 20; index += 1) await runtime.addApplication(dormant(`warm-${index}`));
  for (let index = 0; index < 20; index += 1) await runtime.removeApplication(`warm-${index}:m1`, 0);
  collect();
  const before = process.memoryUsage();
  const times: number[] = [];
  const startMs = performance.now();
  for (let index = 0; index < apps; index += 1) {
    const atMs = performance.now();
    await runtime.addApplication(dormant(`app-${index}`));
    times.push(performance.now() - atMs);
  }
  const tookMs = performance.now() - startMs;
  collect();
  const after = process.memoryUsage();
  const heap = (memory: NodeJS.MemoryUsage): number => memory.heapUsed + memory.external + memory.arrayBuffers;
  return {
    createP50Ms: quantile(times, 0.5),
    createP99Ms: quantile(times, 0.99),
    startMs: tookMs,
    heapBytesPerApp: (heap(after) - heap(before)) / apps,
    residentBytesPerApp: (after.rss - before.rss) / apps,
  };
}

/** A worker of one of the apps, whose invocations are seen as they leave. */
function openWorker(onInvocation: (frame: Uint8Array) => void): void {
  const { opener, acceptor } = createMemoryLinkPair();
  const seen: Link = {
    peer: acceptor.peer,
    metadata: acceptor.metadata,
    bufferedBytes: 0,
    closed: acceptor.closed,
    send(frame) {
      onInvocation(frame);
      return acceptor.send(frame);
    },
    drained: () => acceptor.drained(),
    receive: (receiver) => acceptor.receive(receiver),
    pause: () => acceptor.pause(),
    resume: () => acceptor.resume(),
    end: (status) => acceptor.end(status),
    cancel: (status) => acceptor.cancel(status),
  };
  announce({ kind: 'expected', workerId: 'w1', application: dormant('app-500').definition });
  runtime.acceptWorker(seen);
  createFakeWorker(opener, {
    workerId: 'w1',
    onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'string', value: 'hello' } } }),
  });
}

async function routeCalls() {
  let sentMs = 0;
  let last: Uint8Array = new Uint8Array();
  openWorker((frame) => {
    sentMs = performance.now();
    last = frame;
  });
  const times: number[] = [];
  const encodings: number[] = [];
  for (let call = 0; call < warmUpCalls + measuredCalls; call += 1) {
    const atMs = performance.now();
    const answer = ask(runtime, '/api/hello', 'app-500.localhost');
    const leftMs = await answer.then(({ status }) => {
      if (status !== 200) throw new Error(`the app answered ${status}`);
      return sentMs;
    });
    if (call >= warmUpCalls) times.push(leftMs - atMs);
    const message = StreamingMessage.decode(last);
    if (message.content?.$case !== 'invocationRequest') throw new Error(`${message.content?.$case} was sent last`);
    const encodeMs = performance.now();
    StreamingMessage.encode(message).finish();
    if (call >= warmUpCalls) encodings.push(performance.now() - encodeMs);
  }
  return {
    routeP50Ms: quantile(times, 0.5),
    routeP99Ms: quantile(times, 0.99),
    encodeP50Ms: quantile(encodings, 0.5),
  };
}

const result: CoreResult = { ...(await fill()), ...(await routeCalls()) };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
