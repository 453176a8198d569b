/**
 * What the decoupled model costs: from a warm placeholder to the first answer over HTTP, next to the bare worker driven by
 * a scripted host (reload, load, invoke); and what a sidecar's relay adds to a frame's way, next to a bare relay that
 * passes frames on without looking at them. Ours and the reference take turns in one run.
 *
 *     node --conditions=switchyard-source test/bench/specialize.ts
 */
import { fileURLToPath } from 'node:url';
import { createDeferred, silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import {
  createRpcChannel,
  createRpcServer,
  eventStreamPath,
  type Link,
  type MessageContent,
  type RpcFunctionMetadata,
  RpcHttp,
  StatusResult_Status,
  StreamingMessage,
} from '@switchyard/protocol';
import { createSidecar } from '@switchyard/sidecar';
import { createFakeWorker, successResult } from '@switchyard/testkit';
import { buildWorker, startWorker, type WorkerProcess } from '../conformance/worker-process.ts';
import { type DecoupledPlatform, openDecoupledPlatform } from '../decoupled/decoupled-platform.ts';
import { createHelloApplication, helloDefinition, helloFolder, nodeStack } from '../decoupled/hello-application.ts';
import type { BenchRow } from './bench-row.ts';
import { median, quantile } from './statistics.ts';

const rounds = 15;
/** How long a placeholder waits for its app: enough to have warmed up. */
const placeholderMs = 300;
const relayRounds = 9;
const messages = 30_000;
const inFlight = 64;
const messageBytes = 500;

/** Runs the benchmark; takes about half a minute. */
export async function benchSpecialize(): Promise<BenchRow[]> {
  const bundle = await buildWorker();
  try {
    const ours: number[] = [];
    const raw: number[] = [];
    const platform = await openDecoupledPlatform({ workerPath: bundle.path, minimum: 1 });
    await measureDecoupled(platform, 'warm-up');
    for (let round = 0; round < rounds; round += 1) {
      raw.push(await measureRaw(bundle.path));
      ours.push(await measureDecoupled(platform, String(round)));
    }
    await platform.close();
    const against = 'raw worker: reload, load, invoke';
    const row = (name: string, share: number, target: string): BenchRow => {
      const [one, reference] = [quantile(ours, share), quantile(raw, share)];
      return { name, ours: one, reference, against, ratio: one / reference, unit: 'ms', target };
    };
    return [
      row('Placeholder to first answer, p50', 0.5, '<= 1.5'),
      row('Placeholder to first answer, p95', 0.95, '<= 1.5; ours <= 100 ms'),
      ...(await benchRelay()),
    ];
  } finally {
    bundle.remove();
  }
}

/** From `addApplication` to the whole body, with a pool that holds a warm placeholder. */
async function measureDecoupled({ supply, url, runtime }: DecoupledPlatform, metadataVersion: string): Promise<number> {
  while (supply.pools()[0]?.warm !== 1) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, placeholderMs));
  const startMs = performance.now();
  const added = runtime.addApplication(createHelloApplication({ ...helloDefinition, metadataVersion }));
  const response = await fetch(`${url}/api/hello`);
  const text = await response.text();
  const tookMs = performance.now() - startMs;
  if (text !== 'Hello, world') throw new Error(`the app answered ${response.status} ${text}`);
  await added;
  await runtime.removeApplication(`hello:${metadataVersion}`, 1_000);
  return tookMs;
}

async function measureRaw(bundle: string): Promise<number> {
  const worker = await startWorker({ program: process.execPath, bundle, directory: helloFolder });
  try {
    await worker.host.init('');
    await new Promise((resolve) => setTimeout(resolve, placeholderMs));
    const startMs = performance.now();
    await worker.host.reload(helloFolder, { PATH: process.env.PATH ?? '' });
    await invokeHello(worker, await load(worker));
    return performance.now() - startMs;
  } finally {
    await worker.stop();
  }
}

async function load({ host, stderr }: WorkerProcess): Promise<RpcFunctionMetadata> {
  const { functionMetadataResults } = await host.index(helloFolder);
  const [metadata] = functionMetadataResults;
  if (!metadata) throw new Error(`the worker found no function: ${stderr()}`);
  await host.load(metadata.functionId, metadata);
  return metadata;
}

async function invokeHello({ host }: WorkerProcess, { functionId, bindings }: RpcFunctionMetadata): Promise<void> {
  const url = 'http://127.0.0.1:7071/api/hello';
  const value = { ...RpcHttp.decode(new Uint8Array()), method: 'GET', url };
  const [name = ''] = bindings.keys();
  const data = { data: { $case: 'http' as const, value } };
  const inputData = [{ name, rpcData: { $case: 'data' as const, value: data } }];
  const { result } = await host.invoke({ invocationId: 'first', functionId, inputData });
  if (result?.status !== StatusResult_Status.Success) throw new Error('the raw call failed');
}

/** A chain of two links: the opener's end of the worker's, and the acceptor's end of the Runtime's. */
interface Chain {
  readonly worker: Link;
  readonly runtime: Link;
  /** Takes every frame that reaches the worker's end, or the Runtime's. */
  onWorkerFrame: (frame: Uint8Array) => void;
  onRuntimeFrame: (frame: Uint8Array) => void;
  close(): Promise<void>;
}

async function benchRelay(): Promise<BenchRow[]> {
  const sidecar = await openChain(openSidecarHop);
  const bare = await openChain(openBareHop);
  try {
    const times = { ours: [] as number[], raw: [] as number[] };
    const trips = { ours: [] as number[], raw: [] as number[] };
    await measureThroughput(sidecar);
    await measureThroughput(bare);
    for (let round = 0; round < relayRounds; round += 1) {
      times.raw.push(await measureThroughput(bare));
      times.ours.push(await measureThroughput(sidecar));
      trips.raw.push(await measureRoundTrip(bare));
      trips.ours.push(await measureRoundTrip(sidecar));
    }
    const against = 'bare two-hop relay';
    const row = (name: string, ours: number, reference: number, unit: string): BenchRow => {
      return { name, ours, reference, against, ratio: ours / reference, unit, target: '<= 1.3' };
    };
    return [
      row('Sidecar relay: time per round trip, 64 in flight', median(times.ours), median(times.raw), 'us'),
      row('Sidecar relay: round trip alone, p50', median(trips.ours), median(trips.raw), 'us'),
    ];
  } finally {
    await Promise.all([sidecar.close(), bare.close()]);
  }
}

type Hop = (fromWorker: Link, dialRuntime: () => Link) => void;

/** Worker end -> (HTTP/2) -> hop -> (HTTP/2) -> Runtime end, all in this process. */
async function openChain(hop: Hop): Promise<Chain> {
  const arrived = createDeferred<Link>();
  const listen = async (open: (link: Link) => void) => {
    const server = createRpcServer(
      { clock: systemClock },
      { methods: { [eventStreamPath]: { kind: 'stream', open } } },
    );
    const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 });
    return { server, channel: createRpcChannel({ clock: systemClock }, { endpoint: `http://${host}:${port}` }) };
  };
  const upper = await listen((link) => arrived.resolve(link));
  const lower = await listen((link) => hop(link, () => upper.channel.eventStream()));
  const worker = lower.channel.eventStream();
  const ready = createDeferred<void>();
  const chain: { -readonly [Key in keyof Chain]: Chain[Key] } = {
    worker,
    runtime: worker,
    onWorkerFrame: () => {},
    onRuntimeFrame: () => {},
    async close() {
      await Promise.all([upper.channel.close(0), lower.channel.close(0)]);
      await Promise.all([upper.server.close(0), lower.server.close(0)]);
    },
  };
  playWorker(worker, (frame) => chain.onWorkerFrame(frame), ready.resolve);
  chain.runtime = await arrived.promise;
  let isConnected = false;
  chain.runtime.receive({
    frame(frame) {
      if (isConnected) {
        chain.onRuntimeFrame(frame);
        return;
      }
      isConnected = true;
      if (StreamingMessage.decode(frame).content?.$case === 'workerConnect') answerConnect(chain.runtime);
    },
  });
  chain.runtime.send(frameOf({ $case: 'workerHeartbeat', value: {} }));
  await ready.promise;
  return chain;
}

/** Specializes as it is told, and then hands out every frame as it is. */
function playWorker(link: Link, onFrame: (frame: Uint8Array) => void, onReady: () => void): void {
  let isReady = false;
  const receivers: ((frame: Uint8Array) => void)[] = [];
  link.receive({
    frame(frame) {
      if (isReady) onFrame(frame);
      else if (StreamingMessage.decode(frame).content?.$case === 'workerHeartbeat') {
        isReady = true;
        onReady();
      } else for (const receive of receivers) receive(frame);
    },
  });
  createFakeWorker(
    { ...passing(link), receive: ({ frame }) => receivers.push(frame) },
    { workerId: 'bench', functions: [{ name: 'hello' }] },
  );
}

function passing(link: Link): Link {
  return {
    peer: link.peer,
    metadata: link.metadata,
    bufferedBytes: 0,
    closed: link.closed,
    send: (frame) => link.send(frame),
    drained: () => link.drained(),
    receive: (receiver) => link.receive(receiver),
    pause: () => link.pause(),
    resume: () => link.resume(),
    end: (status) => link.end(status),
    cancel: (status) => link.cancel(status),
  };
}

function answerConnect(link: Link): void {
  const value = { result: successResult(), hostCapabilities: new Map<string, string>(), functionLoadRequests: [] };
  link.send(frameOf({ $case: 'workerConnectResponse', value }));
}

const openSidecarHop: Hop = (fromWorker, dialRuntime) => {
  const sidecar = createSidecar(
    { clock: systemClock, random: systemRandom, log: silentLog, dial: dialRuntime },
    {
      workerId: 'bench',
      instanceId: 'here',
      stack: nodeStack,
      traits: { workerIndexing: true, initializationTimeoutMs: 10_000, environmentReloadTimeoutMs: 10_000 },
      hostVersion: '4',
      workerDirectory: '/',
      hasConsole: false,
    },
  );
  sidecar.acceptWorker(fromWorker);
  const assignment = {
    runtimeEndpoint: 'the upper server',
    application: { applicationId: 'bench', metadataVersion: '1', codeVersion: '1' },
    tenantId: 'bench',
    content: { kind: 'folder', scriptRoot: '/' },
    environment: new Map<string, string>(),
    token: undefined,
  } as const;
  void sidecar.warm.then(() => sidecar.assign(assignment));
};

/** The floor: frames go on without a look, with the same back-pressure. */
const openBareHop: Hop = (fromWorker, dialRuntime) => {
  const toRuntime = dialRuntime();
  const pump = (from: Link, to: Link): void =>
    from.receive({
      frame(frame) {
        if (to.send(frame)) return;
        from.pause();
        void to.drained().then(() => from.resume());
      },
    });
  pump(fromWorker, toRuntime);
  pump(toRuntime, fromWorker);
};

const question = frameOf({
  $case: 'rpcLog',
  value: {
    invocationId: 'bench',
    category: '',
    level: 2,
    message: 'x'.repeat(messageBytes),
    eventId: '',
    exception: undefined,
    properties: '',
    logCategory: 0,
    propertiesMap: new Map(),
  },
});

/** Microseconds per round trip with many in flight. */
async function measureThroughput(chain: Chain): Promise<number> {
  const done = createDeferred<void>();
  let sent = 0;
  let received = 0;
  chain.onWorkerFrame = (frame) => chain.worker.send(frame);
  chain.onRuntimeFrame = () => {
    received += 1;
    if (received === messages) done.resolve();
    else if (sent < messages) {
      sent += 1;
      chain.runtime.send(question);
    }
  };
  const startMs = performance.now();
  for (; sent < inFlight; sent += 1) chain.runtime.send(question);
  await done.promise;
  return ((performance.now() - startMs) * 1_000) / messages;
}

/** The median of single round trips, in microseconds. */
async function measureRoundTrip(chain: Chain): Promise<number> {
  const times: number[] = [];
  chain.onWorkerFrame = (frame) => chain.worker.send(frame);
  for (let call = 0; call < 1_000; call += 1) {
    const answered = createDeferred<void>();
    chain.onRuntimeFrame = () => answered.resolve();
    const sentMs = performance.now();
    chain.runtime.send(question);
    await answered.promise;
    times.push((performance.now() - sentMs) * 1_000);
  }
  return median(times);
}

function frameOf(content: MessageContent): Uint8Array {
  return StreamingMessage.encode({ requestId: '', content }).finish();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await benchSpecialize());
